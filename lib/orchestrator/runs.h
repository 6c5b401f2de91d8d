#pragma once

#include "base/clock.h"
#include "jail/stop_signal.h"
#include "orchestrator/recheck.h"
#include "orchestrator/workers.h"
#include "runtime/deno.h"
#include "runtime/outcome.h"
#include "store/requests.h"
#include "store/sessions.h"

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace oauth3::orchestrator {

/// The error of a request whose session, or whose code's trust, was revoked before its end.
inline constexpr const char* kSessionRevoked = "session revoked";
inline constexpr const char* kTrustRevoked = "trust revoked";

/// Runs one job to its end; called from a worker thread.
using Runner = std::function<runtime::Outcome(const runtime::Job&, const jail::StopSignal&)>;

/// How this room reaches the floor above, which hands these down.
struct Hooks {
    /// Runs work on the loop thread soon; may be called from any thread.
    std::function<void(std::function<void()>)> post;
    /// A request has changed and the change is committed; called on the loop thread.
    std::function<void(const std::string& request_id)> changed;
};

/// Approved executions that wait. Tenants take turns, so that none waits for all that another has.
class Queue {
  public:
    bool empty() const { return turns_.empty(); }
    void push(const std::string& tenant_id, std::string id);
    /// The next tenant, and its oldest one. Not of an empty queue.
    std::pair<std::string, std::string> pop();

  private:
    std::deque<std::string> turns_;  ///< tenants, each once
    std::map<std::string, std::deque<std::string>> waiting_;
};

/// From approved to the end: the queue of approved executions and those that run. Everything but
/// the jobs themselves happens on the loop thread.
class Runs {
  public:
    Runs(store::Database& database, const base::Clock& clock, Runner runner, Hooks hooks,
         std::size_t parallel);
    ~Runs();

    /// After a start: what an earlier life left executing has failed, what was approved runs. In a
    /// database that was restored nothing of it runs: it may have run since the backup.
    void recover();

    /// An execution was approved and committed: it runs as soon as there is room.
    void enqueue(const store::RequestRow& row);

    /// The server begins to stop: what runs may come to its end, nothing else is started.
    void close() { closed_ = true; }

    /// Asks a running execution to stop; it ends as cancelled. False if it does not run here.
    bool cancel(const std::string& id);

    /// What allowed a running execution was revoked: kills it, and it ends as failed with this
    /// error. False if it does not run here.
    bool revoke(const std::string& id, const char* error);

    /// Stores outcomes that could not be stored before, such as when the disk was full.
    void retry_unsettled();

    /// Stops what runs, waits for it and settles it as failed. What is queued stays approved in
    /// the store and runs after the next start.
    void shut_down();

  private:
    struct Running {
        std::shared_ptr<jail::StopSignal> stop;
        store::RequestRow row;
        base::Seconds timeout;
        const char* revoked = nullptr;  ///< the error if it was revoked
    };
    using Finished = std::pair<std::string, runtime::Outcome>;

    void end_restored();
    void start_more();
    void start(const std::string& id);
    void take_finished();
    bool settle(const std::string& id, const runtime::Outcome& outcome);
    void end_unstarted(store::RequestRow& row, policy::Status to, const std::string& error);

    store::Database& database_;
    store::Requests requests_;
    store::Sessions sessions_;
    Recheck recheck_;
    const base::Clock& clock_;
    Runner runner_;
    Hooks hooks_;
    std::size_t parallel_;
    Queue queue_;
    std::map<std::string, Running> running_;
    bool closed_ = false;
    bool stopping_ = false;

    std::mutex finished_mutex_;
    std::vector<Finished> finished_;
    std::vector<Finished> unsettled_;
    Workers workers_;  ///< last, so that its threads end before what they use
};

}  // namespace oauth3::orchestrator
