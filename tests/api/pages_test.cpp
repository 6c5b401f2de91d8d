// The small parts of pages, and where a log-in may lead.
#include "api/pages/next.h"
#include "api/pages/parts.h"
#include "support/catch.h"
#include "support/property.h"

#include <string>

using namespace oauth3;
using namespace oauth3::api::pages;

namespace {

bool holds(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t out = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++out;
    return out;
}

/// The host that a browser goes to for a Location on http://here/: the URL standard drops tabs and
/// line ends, takes backslashes for slashes and "//" for the start of a host.
std::string host_of(const std::string& location) {
    std::string seen;
    for (const char c : location)
        if (c != '\t' && c != '\n' && c != '\r') seen += c == '\\' ? '/' : c;
    if (!seen.starts_with("//")) return seen.starts_with("/") ? "here" : "elsewhere";
    return "elsewhere";
}

}  // namespace

TEST_CASE("a log-in leads to a path of this server, whatever it is given") {
    CHECK(safe_next(std::nullopt) == "/dashboard");
    for (const char* good : {"/", "/dashboard", "/approve/exec_1?token=a%20b#c", "/a//b", "/a\\b"})
        CHECK(safe_next(good) == good);
    for (const char* bad :
         {"", "dashboard", "//evil.example", "/\\evil.example", "\\/evil.example", "\\\\evil",
          "https://evil.example", "javascript:alert(1)", "/\t/evil.example", "/\n/evil.example",
          "/\r\nSet-Cookie: a=b", " /dashboard", "/a b", "/\x7F", "/\xC3\xA9", "?next=/", "#"})
        CHECK(safe_next(bad) == "/dashboard");
    CHECK(safe_next("/" + std::string(5000, 'a')) == "/dashboard");
    CHECK(safe_next(std::string("/a\0b", 4)) == "/dashboard");
}

TEST_CASE("no text leads a log-in to another host or into a header") {
    CHECK(rc::check([] {
        static const std::string kParts[] = {"/",     "\\", "\t", "\n", "\r", "evil.example",
                                             "@",     ":",  "?",  "#",  " ",  "%2F",
                                             "http:", ".",  "x"};
        std::string text;
        const auto size = *rc::gen::inRange(0, 8);
        for (int i = 0; i < size; ++i)
            text += kParts[*rc::gen::inRange<std::size_t>(0, std::size(kParts))];
        const std::string next = safe_next(text);
        RC_ASSERT(host_of(next) == "here");
        RC_ASSERT(next.find_first_of("\r\n\t ") == std::string::npos);
        RC_ASSERT(next == text || next == "/dashboard");
    }));
}

TEST_CASE("moments and durations in words") {
    const base::Time now = base::from_millis(1'767'225'600'000);  // 2026-01-01
    const auto words = [&](std::int64_t seconds) {
        return relative_words(now + base::Seconds(seconds), now);
    };
    CHECK(words(0) == "just now");
    CHECK(words(-59) == "just now");
    CHECK(words(-60) == "1 minute ago");
    CHECK(words(-7199) == "1 hour ago");
    CHECK(words(-2 * 86400) == "2 days ago");
    CHECK(words(30) == "in less than a minute");
    CHECK(words(5 * 3600) == "in 5 hours");
    CHECK(duration_words(base::Seconds(30)) == "30 s");
    CHECK(duration_words(base::Seconds(60)) == "60 s");
    CHECK(duration_words(base::Seconds(90)) == "90 s");
    CHECK(duration_words(base::Seconds(120)) == "2 minutes");
    CHECK(duration_words(base::Seconds(7200)) == "2 hours");
    CHECK(duration_words(base::Seconds(86400)) == "24 hours");
    CHECK(moment(now - base::Seconds(3661), now).markup() ==
          "<time datetime=\"2025-12-31T22:58:59Z\">2025-12-31 22:58:59 UTC</time> (1 hour ago)");
    CHECK(counted(1, "line") == "1 line");
    CHECK(counted(1'234'567, "line") == "1,234,567 lines");
}

TEST_CASE("a program is shown whole, line by line") {
    CHECK(rc::check([](const std::string& text) {
        const std::string html = numbered_code(text).markup();
        // Only empty lines are ever put together.
        std::string shown;
        for (std::size_t at = html.find("<li>"); at != std::string::npos;
             at = html.find("<li>", at + 1))
            shown += html.substr(at + 4, html.find("</li>", at) - at - 4);
        // Line ends that all have a CR are told once, beside the program.
        std::string said = text;
        if (holds(code_size(text), "CR LF"))
            for (std::size_t at = said.find("\r\n"); at != std::string::npos;
                 at = said.find("\r\n", at))
                said.erase(at, 1);
        std::string without_breaks = api::Html::lines(said).markup();
        std::erase(without_breaks, '\n');
        RC_ASSERT(shown == without_breaks);
    }));
    const std::string html = numbered_code("a\n" + std::string(5'000, '\n') + "<b>\n").markup();
    CHECK(count(html, "<li") == 3);
    CHECK(holds(html, "5,000 empty lines: 2 to 5001"));
    CHECK(holds(html, "value=\"5001\""));
    CHECK(holds(html, "&lt;b&gt;"));
    CHECK(count(numbered_code("a\n\n\n\nb").markup(), "<li>") == 5);
    // Blanks are no empty line: something may stand at their end.
    CHECK(count(numbered_code(std::string(20, '\n') + "  \n").markup(), "<li>") == 1);
}

TEST_CASE("line ends with CR are told once, or shown where only some have them") {
    CHECK(code_size("a\r\nb\r\n") == "2 lines, 6 bytes; lines end with CR LF");
    CHECK_FALSE(holds(numbered_code("a\r\nb\r\n").markup(), "000D"));
    CHECK(code_size("a\r\nb\n") == "2 lines, 5 bytes");
    CHECK(holds(numbered_code("a\r\nb\n").markup(), "U+000D"));
    CHECK(holds(numbered_code("a\rb\r\n").markup(), "a&lt;U+000D&gt;b"));
}

TEST_CASE("a difference has signs and the numbers of both sides") {
    const std::string html = difference("a\nb\n<c>\n", "a\nB\n<c>\n").markup();
    CHECK(holds(html, "1 line added, 1 line removed."));
    CHECK(holds(html,
                "<td class=\"n\">2</td><td class=\"n\"></td><td class=\"s\">−</td>"
                "<td class=\"t\">b</td>"));
    CHECK(holds(html,
                "<td class=\"n\"></td><td class=\"n\">2</td><td class=\"s\">+</td>"
                "<td class=\"t\">B</td>"));
    CHECK(holds(html, "&lt;c&gt;"));
    CHECK(holds(html, "Lines 1–3"));
    std::string many;
    for (int i = 0; i < 5'000; ++i) many += "line " + std::to_string(i) + "\n";
    const std::string cut = difference("", many).markup();
    CHECK(holds(cut, "5,000 lines added"));
    CHECK_FALSE(holds(cut, "line 4999"));
    CHECK(holds(difference("a", "a\n").markup(), "Only the end of the last line differs."));
}

TEST_CASE("texts are cut between characters") {
    CHECK(first_characters("äöü", 2) == "äö…");
    CHECK(first_characters("äöü", 3) == "äöü");
    CHECK(first_characters("", 3) == "");
}
