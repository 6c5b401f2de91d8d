#pragma once

#include "orchestrator/orchestrator.h"
#include "support/store_checks.h"
#include "support/temporary_folder.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace oauth3::test {

inline const base::Time kStart = base::from_millis(1'767'225'600'000);

/// Time that stands still until it is moved, backwards too.
class TestClock final : public base::Clock {
  public:
    base::Time now() const override { return base::from_millis(now_.load()); }
    void set(base::Time to) { now_ = base::to_millis(to); }
    void move(base::Millis by) { now_ += by.count(); }

  private:
    std::atomic<std::int64_t> now_{base::to_millis(kStart)};
};

/// The loop thread is the test itself: work comes in from any thread and is done when the test
/// says so.
class Loop {
  public:
    void post(std::function<void()> work);
    /// Does all that is waiting, and what that posts.
    void run_ready();
    /// Goes on doing work, and waiting for more, until `done`.
    void run_until(const std::function<bool()>& done);
    /// Waits for one piece of work and does it.
    void run_next() { run_one(true); }

  private:
    bool run_one(bool wait);
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> work_;
};

/// Stands for what lies outside: Deno in its jail. A program whose text begins with "hold" runs
/// until release() or a stop; one that begins with "throw" throws; every other ends at once with
/// the outcome set for its text, by default with exit 0 and its own text as output.
class Outside {
  public:
    Outside();
    runtime::Outcome run(const runtime::Job& job, const jail::StopSignal& stop);
    void release(unsigned count = 1);
    std::vector<std::string> started();  ///< the texts, in the order in which they were started
    int most_at_once() const { return most_; }
    std::map<std::string, runtime::Outcome> outcomes;  ///< set before the run

  private:
    base::Fd gate_;
    std::mutex mutex_;
    std::vector<std::string> started_;
    std::atomic<int> now_{0};
    std::atomic<int> most_{0};
};

/// A server without sockets on a folder of its own.
class World {
  public:
    explicit World(orchestrator::Settings settings = {});
    ~World();

    /// Ends this life of the server as a stop does (or leaves it to the destructors, which is how
    /// much of a crash one process can play), and begins the next one.
    void restart(bool orderly);

    orchestrator::Principal agent() const {
        return {orchestrator::Role::agent, "k", owner_, tenant_};
    }
    orchestrator::Principal owner() const { return {orchestrator::Role::admin, "k", owner_, ""}; }
    /// A tenant of another owner, and that owner.
    orchestrator::Principal other_agent() const;
    orchestrator::Principal other_owner() const;

    /// Submits code, in a session if it is not empty. Its needs are those of its header.
    store::RequestRow submit(const std::string& code, const std::string& session = "",
                             const base::Json& args = base::Json::object());
    store::RequestRow submit_scope(const policy::Scope& scope, const std::string& session,
                                   const std::optional<std::string>& code = std::nullopt);
    orchestrator::Decided approve(const std::string& id,
                                  orchestrator::Level level = orchestrator::Level::once);
    orchestrator::Decided deny(const std::string& id, const std::string& reason = "");
    /// The request as it stands in the database.
    store::RequestRow row(const std::string& id);
    policy::Status status(const std::string& id) { return row(id).status; }
    /// Does work until the request has this status; it fails if another one was the end.
    void wait_for(const std::string& id, policy::Status status);
    void sql(const std::string& text);
    std::vector<ledger::Event> events();

    TemporaryFolder folder;
    TestClock clock;
    Loop loop;
    Outside outside;
    std::vector<std::string> changed;  ///< ids, as the hook told them
    std::unique_ptr<store::Database> database;
    std::unique_ptr<orchestrator::Orchestrator> server;

  private:
    void start();
    orchestrator::Settings settings_;
    std::string owner_ = "owner_0000000000000001", tenant_ = "tenant_0000000000000001";
};

}  // namespace oauth3::test
