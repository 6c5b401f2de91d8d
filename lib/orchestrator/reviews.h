#pragma once

#include "jail/stop_signal.h"
#include "notify/opinion.h"
#include "orchestrator/workers.h"

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace oauth3::orchestrator {

/// Asks for a second opinion on a request, given as JSON; called from a worker thread.
using Reviewer = std::function<notify::Opinion(const std::string&, const jail::StopSignal&)>;

/// The reviews that are under way, at most two at a time. Who asks gets the opinion on the loop
/// thread. Without a reviewer nothing is ever asked.
class Reviews {
  public:
    using Done = std::function<void(const std::string& request_id, const notify::Opinion&)>;

    /// `post` runs work on the loop thread soon, and may be called from any thread.
    Reviews(Reviewer reviewer, std::function<void(std::function<void()>)> post, Done done);
    ~Reviews();

    bool is_on() const { return reviewer_ != nullptr; }
    /// A request that finds too many others waiting gets no opinion, which means ask.
    void start(const std::string& request_id, std::string request_json);
    /// Stops the reviewer. What was not reviewed is asked again after the next start.
    void shut_down();

  private:
    Reviewer reviewer_;
    std::function<void(std::function<void()>)> post_;
    Done done_;
    jail::StopSignal stop_;
    std::atomic<std::size_t> waiting_{0};
    std::unique_ptr<Workers> workers_;
};

}  // namespace oauth3::orchestrator
