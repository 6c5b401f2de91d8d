#include "base/log.h"

#include <fmt/chrono.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string>

#include "base/clock.h"
#include "base/utf8.h"

namespace oauth3::base {
namespace {

std::atomic<LogLevel> threshold{LogLevel::info};

std::string_view name_of(LogLevel level) {
    switch (level) {
        case LogLevel::error: return "error";
        case LogLevel::warning: return "warning";
        case LogLevel::info: return "info";
        case LogLevel::debug: return "debug";
    }
    return "?";
}

}  // namespace

void set_log_level(LogLevel level) { threshold = level; }

void log_line(LogLevel level, std::string_view text) {
    if (level > threshold.load()) return;
    const Time now = SystemClock().now();
    const auto seconds = std::chrono::floor<Seconds>(now);
    const std::string line =
        fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z {} {}\n",
                    fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
                    (now - seconds).count(), name_of(level), make_visible(text, false));
    // A log that cannot be written must not stop the server: the result is ignored on purpose.
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace oauth3::base
