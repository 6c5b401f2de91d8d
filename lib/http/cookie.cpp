#include "http/cookie.h"

#include "base/error.h"

namespace oauth3::http {
namespace {

/// RFC 6265 section 4.1.1: visible ASCII without quotes, comma, semicolon and backslash.
bool is_cookie_value(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return c > ' ' && c < '\x7F' && c != '"' && c != ',' && c != ';' && c != '\\';
    });
}

bool is_cookie_path(std::string_view text) {
    return text.starts_with('/') && std::all_of(text.begin(), text.end(), [](char c) {
               return c >= ' ' && c < '\x7F' && c != ';';
           });
}

[[noreturn]] void refuse(const std::string& message) {
    throw base::Error("bad_cookie", message);
}

}  // namespace

std::optional<std::string_view> cookie_value(const Request& request, std::string_view name) {
    for (std::string_view pairs : request.headers("Cookie")) {
        while (!pairs.empty()) {
            const std::string_view pair = pairs.substr(0, pairs.find(';'));
            pairs.remove_prefix(std::min(pair.size() + 1, pairs.size()));
            const std::size_t equals = pair.find('=');
            if (equals == std::string_view::npos) continue;
            if (trim(pair.substr(0, equals)) == name) return trim(pair.substr(equals + 1));
        }
    }
    return std::nullopt;
}

std::string render_set_cookie(const Cookie& cookie) {
    if (!is_token(cookie.name)) refuse("The name of a cookie is not a token.");
    if (!is_cookie_value(cookie.value)) refuse("The value of a cookie has bytes it must not have.");
    if (!is_cookie_path(cookie.path)) refuse("The path of a cookie is not one.");
    const bool is_host = cookie.name.starts_with("__Host-");
    if ((is_host || cookie.name.starts_with("__Secure-")) && !cookie.secure)
        refuse("A cookie with the prefix of its name must be secure.");
    if (is_host && cookie.path != "/") refuse("A __Host- cookie must have the path /.");
    std::string out = cookie.name + "=" + cookie.value;
    if (cookie.max_age) {
        const auto seconds = std::max<base::Seconds::rep>(cookie.max_age->count(), 0);
        out += "; Max-Age=" + std::to_string(seconds);
    }
    out += "; Path=" + cookie.path;
    if (cookie.secure) out += "; Secure";
    if (cookie.http_only) out += "; HttpOnly";
    return out += "; SameSite=Strict";
}

}  // namespace oauth3::http
