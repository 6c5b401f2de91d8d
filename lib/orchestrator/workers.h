#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace oauth3::orchestrator {

/// A fixed number of threads for work that blocks.
class Workers {
  public:
    explicit Workers(std::size_t threads);
    ~Workers();
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    void submit(std::function<void()> work);
    /// Waits until all that was submitted is done: what stands for a run in the store must come
    /// to an end, even if no thread had taken it up yet.
    void finish();

  private:
    void loop();

    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> queue_;
    bool ending_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace oauth3::orchestrator
