#include "api/html.h"

#include "base/error.h"
#include "base/utf8.h"

#include <algorithm>

namespace oauth3::api {
namespace {

/// True for what stands on a page as it is; most text is nothing else.
bool is_plain(char c) {
    return c >= ' ' && c <= '~' && c != '&' && c != '<' && c != '>' && c != '"' && c != '\'';
}

std::string escaped(std::string_view text, bool keep_lines) {
    if (std::all_of(text.begin(), text.end(), is_plain)) return std::string(text);
    std::string out;
    out.reserve(text.size() + text.size() / 8);
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

}  // namespace

namespace detail {

Html markup(std::string_view text) {
    Html out;
    out.markup_ = text;
    return out;
}

Html fill(std::string_view text, std::initializer_list<Place> places) {
    std::string out;
    std::size_t used = 0;
    for (const Place& place : places)
        if (text.find("{{" + std::string(place.name) + "}}") != std::string_view::npos) ++used;
    if (used != places.size())
        throw base::Error("bad_template", "a page is given a value that it has no place for");
    for (;;) {
        const std::size_t open = text.find("{{");
        out += text.substr(0, open);
        if (open == std::string_view::npos) return markup(out);
        const std::size_t close = text.find("}}", open);
        const std::string_view name = text.substr(open + 2, close - open - 2);
        const auto place = std::find_if(places.begin(), places.end(),
                                        [&](const Place& p) { return p.name == name; });
        if (place == places.end())
            throw base::Error("bad_template",
                              "a page lacks the value for \"" + std::string(name) + "\"");
        out += place->value.markup();
        text.remove_prefix(close + 2);
    }
}

}  // namespace detail

Html::Html(std::string_view text) : markup_(escaped(text, false)) {}

Html Html::lines(std::string_view text) {
    return detail::markup(escaped(text, true));
}

}  // namespace oauth3::api
