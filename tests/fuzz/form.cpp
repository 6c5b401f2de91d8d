// Forms, queries, percent coding and cookies.

#include "http/form.h"

#include "base/error.h"
#include "fuzz/fuzz.h"
#include "http/cookie.h"

#include <algorithm>
#include <string>

using namespace oauth3;
using fuzz::require;

namespace {

bool is_unreserved_or_percent(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-._~%").find(c) != std::string_view::npos;
}

std::string encode(const http::Fields& form) {
    std::string out;
    for (const auto& [name, value] : form) {
        if (!out.empty()) out += '&';
        out += http::percent_encode(name) + "=" + http::percent_encode(value);
    }
    return out;
}

/// Whatever its parts hold, a cookie is one header value with the attributes that it was given, or
/// none at all; and what a browser would send back for it is read as it was set.
void check_cookie(std::string_view name, std::string_view value, std::string_view path) {
    http::Cookie cookie;
    cookie.name = name;
    cookie.value = value;
    cookie.path = path;
    cookie.secure = true;
    std::string header;
    try {
        header = http::render_set_cookie(cookie);
    } catch (const base::Error& error) {
        require(error.code() == "bad_cookie", "a cookie is refused as such", error.what());
        return;
    }
    require(http::is_field_value(header), "a cookie can stand in a header", header);
    const std::string start = cookie.name + "=" + cookie.value;
    require(header.starts_with(start + ";"), "a cookie is its name and value", header);
    require(std::count(header.begin(), header.end(), ';') == 4,
            "a cookie has the attributes that it was given: path, HttpOnly, Secure, SameSite",
            header);
    http::Request request;
    request.fields = {{"Cookie", "other=1; " + start + "; last=2"}};
    require(http::cookie_value(request, cookie.name) == (cookie.name == "other" ? "1" : value),
            "a cookie comes back as it was set", header);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = fuzz::as_text(data, size);

    const std::string encoded = http::percent_encode(text);
    require(std::all_of(encoded.begin(), encoded.end(), is_unreserved_or_percent),
            "only unreserved characters are left as they are", encoded);
    require(http::percent_decode(encoded) == text, "encode, decode is the identity", encoded);
    if (const auto decoded = http::percent_decode(text)) {
        require(decoded->size() <= text.size(), "decoding does not grow");
        require(text.find('%') != std::string_view::npos || decoded == text,
                "without a '%' nothing is decoded", text);
        require(http::percent_decode(http::percent_encode(*decoded)) == decoded,
                "decode, encode, decode is decode", text);
    } else {
        require(text.find('%') != std::string_view::npos, "only a '%' can be malformed", text);
    }

    const std::size_t first_line = std::min(text.find('\n'), text.size());
    const std::string_view others = text.substr(std::min(first_line + 1, text.size()));
    const std::size_t second_line = std::min(others.find('\n'), others.size());
    check_cookie(text.substr(0, first_line), others.substr(0, second_line),
                 others.substr(std::min(second_line + 1, others.size())));
    http::Request with_cookies;
    with_cookies.fields = {{"Cookie", std::string(text)}};
    if (const auto value = http::cookie_value(with_cookies, "a"))
        require(text.find('a') < text.find_last_of('=') && value->find(';') == value->npos,
                "a cookie that was not sent is not found", text);

    // The text as a query, in which every pair stands for itself.
    http::Request request;
    request.query = text;
    const auto form = http::parse_form(text);
    if (!form) {
        require(text.find('%') != std::string_view::npos, "only a '%' can be malformed", text);
        return 0;
    }
    require(http::parse_form(encode(*form)) == form, "decode, encode, decode is decode", text);
    std::string spelled;
    for (const char c : text) spelled += c == '+' ? std::string("%20") : std::string(1, c);
    require(http::parse_form(spelled) == form, "'+' is a blank and nothing else", text);
    require(form->size() <= static_cast<std::size_t>(std::count(text.begin(), text.end(), '&')) + 1,
            "no more pairs than were sent", text);
    for (const auto& [name, value] : *form) {
        const auto first = http::form_value(*form, name);
        require(first.has_value(), "what stands in a form is found", name);
        require(request.query_value(name) == first, "a query is read as a form is", name);
    }
    return 0;
}
