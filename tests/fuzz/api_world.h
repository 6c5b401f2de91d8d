#pragma once

#include "api/service.h"
#include "base/clock.h"
#include "orchestrator/orchestrator.h"
#include "store/database.h"
#include "support/temporary_folder.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace SQLite {
class Database;
}

namespace oauth3::fuzz {

/// A server without sockets, with a human who owns two agents, and another human with one. Its
/// programs do not run: each ends at once.
///
/// What an input may name, in the place of what it could not guess:
///   $OWNER    the human's key            $AGENT, $SECOND  keys of the human's agents
///   $COOKIE   of its browser             $CSRF            what that browser's forms carry
///   $ONCE     an unused log-in link      $INVITE          an unused invite
///   $PENDING  an undecided request of $AGENT, with $TOKEN as its approval token
///   $DONE     a completed one            $SCOPE           an undecided scope of $AGENT
///   $TENANT   the tenant of $AGENT       $SESSION         a session of $SECOND
///   $KEY      the id of $AGENT's key     $HASH            of a program
///   $STRANGER the key of the other human, who is no administrator
///   $FOREIGN, $FOREIGNKEY, $FOREIGNTENANT  an undecided request, a key's id and a tenant of others
class World {
  public:
    World();
    ~World();

    /// `text` with names replaced by what they stand for.
    std::string fill_in(std::string text) const;
    const std::string& value(const std::string& name) const { return names_.at(name); }

    std::vector<std::string> names() const;
    /// "METHOD /pattern/:part" of every route.
    const std::vector<std::string>& routes() const { return route_names_; }

    /// Handles a request as the server does and gives its reply; a held one is asked for its last.
    http::Response call(http::Request& request);

    /// The route that the request goes to; null if there is none.
    const api::Endpoint* route(const std::string& method, const std::string& path) const;

    /// True if anything was written since the world was made or restored.
    bool changed() const;
    /// Makes everything as it was at first.
    void restore();

    /// A number or text from the database.
    std::string ask(const std::string& sql) const;

    /// All that belongs to the other human, as one text.
    std::string foreign_state() const;
    /// All of the first human's that only a human may bring about, as one text.
    std::string human_state() const;

  private:
    struct StillClock final : base::Clock {
        base::Time now() const override { return time; }
        base::Time time = base::from_millis(1'767'225'600'000);
    };

    http::Response must(const std::string& method, const std::string& path, const std::string& key,
                        const base::Json& body);
    void run_jobs();
    void populate();

    test::TemporaryFolder folder_;
    StillClock clock_;
    std::mutex mutex_;
    std::condition_variable came_;
    std::deque<std::function<void()>> work_;
    std::map<std::string, std::string> names_;
    std::vector<std::string> route_names_;
    std::vector<const api::Endpoint*> routes_;  ///< in the order of route_names_
    http::Router router_;
    std::unique_ptr<store::Database> database_;
    std::unique_ptr<SQLite::Database> template_;
    std::unique_ptr<orchestrator::Access> access_;
    std::unique_ptr<orchestrator::Accounts> accounts_;
    std::unique_ptr<orchestrator::Logins> logins_;
    std::unique_ptr<orchestrator::Replays> replays_;
    std::unique_ptr<orchestrator::Orchestrator> orchestrator_;
    std::unique_ptr<api::Service> service_;
    std::int64_t changes_ = 0;
    unsigned address_ = 0;
};

}  // namespace oauth3::fuzz
