#include "api/html.h"

#include "base/crypto.h"
#include "base/utf8.h"
#include "web_files.h"

#include <fmt/format.h>

namespace oauth3::api {
namespace {

constexpr std::string_view kFrame =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"robots\" content=\"noindex\">\n"
    "<title>{{title}}</title>\n<style>{{style}}</style>\n</head>\n<body>\n<main>\n{{body}}\n"
    "</main>\n</body>\n</html>\n";

}  // namespace

std::string html_text(std::string_view text, bool keep_lines) {
    std::string out;
    for (const char c : base::make_visible(text, keep_lines)) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

std::string fill(std::string_view page,
                 std::initializer_list<std::pair<std::string_view, std::string>> values) {
    std::string out;
    for (;;) {
        const std::size_t open = page.find("{{");
        out += page.substr(0, open);
        if (open == std::string_view::npos) return out;
        const std::size_t close = page.find("}}", open);
        const std::string_view name = page.substr(open + 2, close - open - 2);
        for (const auto& [key, value] : values)
            if (key == name) out += value;
        page.remove_prefix(close + 2);
    }
}

http::Response html_response(unsigned status, std::string_view title, std::string_view body) {
    static const std::string policy = fmt::format(
        "default-src 'none'; style-src 'sha256-{}'; form-action 'self'; frame-ancestors 'none'; "
        "base-uri 'none'",
        base::sha256_base64(kStyleCss));
    http::Response out;
    out.status = status;
    out.headers = {{"Content-Type", "text/html; charset=utf-8"},
                   {"Content-Security-Policy", policy},
                   {"X-Frame-Options", "DENY"},
                   {"Referrer-Policy", "same-origin"}};
    out.body = fill(kFrame, {{"title", html_text(title)},
                             {"style", std::string(kStyleCss)},
                             {"body", std::string(body)}});
    return out;
}

}  // namespace oauth3::api
