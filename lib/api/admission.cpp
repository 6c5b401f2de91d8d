#include "api/admission.h"

#include "api/refusal.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/network.h"
#include "http/cookie.h"
#include "http/form.h"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace oauth3::api {
namespace {

using orchestrator::Role;

/// The versions of the wire's client libraries that this server speaks.
constexpr unsigned kSdkMajor = 0;
constexpr std::string_view kSdkMinors[] = {"2", "3"};

/// Of a canonical host: it is never all numbers unless it is an IPv4 address.
bool is_address(const std::string& host) {
    return host.front() == '[' || host.find_first_not_of("0123456789.") == std::string::npos;
}

bool is_safe(const http::Request& request) {
    return request.method == "GET" || request.method == "HEAD" || request.method == "OPTIONS";
}

bool contains(const std::vector<std::string>& list, std::string_view item) {
    return std::find(list.begin(), list.end(), item) != list.end();
}

std::optional<std::string_view> bearer_of(const http::Request& request) {
    std::string_view value = request.header("Authorization");
    constexpr std::string_view kScheme = "Bearer ";
    if (value.size() < kScheme.size() ||
        !http::equal_ignoring_case(value.substr(0, kScheme.size()), kScheme))
        return std::nullopt;
    value.remove_prefix(kScheme.size());
    while (value.starts_with(' ')) value.remove_prefix(1);
    return value;
}

Refusal auth_required() {
    return {401, "auth_required", "This call needs a key.",
            "Send the header Authorization: Bearer <key>."};
}

Principal by_bearer(Service& service, const http::Request& request) {
    const auto key = bearer_of(request);
    if (!key) throw auth_required();
    auto who = service.access().authenticate(*key);
    if (!who) throw Refusal(401, "invalid_key", "The key is unknown or was revoked.");
    return *who;
}

/// The value that a page of this server gave its form to carry: in a header, a form or JSON.
std::string csrf_of(const http::Request& request) {
    if (request.has_header("X-OAuth3-CSRF")) return std::string(request.header("X-OAuth3-CSRF"));
    if (is_form(request)) {
        const auto form = http::parse_form(request.body);
        return std::string(form ? http::form_value(*form, "csrf").value_or("") : "");
    }
    try {
        const base::Json body = base::parse_json(request.body);
        const auto value = body.is_object() ? body.find("csrf") : body.end();
        if (value != body.end() && value->is_string()) return value->get<std::string>();
    } catch (const base::JsonError&) {
        // Whatever it is, it does not carry the value.
    }
    return {};
}

/// The owner whose browser this is; nullopt if it is not logged in.
std::optional<Principal> by_cookie(Service& service, const http::Request& request) {
    const auto cookie = http::cookie_value(request, service.cookie_name());
    if (!cookie || cookie->empty()) return std::nullopt;
    return service.logins().authenticate(*cookie);
}

void check_csrf(const http::Request& request, const Principal& who) {
    if (is_safe(request) || base::equal_constant_time(csrf_of(request), who.csrf)) return;
    throw Refusal(403, "csrf_failed", "This form is no longer good, or is not from this server.",
                  "Load the page again and repeat what you did.");
}

void check_role(const Principal& who, Auth auth) {
    const bool owner_only =
        auth == Auth::owner || auth == Auth::admin || auth == Auth::link || auth == Auth::browser;
    if (auth == Auth::agent && !who.is_agent())
        throw Refusal(403, "agent_required", "An owner's key cannot do this; use an agent's key.");
    if (owner_only && who.is_agent())
        throw Refusal(403, "owner_required", "Only the human who owns this agent can do this.");
    if (auth == Auth::admin && who.role != Role::admin)
        throw Refusal(403, "admin_required", "Only an administrator of this server can do this.");
}

/// Who calls by anything but a bearer key; nullopt for a caller that shows nothing.
std::optional<Principal> without_bearer(Service& service, const http::Request& request,
                                        const Endpoint& endpoint) {
    const Auth auth = endpoint.auth;
    if (auth != Auth::agent) {
        if (auto who = by_cookie(service, request)) {
            // Where a link decides, it needs no cookie, and a stale form of a browser that has one
            // must not do worse than a browser without.
            const bool or_token = auth == Auth::link && service.config().approval_by_link;
            try {
                check_csrf(request, *who);
            } catch (const Refusal&) {
                if (!or_token) throw;
                return std::nullopt;
            }
            return who;
        }
    }
    const bool for_agents = auth == Auth::agent || auth == Auth::agent_or_owner ||
                            (auth == Auth::view && !request.query_value("token"));
    if (service.config().no_auth && for_agents) return service.accounts().dev_agent();
    return std::nullopt;
}

}  // namespace

