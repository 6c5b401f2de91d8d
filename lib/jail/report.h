#pragma once

#include "base/fd.h"
#include "jail/keeper.h"

#include <sys/resource.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace oauth3::jail {

/// What is told to the supervisor over a job's status socket, in this order: `started` or
/// `failed` by the helper, then `failed` or `exited` by the jail's pid 1, then, when nothing lives
/// any more, `used` by the helper, which then closes its end.
struct Report {
    enum class Kind : std::uint32_t {
        started,  ///< pid 1 exists: `pidfd`, its pid in `number`, `account` and `held`
        failed,   ///< a step failed: `text`, with the errno value in `number`
        exited,   ///< the program ended: `number` is its wait status; and what was used until then
        used,     ///< what the whole jail used in its life
    };
    Kind kind = Kind::failed;
    int number = 0;
    std::chrono::microseconds cpu_user{0};
    std::chrono::microseconds cpu_system{0};
    /// Of all processes together where the kernel tells, else of the largest.
    std::uint64_t peak_memory_bytes = 0;
    std::uint64_t largest_process_bytes = 0;  ///< resident set, files that it maps included
    std::uint64_t peak_tasks = 0;             ///< 0 if the kernel does not tell
    bool oom = false;  ///< memory ran out, and the kernel killed something for it
    Held held;
    std::string text;
    base::Fd pidfd;
    base::Fd account;  ///< for used_cpu(), if the kernel counts the processor time of the jail
};

/// These never throw and never block: a supervisor that has gone away is nobody to tell.
void report_started(int socket, pid_t pid, int pidfd, int account, const Held& held) noexcept;
void report_failed(int socket, int number, std::string_view text) noexcept;
void report_exited(int socket, int wait_status, const rusage& usage) noexcept;
/// Takes `used` from `report`, whatever its kind.
void report_used(int socket, const Report& report) noexcept;

std::chrono::microseconds from_timeval(const timeval& value);

/// The next report, nothing at the end of the socket, or, with `wait` false, if there is none
/// now. Throws SystemError.
std::optional<Report> receive_report(int socket, bool wait);

}  // namespace oauth3::jail
