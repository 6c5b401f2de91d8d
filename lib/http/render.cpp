#include "http/render.h"

#include "http/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace oauth3::http {
namespace {

std::string_view reason(unsigned status) {
    switch (status) {
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 206:
            return "Partial Content";
        case 301:
            return "Moved Permanently";
        case 302:
            return "Found";
        case 303:
            return "See Other";
        case 304:
            return "Not Modified";
        case 307:
            return "Temporary Redirect";
        case 308:
            return "Permanent Redirect";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 406:
            return "Not Acceptable";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 410:
            return "Gone";
        case 412:
            return "Precondition Failed";
        case 413:
            return "Content Too Large";
        case 415:
            return "Unsupported Media Type";
        case 417:
            return "Expectation Failed";
        case 421:
            return "Misdirected Request";
        case 422:
            return "Unprocessable Content";
        case 426:
            return "Upgrade Required";
        case 428:
            return "Precondition Required";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        default:
            return "";  // the phrase may be empty (RFC 9112 section 4)
    }
}

/// Names that only the server may write: they decide where the response ends.
bool is_own_header(std::string_view name) {
    constexpr std::array<std::string_view, 4> kOwn = {"Content-Length", "Connection",
                                                      "Transfer-Encoding", "Date"};
    return std::any_of(kOwn.begin(), kOwn.end(),
                       [name](std::string_view own) { return equal_ignoring_case(name, own); });
}

}  // namespace

unsigned status_of(Failure failure) {
    switch (failure) {
        case Failure::malformed:
            return 400;
        case Failure::header_too_large:
            return 431;
        case Failure::body_too_large:
            return 413;
        case Failure::timeout:
            return 408;
        case Failure::internal:
            return 500;
        case Failure::shutting_down:
        case Failure::overloaded:
            return 503;
    }
    return 500;
}

bool is_sendable(const Response& response) {
    if (response.status < 200 || response.status > 599) return false;
    return std::all_of(response.headers.begin(), response.headers.end(), [](const auto& field) {
        return is_token(field.first) && is_field_value(field.second);
    });
}

bool has_body(unsigned status) {
    return status != 204 && status != 304;
}

std::string render_head(const Response& response, std::string_view connection,
                        std::string_view date) {
    std::string head = fmt::format("HTTP/1.1 {} {}\r\n", response.status, reason(response.status));
    const auto add = [&head](std::string_view name, std::string_view value) {
        head.append(name).append(": ").append(value).append("\r\n");
    };
    for (const auto& [name, value] : response.headers) {
        if (!is_own_header(name)) add(name, value);
    }
    if (has_body(response.status)) add("Content-Length", std::to_string(response.body.size()));
    if (!connection.empty()) add("Connection", connection);
    add("Date", date);
    head += "\r\n";
    return head;
}

std::string format_date(std::time_t time) {
    // Not strftime: its names of days and months follow the locale.
    constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed",
                                                       "Thu", "Fri", "Sat"};
    constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::tm utc{};
    ::gmtime_r(&time, &utc);
    return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
                       kDays[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday,
                       kMonths[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900,
                       utc.tm_hour, utc.tm_min, utc.tm_sec);
}

}  // namespace oauth3::http
