#include "api/service.h"

#include "api/admission.h"
#include "api/refusal.h"
#include "api/routes.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/utf8.h"
#include "http/cookie.h"
#include "http/form.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace oauth3::api {
namespace {

constexpr std::size_t kSignupsPerMinute = 60;
constexpr std::size_t kFailedLoginsPerMinute = 5;
/// From all addresses together: nobody may fill the ledger with failed log-ins.
constexpr std::size_t kRecordedFailuresPerMinute = 60;
constexpr base::Seconds kMinute{60};
constexpr std::size_t kManyAddresses = 10'000;
constexpr std::size_t kManyTenants = 10'000;

constexpr std::string_view kSdkVersion = "X-OAuth3-SDK-Version";

constexpr std::string_view kCorsMethods = "GET, POST, DELETE, OPTIONS";
constexpr std::string_view kCorsHeaders =
    "Content-Type, Authorization, X-OAuth3-SDK-Version, Idempotency-Key";

/// `cors_origin` is empty for callers that are no allowed web site.
void add_common_headers(http::Response& response, const std::string& cors_origin) {
    api::add_common_headers(response);
    if (cors_origin.empty()) return;
    response.headers.emplace_back("Access-Control-Allow-Origin", cors_origin);
    response.headers.emplace_back("Vary", "Origin");
}

void add_common_headers(http::Reply& reply, const std::string& cors_origin) {
    if (auto* response = std::get_if<http::Response>(&reply)) {
        add_common_headers(*response, cors_origin);
        return;
    }
    auto& hold = std::get<http::Hold>(reply);
    hold.attempt = [inner = std::move(hold.attempt), cors_origin](bool last) {
        auto response = inner(last);
        if (response) add_common_headers(*response, cors_origin);
        return response;
    };
}

http::Response preflight(bool is_cors) {
    http::Response out{204, {}, {}, false};
    if (!is_cors) return out;
    out.headers = {{"Access-Control-Allow-Methods", std::string(kCorsMethods)},
                   {"Access-Control-Allow-Headers", std::string(kCorsHeaders)},
                   {"Access-Control-Max-Age", "86400"}};
    return out;
}

/// The last address in X-Forwarded-For is the one that the proxy itself has seen.
std::string_view last_forwarded(const http::Request& request) {
    const auto values = request.headers("X-Forwarded-For");
    if (values.empty()) return {};
    const std::string_view last = values.back();
    return http::trim(last.substr(last.rfind(',') + 1));
}

Refusal internal(const std::string& incident) {
    return {500, "internal", "The server could not do this.", {}, {{"incident", incident}}};
}

Refusal rate_limited(base::Seconds retry_after, const char* sentence) {
    return {429, "rate_limited", sentence, {}, {{"retry_after", retry_after.count()}}};
}

}  // namespace

std::string_view to_string(Auth auth) {
    switch (auth) {
        case Auth::none:
            return "none";
        case Auth::agent:
            return "agent";
        case Auth::owner:
            return "owner";
        case Auth::admin:
            return "admin";
        case Auth::agent_or_owner:
            return "agent_or_owner";
        case Auth::link:
            return "link";
        case Auth::view:
            return "view";
        case Auth::browser:
            return "browser";
    }
    return "?";
}

std::string_view to_string(Signup signup) {
    switch (signup) {
        case Signup::open:
            return "open";
        case Signup::invite:
            return "invite";
        case Signup::closed:
            return "closed";
    }
    return "?";
}

Service::Service(const Parts& parts, Config config)
    : parts_(parts),
      config_(std::move(config)),
      signups_(kSignupsPerMinute, kMinute, kManyAddresses),
      submissions_(config_.max_submissions, kMinute, kManyTenants),
      told_versions_(1, kMinute, 1),
      failed_logins_(kFailedLoginsPerMinute, kMinute, kManyAddresses),
      recorded_failures_(kRecordedFailuresPerMinute, kMinute, 1) {
    base_origin_ = origin_of(config_.base_url);
    base_path_ = config_.base_url.substr(base_origin_.size());
    base_host_ = host_without_port(base_origin_.substr(base_origin_.find("://") + 3)).value_or("");
    add_skill_routes(*this, endpoints_);
    add_account_routes(*this, endpoints_);
    add_owner_routes(*this, endpoints_);
    add_trust_routes(*this, endpoints_);
    add_session_routes(*this, endpoints_);
    add_history_routes(*this, endpoints_);
    add_audit_routes(*this, endpoints_);
    add_guide_routes(*this, endpoints_);
    add_page_routes(*this, endpoints_);
    for (const Endpoint& endpoint : endpoints_)
        router_.add({endpoint.method, endpoint.pattern,
                     [this, &endpoint](const http::Request& r) { return call(endpoint, r); }});
}

http::Reply Service::handle(http::Request& request) {
    const std::string_view origin = request.header("Origin");
    const bool is_cors = std::find(config_.cors_origins.begin(), config_.cors_origins.end(),
                                   origin) != config_.cors_origins.end();
    http::Reply reply;
    try {
        if (request.method == "OPTIONS") {
            check_caller_host(request);
            reply = preflight(is_cors);
        } else {
            reply = dispatch(request);
        }
    } catch (const Refusal& refusal) {
        reply = refusal_response(refusal);
    } catch (const std::exception& e) {
        reply = refusal_response(internal(log_incident(request, e.what())));
    }
    add_common_headers(reply, is_cors ? std::string(origin) : std::string());
    return reply;
}

