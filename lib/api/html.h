#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

namespace oauth3::api {

class Html;

namespace detail {
Html markup(std::string_view text);
}

/// A piece of a page. Text becomes one only by being escaped, so nobody's text can turn into
/// markup by accident: markup itself comes from literals in the code (`"<p>"_html`) and from the
/// templates that `fill` takes, which are constants of the program.
class Html {
  public:
    Html() = default;
    /// Other people's text on one line: markup characters are escaped; bidirectional, invisible
    /// and control characters made visible, line feeds among them.
    Html(std::string_view text);
    Html(const std::string& text) : Html(std::string_view(text)) {}
    Html(const char* text) : Html(std::string_view(text)) {}

    /// As above, but line feeds and tabs stay what they are.
    static Html lines(std::string_view text);

    Html& operator+=(const Html& more) {
        markup_ += more.markup_;
        return *this;
    }
    friend Html operator+(Html left, const Html& right) {
        left += right;
        return left;
    }
    bool empty() const { return markup_.empty(); }
    const std::string& markup() const { return markup_; }

  private:
    friend Html detail::markup(std::string_view text);
    std::string markup_;
};

/// Markup that is written in the code.
inline Html operator""_html(const char* literal, std::size_t size) {
    return detail::markup(std::string_view(literal, size));
}

/// The value for one `{{name}}` of a template. A text is escaped.
struct Place {
    std::string_view name;
    Html value;
};

namespace detail {

/// True iff every "{{" of a template begins a `{{name}}`.
constexpr bool is_template(std::string_view text) {
    for (;;) {
        const std::size_t open = text.find("{{");
        if (open == std::string_view::npos) return true;
        const std::size_t close = text.find("}}", open);
        if (close == std::string_view::npos || close == open + 2) return false;
        for (const char c : text.substr(open + 2, close - open - 2))
            if ((c < 'a' || c > 'z') && c != '_') return false;
        text.remove_prefix(close + 2);
    }
}

Html fill(std::string_view text, std::initializer_list<Place> places);

}  // namespace detail

/// Fills the `{{name}}` places of a template, which is a constant: `fill<kLoginHtml>({...})`. Every
/// place needs a value and every value a place; a page that breaks this is a mistake of ours and
/// throws Error "bad_template".
template <const std::string_view& kTemplate>
Html fill(std::initializer_list<Place> places) {
    static_assert(detail::is_template(kTemplate));
    return detail::fill(kTemplate, places);
}

}  // namespace oauth3::api
