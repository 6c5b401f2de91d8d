#pragma once

#include "base/clock.h"
#include "http/message.h"

#include <optional>
#include <string>
#include <string_view>

namespace oauth3::http {

/// The value of the first cookie with exactly this name (case-sensitive) in the Cookie headers, in
/// the order in which they came; nullopt if there is none. The bytes are the client's: nothing is
/// decoded and quotes stay (RFC 6265 section 4.2). The view is valid as long as the request's
/// fields.
std::optional<std::string_view> cookie_value(const Request& request, std::string_view name);

/// What a Set-Cookie header says. Each cookie is "SameSite=Strict".
struct Cookie {
    std::string name;   ///< a token
    std::string value;  ///< cookie-octets (RFC 6265 section 4.1.1), may be empty
    std::optional<base::Seconds> max_age{};  ///< 0 removes it; without one it ends with the browser
    bool http_only = true;
    bool secure = false;  ///< must be set for names that begin with "__Host-" or "__Secure-"
    std::string path = "/";
};

/// The value of a Set-Cookie header. Throws Error "bad_cookie" if a part cannot stand in one (it
/// could add an attribute of its own), or if a prefix of the name demands what is not set.
std::string render_set_cookie(const Cookie& cookie);

}  // namespace oauth3::http