std::string origin_of(const std::string& url) {
    const std::size_t host = url.find("://") + 3;
    return url.substr(0, url.find('/', host));
}

std::optional<std::string> host_without_port(std::string_view authority) {
    const std::size_t after_bracket = authority.starts_with("[") ? authority.find(']') : 0;
    if (after_bracket == std::string_view::npos) return std::nullopt;
    return base::canonical_host(authority.substr(0, authority.find(':', after_bracket)));
}

void check_host(const http::Request& request, const std::string& base_host,
                const std::vector<std::string>& allowed) {
    const std::string_view header = request.header("Host");
    if (header.empty()) return;
    const auto host = host_without_port(header);
    if (host && (is_address(*host) || *host == "localhost" || *host == base_host ||
                 contains(allowed, *host)))
        return;
    throw Refusal(421, "host_not_allowed", "This server does not answer under that host name.");
}

void check_origin(const http::Request& request, const std::string& base_origin,
                  const std::vector<std::string>& allowed) {
    if (is_safe(request)) return;
    const std::string_view origin = request.header("Origin");
    if (origin.empty() || origin == base_origin || contains(allowed, origin)) return;
    throw Refusal(403, "origin_not_allowed", "Calls from that web site are not allowed.");
}

SdkVersion check_sdk_version(const http::Request& request) {
    if (!request.has_header("X-OAuth3-SDK-Version")) return SdkVersion::absent;
    const std::string_view version = request.header("X-OAuth3-SDK-Version");
    const std::size_t dot = version.find('.');
    unsigned major = 0;
    const auto [end, error] =
        std::from_chars(version.data(), version.data() + version.size(), major);
    const bool is_version = dot != std::string_view::npos && error == std::errc() &&
                            end == version.data() + dot &&
                            version.find_first_not_of("0123456789.") == std::string_view::npos;
    if (!is_version) return SdkVersion::odd;
    if (major == kSdkMajor) {
        const std::string_view minor =
            version.substr(dot + 1, version.find('.', dot + 1) - dot - 1);
        const bool known =
            std::find(std::begin(kSdkMinors), std::end(kSdkMinors), minor) != std::end(kSdkMinors);
        return known ? SdkVersion::known : SdkVersion::odd;
    }
    if (is_safe(request) && request.path.ends_with("/status")) return SdkVersion::odd;
    throw Refusal(
        426, "sdk_version_mismatch", "This server speaks version 0 of the client library.",
        "Install a client library of version 0.x.", {{"required", "0.x"}, {"got", version}});
}

void check_media_type(const http::Request& request, bool takes_forms) {
    if (request.body.empty() || is_safe(request) || request.is_of_type("application/json")) return;
    if (!takes_forms)
        throw Refusal(415, "unsupported_media_type", "The body must be JSON.",
                      "Send the header Content-Type: application/json.");
    if (!is_form(request))
        throw Refusal(415, "unsupported_media_type", "The body must be JSON or a form.");
}

std::optional<Principal> admit(Service& service, const http::Request& request,
                               const Endpoint& endpoint) {
    if (endpoint.auth == Auth::none) return std::nullopt;
    const bool bearer = endpoint.auth != Auth::browser && request.has_header("Authorization");
    const auto who = bearer ? std::optional(by_bearer(service, request))
                            : without_bearer(service, request, endpoint);
    if (who) {
        check_role(*who, endpoint.auth);
        return who;
    }
    if (endpoint.auth != Auth::link && endpoint.auth != Auth::view) throw auth_required();
    return std::nullopt;
}

bool is_form(const http::Request& request) {
    return request.is_of_type("application/x-www-form-urlencoded");
}

bool wants_page(const http::Request& request) {
    return request.header("Accept").find("text/html") != std::string_view::npos;
}

}  // namespace oauth3::api
