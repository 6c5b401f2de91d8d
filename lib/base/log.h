#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace oauth3::base {

enum class LogLevel { error, warning, info, debug };

/// Lines above this level are dropped. Default: info.
void set_log_level(LogLevel level);

/// Writes one line "<time> <level> <text>" to stderr, in one write. Control characters in the
/// text are made visible, so that nobody's input can forge a line or steer a terminal.
void log_line(LogLevel level, std::string_view text);

template <typename... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
    log_line(LogLevel::error, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_warning(fmt::format_string<Args...> format, Args&&... args) {
    log_line(LogLevel::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
    log_line(LogLevel::info, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace oauth3::base
