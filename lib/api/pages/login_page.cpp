// Logging in and out (wire 2.4).

#include "api/admission.h"
#include "api/body.h"
#include "api/pages/frame.h"
#include "api/pages/next.h"
#include "api/pages/routes.h"
#include "api/refusal.h"
#include "base/crypto.h"
#include "http/cookie.h"
#include "http/form.h"
#include "web_files.h"

namespace oauth3::api::pages {
namespace {

constexpr std::string_view kProblem = R"(<p class="problem" role="alert">{{text}}</p>)";

/// How long a log-in form may stay open.
constexpr base::Seconds kFormLife{3600};

/// What a log-in form sends.
struct Attempt {
    std::string key;
    std::string once;
    std::string csrf;
    std::optional<std::string> next;
};

Attempt read(const http::Request& request) {
    if (!is_form(request)) {
        const Body body(request);
        return {body.text("key").value_or(""), body.text("once").value_or(""),
                body.text("csrf").value_or(""), body.text("next")};
    }
    const auto form = read_form(request);
    const auto text = [&form](std::string_view name) {
        return std::string(http::form_value(form, name).value_or(""));
    };
    return {text("key"), text("once"), text("csrf"), text("next")};
}

bool over_https(const Service& service) {
    return service.config().base_url.starts_with("https:");
}

/// The cookie that a log-in form must come back with, so that no other site can log a browser in
/// as somebody else. It says nothing about anybody.
std::string_view form_cookie_name(const Service& service) {
    return over_https(service) ? "__Host-oauth3_login" : "oauth3_login";
}

/// The page with the form, for a link if `once` is given, else for a key.
http::Response form(Service& service, const http::Request& request, unsigned status,
                    const std::string& next, const std::string& once, std::string_view problem) {
    // A form in another tab stays good: the value is kept while the browser has one of ours.
    const auto known = http::cookie_value(request, form_cookie_name(service));
    const bool keep = known && known->size() == 43 &&
                      known->find_first_not_of(
                          "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                          "0123456789-_") == std::string_view::npos;
    const std::string csrf =
        keep ? std::string(*known) : base::to_base64url(base::random_bytes(32));
    Html fields = hidden("csrf", csrf) + hidden("next", next);
    const std::string action = service.local_path("/login");
    Html body;
    if (once.empty())
        body = fill<kLoginHtml>(
            {{"action", action},
             {"hidden", std::move(fields)},
             {"problem", problem.empty() ? Html() : fill<kProblem>({{"text", problem}})}});
    else
        body = fill<kLoginLinkHtml>(
            {{"action", action}, {"hidden", std::move(fields) + hidden("once", once)}});
    http::Response out = page(service, {.title = "Log in", .status = status}, body);
    http::Cookie cookie;
    cookie.name = form_cookie_name(service);
    cookie.value = csrf;
    cookie.secure = over_https(service);
    cookie.max_age = kFormLife;
    out.headers.emplace_back("Set-Cookie", http::render_set_cookie(cookie));
    return out;
}

http::Reply show_form(Service& service, const http::Request& request) {
    const std::string next = safe_next(request.query_value("next"));
    const std::string once = request.query_value("once").value_or("");
    if (once.empty() || service.logins().is_open(once))
        return form(service, request, 200, next, once, "");
    return form(service, request, 200, next, "",
                "This link was used already, or is older than ten minutes.");
}

http::Reply refuse(Service& service, const http::Request& request, unsigned status,
                   const std::string& code, const std::string& problem, const std::string& next) {
    if (wants_json(request)) throw Refusal(status, code, problem);
    return form(service, request, status, next, "", problem);
}

/// To where a log-in leads. A prefix of the base URL stands in it once, whether the browser's path
/// came through the proxy with it or without.
http::Response redirect(const Service& service, std::string_view next) {
    const std::string prefix = service.local_path("");
    if (!prefix.empty() && next.starts_with(prefix + "/")) next.remove_prefix(prefix.size());
    return {303, {{"Location", service.local_path(safe_next(std::string(next)))}}, {}, false};
}

http::Reply log_in(Service& service, const http::Request& request) {
    const Attempt attempt = read(request);
    const std::string next = safe_next(attempt.next);
    const auto cookie = http::cookie_value(request, form_cookie_name(service));
    if (!cookie || cookie->empty() || !base::equal_constant_time(*cookie, attempt.csrf))
        return refuse(service, request, 403, "csrf_failed",
                      "This form is no longer good; log in with this one. The browser must "
                      "accept cookies.",
                      next);
    const bool by_link = !attempt.once.empty();
    const auto login =
        by_link ? service.logins().by_link(attempt.once) : service.logins().by_key(attempt.key);
    const auto old = http::cookie_value(request, service.cookie_name());
    if (!login) {
        // The second click on "Continue": the first one has logged this browser in.
        if (by_link && old && service.logins().authenticate(*old)) return redirect(service, next);
        service.count_failed_login(request);
        return refuse(service, request, 401, "invalid_login",
                      by_link ? "This link was used already, or is older than ten minutes."
                              : "That is no owner's key of this server.",
                      next);
    }
    if (old && !old->empty()) service.logins().end(*old);
    http::Response out = redirect(service, next);
    out.headers.emplace_back("Set-Cookie", service.set_cookie(*login));
    return out;
}

http::Reply log_out(Service& service, const http::Request& request) {
    if (const auto cookie = http::cookie_value(request, service.cookie_name()))
        service.logins().end(*cookie);
    return http::Response{
        303,
        {{"Location", service.local_path("/login")}, {"Set-Cookie", service.clear_cookie()}},
        {},
        false};
}

}  // namespace

void add_login_pages(Service& service, std::vector<Endpoint>& table) {
    table.push_back({"GET", "/login", Auth::none,
                     [&service](const auto& r, auto) { return show_form(service, r); }, false,
                     true});
    table.push_back({"POST", "/login", Auth::none,
                     [&service](const auto& r, auto) { return log_in(service, r); }, true, true});
    table.push_back({"POST", "/logout", Auth::browser,
                     [&service](const auto& r, auto) { return log_out(service, r); }, true, true});
}

}  // namespace oauth3::api::pages
