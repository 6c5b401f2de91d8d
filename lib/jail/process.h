#pragma once

#include "base/fd.h"

#include <chrono>

namespace oauth3::jail {

/// A jail that was started: the ends that its supervisor holds. When it dies, everything in the
/// jail has been killed.
class Process {
  public:
    Process(base::Fd pidfd, base::Fd status, base::Fd out, base::Fd err,
            std::chrono::steady_clock::time_point started);
    Process(Process&&) noexcept = default;
    Process& operator=(Process&&) noexcept = delete;
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    /// Kills the whole tree and waits until all of it is dead.
    ~Process();

    /// Sends SIGKILL to the jail's pid 1; the kernel then kills all the others, and pid 1 counts as
    /// dead only after them.
    void kill() noexcept;

    /// Waits until nothing lives in the jail any more.
    void wait_until_dead() noexcept;

    /// Refers to pid 1 of the jail, poll(2)-able: readable when the whole jail is dead.
    int pidfd() const { return pidfd_.get(); }
    /// Where pid 1 and the spawner report (report.h).
    int status() const { return status_.get(); }
    /// Read ends of the program's output, non-blocking.
    int out() const { return out_.get(); }
    int err() const { return err_.get(); }
    std::chrono::steady_clock::time_point started() const { return started_; }

  private:
    base::Fd pidfd_;
    base::Fd status_;
    base::Fd out_;
    base::Fd err_;
    std::chrono::steady_clock::time_point started_;
};

}  // namespace oauth3::jail
