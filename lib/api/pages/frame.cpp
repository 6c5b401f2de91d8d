#include "api/pages/frame.h"

#include "api/refusal.h"
#include "api/routes.h"
#include "base/crypto.h"
#include "base/utf8.h"
#include "http/form.h"
#include "web_files.h"

#include <fmt/format.h>

#include <algorithm>

namespace oauth3::api {
namespace pages {
namespace {

constexpr std::string_view kHidden = R"(<input type="hidden" name="{{name}}" value="{{value}}">)";
constexpr std::string_view kBrand = R"(<span class="brand">oauth3</span>)";
constexpr std::string_view kHint = R"(<p class="help">{{text}}</p>)";
constexpr std::string_view kLink = R"(<a class="button" href="{{path}}">{{text}}</a>)";

}  // namespace

Html hidden(std::string_view name, std::string_view value) {
    return fill<kHidden>({{"name", name}, {"value", value}});
}

http::Response page(Service& service, const Frame& frame, const Html& body) {
    static const std::string policy = fmt::format(
        "default-src 'none'; style-src 'sha256-{}'; form-action 'self'; frame-ancestors 'none'; "
        "base-uri 'none'",
        base::sha256_base64(kStyleCss));
    http::Response out;
    out.status = frame.status;
    out.headers = {{"Content-Type", "text/html; charset=utf-8"},
                   {"Content-Security-Policy", policy},
                   {"X-Frame-Options", "DENY"},
                   {"Referrer-Policy", "same-origin"}};
    if (!frame.then.empty()) out.headers.emplace_back("Refresh", "3; url=" + frame.then);
    const Html nav = has_forms(frame.who)
                         ? fill<kNavHtml>({{"home", service.local_path("/dashboard")},
                                           {"logout", service.local_path("/logout")},
                                           {"csrf", hidden("csrf", frame.who->csrf)}})
                         : fill<kBrand>({});
    out.body = fill<kFrameHtml>(
                   {{"title", frame.title + " · oauth3"},
                    {"style", fill<kStyleCss>({})},
                    {"banner", service.config().approval_by_link ? fill<kBannerHtml>({}) : Html()},
                    {"nav", nav},
                    {"body", body}})
                   .markup();
    return out;
}

http::Fields read_form(const http::Request& request) {
    auto form = http::parse_form(request.body);
    if (!form || !std::all_of(form->begin(), form->end(), [](const auto& field) {
            return base::is_valid_utf8(field.first) && base::is_valid_utf8(field.second);
        }))
        throw Refusal(400, "bad_request", "The form cannot be read.");
    return std::move(*form);
}

bool wants_json(const http::Request& request) {
    const std::string_view accept = request.header("Accept");
    return accept.find("application/json") != std::string_view::npos &&
           accept.find("text/html") == std::string_view::npos;
}

}  // namespace pages

http::Response error_page(Service& service, const Refusal& refusal) {
    using namespace pages;
    std::string title = "That did not work";
    if (refusal.status() == 404) title = "Nothing here";
    if (refusal.status() == 401) title = "Log in first";
    if (refusal.status() == 403) title = "Not allowed";
    if (refusal.status() == 429) title = "Too many attempts";
    Html hint = refusal.hint().empty() ? Html() : fill<kHint>({{"text", refusal.hint()}});
    const bool to_login = refusal.status() == 401;
    // Everything the refusal carries beside its page: Retry-After and the like.
    http::Response plain = refusal_response(refusal);
    http::Response out = page(
        service, {.title = title, .status = refusal.status()},
        fill<kMessageHtml>(
            {{"title", title},
             {"text", refusal.what()},
             {"hint", std::move(hint)},
             {"link", fill<kLink>({{"path", service.local_path(to_login ? "/login" : "/dashboard")},
                                   {"text", to_login ? "Log in" : "To the dashboard"}})}}));
    for (auto& [name, value] : plain.headers)
        if (!http::equal_ignoring_case(name, "Content-Type"))
            out.headers.emplace_back(name, std::move(value));
    return out;
}

}  // namespace oauth3::api
