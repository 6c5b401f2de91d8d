#include "api/service.h"

#include "api/refusal.h"
#include "api/routes.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/network.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace oauth3::api {
namespace {

using orchestrator::Principal;

/// The major version of the wire's client libraries that this server speaks.
constexpr unsigned kSdkMajor = 0;

/// "http://host:port/..." without what follows the host and port.
std::string origin_of(const std::string& url) {
    const std::size_t host = url.find("://") + 3;
    return url.substr(0, url.find('/', host));
}

/// The host of a Host header or URL authority, without its port; nullopt if it is malformed.
std::optional<std::string> host_without_port(std::string_view authority) {
    const std::size_t after_bracket = authority.starts_with("[") ? authority.find(']') : 0;
    if (after_bracket == std::string_view::npos) return std::nullopt;
    return base::canonical_host(authority.substr(0, authority.find(':', after_bracket)));
}

bool is_address(const std::string& host) {
    return host.front() == '[' || (host.back() >= '0' && host.back() <= '9');
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

/// Names resolve to whatever an attacker's DNS says, addresses do not: only names are checked
/// (wire 1.1, against DNS rebinding).
void check_host(const http::Request& request, const std::string& base_host) {
    const std::string_view header = request.header("Host");
    if (header.empty()) return;
    const auto host = host_without_port(header);
    if (host && (is_address(*host) || *host == "localhost" || *host == base_host)) return;
    throw Refusal(421, "host_not_allowed", "This server does not answer under that host name.");
}

/// Only another major version of the client library is refused, and never while it polls: a
/// human may have approved already (wire 1.3).
void check_sdk_version(const http::Request& request) {
    const std::string_view version = request.header("X-OAuth3-SDK-Version");
    const std::size_t dot = version.find('.');
    unsigned major = 0;
    const auto [end, error] =
        std::from_chars(version.data(), version.data() + version.size(), major);
    const bool is_version = dot != std::string_view::npos && error == std::errc() &&
                            end == version.data() + dot &&
                            version.find_first_not_of("0123456789.") == std::string_view::npos;
    if (!is_version || major == kSdkMajor) return;
    if (request.method == "GET" && request.path.ends_with("/status")) return;
    throw Refusal(
        426, "sdk_version_mismatch", "This server speaks version 0 of the client library.",
        "Install a client library of version 0.x.", {{"required", "0.x"}, {"got", version}});
}

Principal authenticated(const http::Request& request, orchestrator::Access& access) {
    const auto key = bearer_of(request);
    if (!key)
        throw Refusal(401, "auth_required", "This call needs a key.",
                      "Send the header Authorization: Bearer <key>.");
    auto who = access.authenticate(*key);
    if (!who) throw Refusal(401, "invalid_key", "The key is unknown or was revoked.");
    return *who;
}

/// Who calls, if the route wants to know; refuses callers of the wrong kind.
std::optional<Principal> admit(const http::Request& request, Auth auth,
                               orchestrator::Access& access) {
    if (auth == Auth::none) return std::nullopt;
    if (auth == Auth::link && !request.has_header("Authorization")) return std::nullopt;
    Principal who = authenticated(request, access);
    if (auth == Auth::agent && !who.is_agent())
        throw Refusal(403, "agent_required", "An owner's key cannot do this; use an agent's key.");
    if ((auth == Auth::owner || auth == Auth::link) && who.is_agent())
        throw Refusal(403, "owner_required", "Only the human who owns this agent can do this.");
    return who;
}

void add_common_headers(http::Response& response) {
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    response.headers.emplace_back("Cache-Control", "no-store");
}

void add_common_headers(http::Reply& reply) {
    if (auto* response = std::get_if<http::Response>(&reply)) {
        add_common_headers(*response);
        return;
    }
    auto& hold = std::get<http::Hold>(reply);
    hold.attempt = [inner = std::move(hold.attempt)](bool last) {
        auto response = inner(last);
        if (response) add_common_headers(*response);
        return response;
    };
}

}  // namespace

Service::Service(orchestrator::Orchestrator& orchestrator, orchestrator::Access& access,
                 const base::Clock& clock, Config config)
    : orchestrator_(orchestrator), access_(access), clock_(clock), config_(std::move(config)) {
    base_origin_ = origin_of(config_.base_url);
    base_host_ = host_without_port(base_origin_.substr(base_origin_.find("://") + 3)).value_or("");
    add_skill_routes(*this, endpoints_);
    add_owner_routes(*this, endpoints_);
    add_page_routes(*this, endpoints_);
    for (const Endpoint& endpoint : endpoints_)
        router_.add({endpoint.method, endpoint.pattern, [this, &endpoint](const http::Request& r) {
                         const auto who = admit(r, endpoint.auth, access_);
                         return endpoint.handler(r, who ? &*who : nullptr);
                     }});
}

http::Reply Service::handle(http::Request& request) {
    http::Reply reply;
    try {
        reply = dispatch(request);
    } catch (const Refusal& refusal) {
        reply = refusal_response(refusal);
    } catch (const std::exception& e) {
        const std::string incident = base::make_id("inc_");
        base::log_error("{}: {} {}: {}", incident, request.method, request.path, e.what());
        reply = refusal_response(
            {500, "internal", "The server could not do this.", {}, {{"incident", incident}}});
    }
    add_common_headers(reply);
    return reply;
}

http::Reply Service::dispatch(http::Request& request) {
    check_host(request, base_host_);
    check_origin(request);
    if (request.method == "OPTIONS") return http::Response{204, {}, {}, false};
    check_sdk_version(request);
    http::Match match = router_.match(request.method, request.path);
    switch (match.kind) {
        case http::Match::Kind::not_found:
            throw not_found();
        case http::Match::Kind::method_not_allowed: {
            http::Response out = refusal_response(
                {405, "method_not_allowed", "This route does not know that method."});
            out.headers.emplace_back("Allow", fmt::format("{}", fmt::join(match.allowed, ", ")));
            return out;
        }
        case http::Match::Kind::matched:
            break;
    }
    request.params = std::move(match.params);
    return match.route->handler(request);
}

/// A page of another site must not be able to make a browser act here.
void Service::check_origin(const http::Request& request) const {
    if (request.method == "GET" || request.method == "HEAD" || request.method == "OPTIONS") return;
    const std::string_view origin = request.header("Origin");
    if (origin.empty() || origin == base_origin_) return;
    throw Refusal(403, "origin_not_allowed", "Calls from that web site are not allowed.");
}

http::Response Service::failure(http::Failure failure, const http::Request&) {
    http::Response out;
    switch (failure) {
        case http::Failure::malformed:
            out = refusal_response({400, "bad_request", "The request is not valid HTTP."});
            break;
        case http::Failure::header_too_large:
            out = refusal_response({431, "bad_request", "The request's headers are too large."});
            break;
        case http::Failure::body_too_large:
            out = refusal_response({413, "body_too_large", "The body is larger than 1 MiB."});
            break;
        case http::Failure::timeout:
            out = refusal_response({408, "bad_request", "The request came too slowly."});
            break;
        case http::Failure::internal:
            out = refusal_response({500, "internal", "The server could not do this."});
            break;
        case http::Failure::shutting_down:
            out = refusal_response({503, "shutting_down", "The server is stopping; try again."});
            break;
    }
    add_common_headers(out);
    return out;
}

std::string Service::status_url(std::string_view id) const {
    return fmt::format("{}/execute/{}/status?wait=true", config_.base_url, id);
}

std::string Service::approval_url(std::string_view id) const {
    return fmt::format("{}/approve/{}?token={}", config_.base_url, id, access_.approval_token(id));
}

}  // namespace oauth3::api
