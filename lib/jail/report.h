#pragma once

#include "base/fd.h"

#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace oauth3::jail {

/// What is told to the supervisor over a job's status socket, in this order: `started` or
/// `failed` by the helper, then `failed` or `exited` by the jail's pid 1.
struct Report {
    enum class Kind : std::uint32_t {
        started,  ///< pid 1 exists: `pidfd`
        failed,   ///< a step failed: `text`, with the errno value in `number`
        exited,   ///< the program ended: `number` is its wait status; and what was used
    };
    Kind kind = Kind::failed;
    int number = 0;
    std::chrono::microseconds cpu_user{0};
    std::chrono::microseconds cpu_system{0};
    std::uint64_t max_rss_bytes = 0;
    std::string text;
    base::Fd pidfd;
};

/// These never throw and never block: a supervisor that has gone away is nobody to tell.
void report_started(int socket, int pidfd) noexcept;
void report_failed(int socket, int number, std::string_view text) noexcept;
void report_exited(int socket, int wait_status, const rusage& usage) noexcept;

/// The next report, nothing at the end of the socket, or, with `wait` false, if there is none
/// now. Throws SystemError.
std::optional<Report> receive_report(int socket, bool wait);

}  // namespace oauth3::jail
