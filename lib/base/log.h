#pragma once

#include "base/json.h"

#include <fmt/format.h>

#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>

namespace oauth3::base {

enum class LogLevel { error, warning, info, debug };

/// Lines above this level are dropped. Default: info.
void set_log_level(LogLevel level);

/// False if lines of this level are dropped: for callers to whom making one is too dear.
bool is_logged(LogLevel level);

/// "error", "warning", "info" or "debug"; nullopt for anything else.
std::optional<LogLevel> parse_log_level(std::string_view text);

/// Text: "<time> <level> <message> name=value ...", for people. JSON: one object a line,
/// {"at", "level", "message", fields...}, for programs; "at" is the same RFC 3339 time, in UTC.
enum class LogFormat { text, json };

/// Any thread. Default: text.
void set_log_format(LogFormat format);

/// "text" or "json"; nullopt for anything else.
std::optional<LogFormat> parse_log_format(std::string_view text);

/// One thing worth its own name in a line. The name is a constant of the code such as "status",
/// once in a line and none of at, level, message. A null value leaves the field out.
struct LogField {
    std::string_view name;
    Json value;
};

/// Writes one line to stderr, in one write. Whatever the message and the values hold, it stays one
/// line of plain characters, and no value can pass for another field: in text they are made visible
/// and quoted where needed, in JSON all but ASCII is escaped.
void log_event(LogLevel level, std::string_view message,
               std::initializer_list<LogField> fields = {});

/// As log_event, without fields.
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
template <typename... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
    log_line(LogLevel::debug, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace oauth3::base
