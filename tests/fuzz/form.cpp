// Forms, queries and percent coding.

#include "http/form.h"

#include "fuzz/fuzz.h"

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

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = fuzz::as_text(data, size);

    const std::string encoded = http::percent_encode(text);
    require(std::all_of(encoded.begin(), encoded.end(), is_unreserved_or_percent),
            "only unreserved characters are left as they are", encoded);
    require(http::percent_decode(encoded) == text, "encode, decode is the identity", encoded);
    if (const auto decoded = http::percent_decode(text)) {
        require(decoded->size() <= text.size(), "decoding does not grow");
        require(http::percent_decode(http::percent_encode(*decoded)) == decoded,
                "decode, encode, decode is decode", text);
    } else {
        require(text.find('%') != std::string_view::npos, "only a '%' can be malformed", text);
    }

    // The text as a query, in which every pair stands for itself.
    http::Request request;
    request.query = text;
    const auto form = http::parse_form(text);
    if (!form) {
        require(text.find('%') != std::string_view::npos, "only a '%' can be malformed", text);
        return 0;
    }
    require(http::parse_form(encode(*form)) == form, "decode, encode, decode is decode", text);
    require(form->size() <= static_cast<std::size_t>(std::count(text.begin(), text.end(), '&')) + 1,
            "no more pairs than were sent", text);
    for (const auto& [name, value] : *form) {
        const auto first = http::form_value(*form, name);
        require(first.has_value(), "what stands in a form is found", name);
        require(request.query_value(name) == first, "a query is read as a form is", name);
    }
    return 0;
}
