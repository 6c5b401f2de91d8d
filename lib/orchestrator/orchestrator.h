#pragma once

#include "base/clock.h"
#include "base/json.h"
#include "orchestrator/access.h"
#include "orchestrator/runs.h"
#include "policy/session.h"
#include "skill/declaration.h"
#include "store/requests.h"
#include "store/sessions.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace oauth3::orchestrator {

/// A program that an agent asks to run; checked for form already.
struct ExecuteSubmission {
    std::string skill_id;
    std::string code;
    skill::Declaration declaration;
    std::vector<std::string> secrets;  ///< the requested ones, the declaration's if none are named
    base::Json args = base::Json::object();
    std::optional<std::string> session_id;
};

/// A scope that an agent asks for; checked for form already.
struct ScopeSubmission {
    policy::Scope scope;
    std::optional<std::string> code;
    std::optional<skill::Declaration> declaration;  ///< of the code
    std::vector<std::string> warnings;
    std::optional<std::string> session_id;
};

struct Submitted {
    store::RequestRow row;
    bool session_exists = false;
};

/// The tenant has as many undecided requests as it may have.
struct TooManyPending {
    std::size_t limit = 0;
};

/// How long an approved execution stays approved: for this run, or for its session.
enum class Level { once, session };

struct Decision {
    bool approve = false;
    Level level = Level::once;
    std::string reason;  ///< told to the agent with a denial
};

/// What became of a decision. Exactly one decision on a request is `made`.
struct Decided {
    store::RequestRow row;
    bool made = false;
    bool expanded = false;        ///< the session existed already and has grown
    std::size_t constraints = 0;  ///< in the session now
};

/// What became of a wish to cancel.
struct Cancelled {
    store::RequestRow row;
    bool stopping = false;  ///< it runs and was told to stop: wait for its end
    bool was_final = false;
};

struct Settings {
    base::Seconds approval_ttl{24 * 3600};  ///< an undecided request expires after this
    std::size_t max_pending = 50;           ///< undecided requests of one tenant
    std::size_t parallel_runs = 4;
};

/// The life of a request: submit, decide, run, settle. All calls on the loop thread. Whatever a
/// principal may not see does not exist for it: those calls answer nullopt.
class Orchestrator {
  public:
    Orchestrator(store::Database& database, const base::Clock& clock, Runner runner, Hooks hooks,
                 Settings settings);

    /// Takes up what an earlier life of the server left. Call once, before anything else.
    void recover() { runs_.recover(); }

    std::variant<Submitted, TooManyPending> submit(const Principal& agent,
                                                   const ExecuteSubmission& submission);
    std::variant<Submitted, TooManyPending> submit(const Principal& agent,
                                                   const ScopeSubmission& submission);

    /// The caller must be an owner.
    std::optional<Decided> decide(const Principal& owner, std::string_view id,
                                  const Decision& decision);
    std::optional<Cancelled> cancel(const Principal& who, std::string_view id);

    std::optional<store::RequestRow> find(const Principal& who, std::string_view id);
    /// Without an asking principal: for a caller that holds the request's approval token.
    std::optional<store::RequestRow> find_by_link(std::string_view id);
    std::optional<store::ResultRow> result(const store::RequestRow& row);
    std::string code(const store::RequestRow& row);
    /// Empty for an agent.
    std::vector<store::RequestRow> list(const Principal& owner, const store::ListFilter& filter);

    /// To be called about once a second: ends what is overdue, stores what could not be stored.
    void tick();
    void shut_down() { runs_.shut_down(); }

  private:
    store::RequestRow new_row(const Principal& agent, policy::Kind kind,
                              const std::optional<std::string>& session_id);
    void put_session(store::Transaction& tx, const store::RequestRow& row,
                     const policy::Session& session, const std::optional<store::SessionRow>& old,
                     const std::string& actor, base::Time now);
    void expire(store::RequestRow row);
    /// Now, but never before what happened to the request already: the clock may jump back.
    base::Time ending_time(const store::RequestRow& row) const;
    bool has_room(const Principal& agent);

    store::Database& database_;
    store::Requests requests_;
    store::Sessions sessions_;
    const base::Clock& clock_;
    Hooks hooks_;
    Settings settings_;
    Runs runs_;
};

}  // namespace oauth3::orchestrator
