#pragma once

#include "jail/spec.h"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace oauth3::jail {

/// What a jail uses at one moment, as /proc shows it from outside.
struct Sight {
    std::uint64_t memory_bytes = 0;
    std::uint64_t tasks = 0;  ///< processes and threads
    std::chrono::microseconds cpu_user{0};
    std::chrono::microseconds cpu_system{0};
};

/// Which limits a Watcher holds, since nobody else does; 0 for none.
struct Orders {
    std::uint64_t memory_bytes = 0;
    std::uint64_t tasks = 0;
    std::chrono::seconds cpu{0};
    /// As Process::account(): where the kernel counts the processor time. -1: /proc is looked at.
    int account = -1;
};

/// Holds the limits of one jail that the kernel does not hold, by looking at it several times a
/// second.
///
/// Memory is what the processes have of their own and of shared memory, swapped out or not, their
/// page tables, and what is in the jail's /tmp and /dev/shm. Program code and other pages that a
/// file backs are not counted, nor is pid 1, which is the helper's copy and no work of the
/// program's. What cannot be seen from outside is not either: buffers of pipes and sockets, and
/// shared memory that no living process has mapped at the moment. Processes that vanish meanwhile
/// count for nothing.
class Watcher {
  public:
    /// `init` is the jail's pid 1 as this process sees it.
    Watcher(pid_t init, const Orders& orders);

    enum class Finding { good, memory, tasks, cpu };

    /// One look: good, or the limit that is broken. Cheap for few processes, some 10 us each.
    Finding look();

    /// When to look again, and first: not at all (nothing) without orders.
    std::optional<std::chrono::milliseconds> next() const;

    std::uint64_t peak_memory_bytes() const { return peak_memory_; }
    std::uint64_t peak_tasks() const { return peak_tasks_; }
    std::chrono::microseconds cpu_user() const { return user_; }
    std::chrono::microseconds cpu_system() const { return system_; }

  private:
    bool walks() const;

    std::chrono::milliseconds pause_{200};

    pid_t init_;
    Orders orders_;
    std::chrono::microseconds cpu_{0};  ///< used at the last look, and of that, if it was in /proc:
    std::chrono::microseconds user_{0};
    std::chrono::microseconds system_{0};
    std::uint64_t peak_memory_ = 0;
    std::uint64_t peak_tasks_ = 0;
};

/// `root` and everything below it, as far as it can be seen at this moment.
std::vector<pid_t> descend(pid_t root);

/// What the processes of the jail use, if they use more than `enough` bytes with care: shared pages
/// are first counted for each process, and only beyond that for what they are.
Sight look_at(pid_t init, std::uint64_t enough);

/// The number of KiB in a line "Name:   123 kB" of /proc/<pid>/status and the like, in bytes, or of
/// a line without unit as it is; 0 if there is none. A process's own name cannot fake a line: the
/// kernel escapes newlines in it.
std::uint64_t status_number(std::string_view text, std::string_view name);

}  // namespace oauth3::jail
