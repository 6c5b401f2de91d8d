#pragma once

#include "base/fd.h"
#include "jail/keeper.h"
#include "jail/spec.h"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <utility>

namespace oauth3::jail {

/// A jail that was started: the ends that its supervisor holds. When it dies, everything in the
/// jail has been killed.
class Process {
  public:
    struct Parts {
        base::Fd pidfd;
        base::Fd status;
        base::Fd out;
        base::Fd err;
        base::Fd account;
        pid_t pid = -1;
        Held held;
        Limits limits;
        std::uint64_t cpu_seconds = 0;
        std::chrono::steady_clock::time_point started;
    };

    explicit Process(Parts parts) : parts_(std::move(parts)) {}
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
    int pidfd() const { return parts_.pidfd.get(); }
    /// Its number here. It may be another process's once pidfd() is readable.
    pid_t pid() const { return parts_.pid; }
    /// Where pid 1 and the spawner report (report.h).
    int status() const { return parts_.status.get(); }
    /// Read ends of the program's output, non-blocking.
    int out() const { return parts_.out.get(); }
    int err() const { return parts_.err.get(); }
    /// For used_cpu() (cgroup.h); -1 if the kernel does not count for the whole jail.
    int account() const { return parts_.account.get(); }
    /// Who holds which of limits() and cpu_seconds() for this jail.
    const Held& held() const { return parts_.held; }
    const Limits& limits() const { return parts_.limits; }
    std::uint64_t cpu_seconds() const { return parts_.cpu_seconds; }
    std::chrono::steady_clock::time_point started() const { return parts_.started; }

  private:
    Parts parts_;
};

}  // namespace oauth3::jail