/// The id by which whoever reads the log finds what a caller is not told.
std::string Service::log_incident(const http::Request& request, std::string_view problem) const {
    std::string incident = base::make_id("inc_");
    base::log_error("{}: {} {}: {}", incident, request.method, request.path, problem);
    return incident;
}

/// Making a host name canonical is work, and clients send the same one again and again.
void Service::check_caller_host(const http::Request& request) {
    const std::string_view host = request.header("Host");
    if (!host.empty() && host == passed_host_) return;
    check_host(request, base_host_, config_.allow_hosts);
    passed_host_ = host;
}

void Service::check_caller_version(const http::Request& request) {
    switch (check_sdk_version(request)) {
        case SdkVersion::known:
            break;
        case SdkVersion::absent:  // as of everything but the library
            base::log_debug("a client without {}", kSdkVersion);
            break;
        case SdkVersion::odd:
            // Whoever sends one sends it with every call.
            if (told_versions_.allow("", clock().now()))
                base::log_warning("a client's library has the version \"{}\", not 0.2 or 0.3",
                                  base::cut_utf8(request.header(kSdkVersion), 32));
            break;
    }
}

http::Reply Service::dispatch(http::Request& request) {
    check_caller_host(request);
    check_origin(request, base_origin_, config_.cors_origins);
    check_caller_version(request);
    // A proxy in front may keep the prefix of the base URL or drop it.
    std::string_view path = request.path;
    if (!base_path_.empty() && path.starts_with(base_path_ + "/"))
        path.remove_prefix(base_path_.size());
    http::Match match = router_.match(request.method, path);
    switch (match.kind) {
        case http::Match::Kind::not_found:
            throw Refusal(404, "not_found", "There is nothing here.",
                          "GET / tells which calls there are.");
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

http::Reply Service::call(const Endpoint& endpoint, const http::Request& request) {
    try {
        check_media_type(request, endpoint.takes_forms);
        const auto who = admit(*this, request, endpoint);
        if (who && who->is_agent() && config_.agent_seen) config_.agent_seen(request);
        try {
            return endpoint.handler(request, who ? &*who : nullptr);
        } catch (const base::Malformed& problem) {
            throw refusal_of(problem);
        }
    } catch (const Refusal& refusal) {
        const bool to_login = endpoint.auth == Auth::browser && refusal.code() == "auth_required" &&
                              request.method == "GET";
        if (to_login) {
            std::string next = request.path;
            if (!request.query.empty()) next += "?" + request.query;
            return http::Response{
                303,
                {{"Location", config_.base_url + "/login?next=" + http::percent_encode(next)}},
                {},
                false};
        }
        if (endpoint.is_page && wants_page(request)) return error_page(*this, refusal);
        throw;
    }
}

http::Response Service::failure(http::Failure failure, const http::Request& request) {
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
            // What went wrong stands in the line before.
            out = refusal_response(internal(log_incident(request, "failed in the end")));
            break;
        case http::Failure::shutting_down:
            out = refusal_response({503, "shutting_down", "The server is stopping; try again."});
            break;
        case http::Failure::overloaded:
            out = refusal_response(
                rate_limited(base::Seconds(1), "Too many large requests are under way."));
            break;
    }
    add_common_headers(out, {});
    return out;
}

std::string Service::status_url(std::string_view id) const {
    return fmt::format("{}/execute/{}/status?wait=true", config_.base_url, id);
}

std::string Service::approval_url(std::string_view id) const {
    return fmt::format("{}/approve/{}?token={}", config_.base_url, id,
                       parts_.access.approval_token(id));
}

std::string_view Service::cookie_name() const {
    // Over https the prefix makes browsers refuse the cookie from any other host or path.
    return config_.base_url.starts_with("https:") ? "__Host-oauth3_session" : "oauth3_session";
}

std::string Service::set_cookie(const orchestrator::Login& login) const {
    http::Cookie cookie;
    cookie.name = cookie_name();
    cookie.value = login.cookie.reveal();
    cookie.secure = config_.base_url.starts_with("https:");
    cookie.max_age = orchestrator::kLoginLife;
    return http::render_set_cookie(cookie);
}

std::string Service::clear_cookie() const {
    http::Cookie cookie;
    cookie.name = cookie_name();
    cookie.secure = config_.base_url.starts_with("https:");
    cookie.max_age = base::Seconds(0);
    return http::render_set_cookie(cookie);
}

std::string Service::client_key(const http::Request& request) const {
    const std::string_view forwarded = config_.behind_proxy ? last_forwarded(request) : "";
    return http::rate_key(forwarded.empty() ? request.remote_address : forwarded);
}

void Service::limit_signups(const http::Request& request) {
    const std::string key = client_key(request);
    const base::Time now = clock().now();
    if (!signups_.allow(key, now))
        throw rate_limited(signups_.retry_after(key, now),
                           "Too many agents sign up from this address.");
}

void Service::limit_submissions(const Principal& agent) {
    const base::Time now = clock().now();
    if (!submissions_.allow(agent.tenant_id, now))
        throw rate_limited(submissions_.retry_after(agent.tenant_id, now),
                           "This agent submits too often.");
}

void Service::count_failed_login(const http::Request& request) {
    const std::string key = client_key(request);
    const base::Time now = clock().now();
    if (!failed_logins_.allow(key, now))
        throw rate_limited(failed_logins_.retry_after(key, now),
                           "Too many failed log-ins from this address.");
    if (recorded_failures_.allow("", now)) logins().record_failure(key);
}

void Service::purge() {
    logins().purge();
}

}  // namespace oauth3::api
