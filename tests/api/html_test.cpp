// Nobody's text becomes markup, and templates are filled completely or not at all.
#include "api/html.h"

#include "base/error.h"
#include "base/utf8.h"
#include "support/catch.h"
#include "support/property.h"

#include <string>
#include <type_traits>

using namespace oauth3;
using api::Html;
using api::operator""_html;

namespace {

constexpr std::string_view kPlain = "<p title=\"{{a}}\">{{b}}</p>";
constexpr std::string_view kTwice = "{{a}}{{a}}";
constexpr std::string_view kNone = "<b>{ not a place }} {</b>";

/// Text with everything in it that could matter to a browser.
std::string any_text() {
    static const std::string kParts[] = {"<",
                                         ">",
                                         "&",
                                         "\"",
                                         "'",
                                         "{{a}}",
                                         "</style>",
                                         "<!--",
                                         "\xE2\x80\xAE",
                                         "\xFF",
                                         "\n",
                                         "\t",
                                         std::string(1, '\0'),
                                         "&lt;",
                                         "é"};
    std::string out;
    const auto count = *rc::gen::inRange(0, 12);
    for (int i = 0; i < count; ++i) {
        const auto pick = *rc::gen::inRange<std::size_t>(0, std::size(kParts) * 2);
        out += pick < std::size(kParts) ? kParts[pick] : *rc::gen::arbitrary<std::string>();
    }
    return out;
}

/// What a browser makes of escaped text.
std::string unescaped(std::string text) {
    const std::pair<std::string, std::string> kNames[] = {
        {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&#39;", "'"}, {"&amp;", "&"}};
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        bool found = false;
        for (const auto& [name, character] : kNames) {
            if (text.compare(i, name.size(), name) != 0) continue;
            out += character;
            i += name.size();
            found = true;
            break;
        }
        if (!found) out += text[i++];
    }
    return out;
}

}  // namespace

TEST_CASE("text on a page is escaped, visible and otherwise itself") {
    CHECK(rc::check([](bool keep_lines) {
        const std::string text = any_text();
        const std::string markup = keep_lines ? Html::lines(text).markup() : Html(text).markup();
        for (const char c : {'<', '>', '"', '\'', '\0', '\r'})
            RC_ASSERT(markup.find(c) == std::string::npos);
        for (const char c : {'\n', '\t'})
            RC_ASSERT(keep_lines || markup.find(c) == std::string::npos);
        RC_ASSERT(markup.find("\xE2\x80\xAE") == std::string::npos);
        RC_ASSERT(base::is_valid_utf8(markup));
        RC_ASSERT(unescaped(markup) == base::make_visible(text, keep_lines));
    }));
}

TEST_CASE("a value cannot be taken for a place of the template") {
    CHECK(rc::check([] {
        const std::string text = any_text();
        const std::string want = Html(text).markup();
        const std::string got = api::fill<kPlain>({{"a", text}, {"b", text}}).markup();
        RC_ASSERT(got == "<p title=\"" + want + "\">" + want + "</p>");
    }));
    CHECK(api::fill<kPlain>({{"a", "{{b}}"}, {"b", "{{a}}"}}).markup() ==
          "<p title=\"{{b}}\">{{a}}</p>");
}

TEST_CASE("a template is filled with exactly its places") {
    CHECK(api::fill<kTwice>({{"a", "x"}}).markup() == "xx");
    CHECK(api::fill<kNone>({}).markup() == kNone);
    CHECK_THROWS_AS(api::fill<kPlain>({{"a", "x"}}), base::Error);
    CHECK_THROWS_AS(api::fill<kPlain>({{"a", "x"}, {"b", "x"}, {"c", "x"}}), base::Error);
    CHECK_THROWS_AS(api::fill<kNone>({{"a", "x"}}), base::Error);
    STATIC_REQUIRE(api::detail::is_template(kPlain));
    STATIC_REQUIRE_FALSE(api::detail::is_template("{{}}"));
    STATIC_REQUIRE_FALSE(api::detail::is_template("{{a"));
    STATIC_REQUIRE_FALSE(api::detail::is_template("{{A}}"));
    STATIC_REQUIRE_FALSE(api::detail::is_template("{{ a }}"));
}

TEST_CASE("markup comes from literals and from what was escaped before") {
    Html out = "<b>"_html;
    out += Html("<i>") + "</b>"_html;
    CHECK(out.markup() == "<b>&lt;i&gt;</b>");
    CHECK_FALSE(std::is_constructible_v<Html, int>);
}
