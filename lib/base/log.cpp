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
std::atomic<LogFormat> form{LogFormat::text};

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

std::string time_text() {
    const Time now = SystemClock().now();
    const auto seconds = std::chrono::floor<Seconds>(now);
    const std::time_t whole = std::chrono::system_clock::to_time_t(seconds);
    std::tm utc{};
    ::gmtime_r(&whole, &utc);
    return fmt::format("{}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                       utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                       (now - seconds).count());
}

// Text --------------------------------------------------------------------------------------------

/// True if the value can stand after "name=" without quotes and cannot be taken for anything else.
bool is_bare(std::string_view value) {
    constexpr std::string_view kAlso = "-._~:/@+*%,[]";
    return !value.empty() && std::all_of(value.begin(), value.end(), [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               kAlso.find(c) != std::string_view::npos;
    });
}

std::string quote(std::string_view value) {
    std::string out = "\"";
    for (const char c : make_visible(value, false)) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out += '"';
}

std::string text_value(const Json& value) {
    // What is no string is a number or a word, or is quoted for its brackets and quotes.
    const std::string text = value.is_string() ? value.get<std::string>() : dump_json(value);
    return is_bare(text) ? text : quote(text);
}

std::string text_line(LogLevel level, std::string_view message,
                      std::initializer_list<LogField> fields) {
    std::string line =
        fmt::format("{} {} {}", time_text(), name_of(level), make_visible(message, false));
    for (const LogField& field : fields) {
        if (field.value.is_null()) continue;
        line += fmt::format(" {}={}", make_visible(field.name, false), text_value(field.value));
    }
    return line;
}

// JSON --------------------------------------------------------------------------------------------

/// ASCII only: what an invisible or a control character does is left to whoever decodes it.
std::string escaped(const Json& value) {
    return value.dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string json_line(LogLevel level, std::string_view message,
                      std::initializer_list<LogField> fields) {
    std::string line = fmt::format(R"({{"at":"{}","level":"{}","message":{})", time_text(),
                                   name_of(level), escaped(message));
    for (const LogField& field : fields) {
        if (field.value.is_null()) continue;
        line += fmt::format(",{}:{}", escaped(field.name), escaped(field.value));
    }
    return line += '}';
}

}  // namespace

void set_log_level(LogLevel level) {
    threshold = level;
}

bool is_logged(LogLevel level) {
    return level <= threshold.load();
}

std::optional<LogLevel> parse_log_level(std::string_view text) {
    for (const LogLevel level :
         {LogLevel::error, LogLevel::warning, LogLevel::info, LogLevel::debug}) {
        if (text == name_of(level)) return level;
    }
    return std::nullopt;
}

void set_log_format(LogFormat format) {
    form = format;
}

std::optional<LogFormat> parse_log_format(std::string_view text) {
    if (text == "text") return LogFormat::text;
    if (text == "json") return LogFormat::json;
    return std::nullopt;
}

void log_event(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
    if (!is_logged(level)) return;
    std::string line = form.load() == LogFormat::json ? json_line(level, message, fields)
                                                      : text_line(level, message, fields);
    line += '\n';
    // A log that cannot be written must not stop the server: the result is ignored on purpose.
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

void log_line(LogLevel level, std::string_view text) {
    log_event(level, text);
}

}  // namespace oauth3::base
