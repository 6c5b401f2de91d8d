#include "base/log.h"

#include "base/clock.h"
#include "base/utf8.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <string>

namespace oauth3::base {
namespace {

std::atomic<LogLevel> threshold{LogLevel::info};

std::string_view name_of(LogLevel level) {
    switch (level) {
        case LogLevel::error:
            return "error";
        case LogLevel::warning:
            return "warning";
        case LogLevel::info:
            return "info";
        case LogLevel::debug:
            return "debug";
    }
    return "?";
}

}  // namespace

void set_log_level(LogLevel level) {
    threshold = level;
}

void log_line(LogLevel level, std::string_view text) {
    if (level > threshold.load()) return;
    const Time now = SystemClock().now();
    const auto seconds = std::chrono::floor<Seconds>(now);
    const std::time_t whole = std::chrono::system_clock::to_time_t(seconds);
    std::tm utc{};
    ::gmtime_r(&whole, &utc);
    const std::string line =
        fmt::format("{}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z {} {}\n", utc.tm_year + 1900,
                    utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                    (now - seconds).count(), name_of(level), make_visible(text, false));
    // A log that cannot be written must not stop the server: the result is ignored on purpose.
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace oauth3::base
