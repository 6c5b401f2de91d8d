#include "policy/path_pattern.h"

#include "base/path.h"
#include "base/path_bypasses.h"
#include "support/catch.h"
#include "support/path_servers.h"
#include "support/path_spelling.h"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

using namespace oauth3::test;
using oauth3::base::canonical_path;
using oauth3::policy::kMaxPattern;
using oauth3::policy::PathPattern;

namespace {

constexpr int kMany = 5000;

using Segments = std::vector<std::string>;

PathPattern pattern(std::string_view text) {
    auto read = PathPattern::parse(text);
    if (const auto* problem = std::get_if<std::string>(&read))
        throw std::runtime_error(std::string(text) + ": " + *problem);
    return std::get<PathPattern>(std::move(read));
}

std::string problem(std::string_view text) {
    const auto read = PathPattern::parse(text);
    const auto* sentence = std::get_if<std::string>(&read);
    return sentence != nullptr ? *sentence : "";
}

Segments split(std::string_view path) {
    Segments out = servers::split(path);
    out.erase(out.begin());
    return out;
}

/// What a pattern matches, said from the words of the wire alone: slow, and recursive.
bool naive(const Segments& pattern, std::size_t p, const Segments& path, std::size_t i) {
    if (p == pattern.size()) return i == path.size();
    if (pattern[p] == "**")
        return naive(pattern, p + 1, path, i) ||
               (i < path.size() && naive(pattern, p, path, i + 1));
    if (i == path.size()) return false;
    if (pattern[p] == "*" ? path[i].empty() : pattern[p] != path[i]) return false;
    return naive(pattern, p + 1, path, i + 1);
}

bool naive(const std::string& pattern, const std::string& path) {
    return naive(split(pattern), 0, split(path), 0);
}

/// Few letters, so that patterns and paths often have to do with each other.
std::string any_pattern(Draws& draws, int most = 5) {
    static const Segments kSegments{"a", "b", "*", "**", "a", "*"};
    std::string out;
    for (int left = draws.below(most + 1); left > 0; --left) out += "/" + draws.of(kSegments);
    return out.empty() || draws.one_in(5) ? out + "/" : out;
}

std::string any_path(Draws& draws, int most = 6) {
    static const Segments kSegments{"a", "b", "c", "a", "*", "**"};
    std::string out;
    for (int left = draws.below(most + 1); left > 0; --left) out += "/" + draws.of(kSegments);
    return out.empty() || draws.one_in(4) ? out + "/" : out;
}

/// A path that the pattern matches.
std::string path_of(const std::string& pattern, Draws& draws) {
    static const Segments kFill{"a", "b", "c", "x;y", "a b", "\u00E9", "*"};
    std::string out;
    for (const std::string& segment : split(pattern)) {
        if (segment == "**")
            for (int left = draws.below(3); left > 0; --left) out += "/" + draws.of(kFill);
        else
            out += "/" + (segment == "*" ? draws.of(kFill) : segment);
    }
    return out.empty() ? "/" : out;
}

/// What turns a path into another for some server.
const Segments kMutations{"..",         "/../",
                          "/..",        "/./",
                          "%2e%2e",     "/%2e%2e/",
                          "/.%2E/",     ".",
                          "/%2e/",      "%252e",
                          "%2f",        "/..%2f",
                          "%252f",      "%5c",
                          "\\",         "/..\\",
                          "..%5c",      "//",
                          "/",          ";",
                          "/;/",        "/..;/",
                          "/..;a=b/",   ";x",
                          "%3b",        "/..%3b/",
                          "%00",        "/..%00/",
                          "%20",        "/..%20/",
                          "/%20/",      "%",
                          "%25",        "%2",
                          "2e",         "%u002e",
                          "%25u002f",   "/%u002e%u002e/",
                          "\uFF0E",     "/\uFF0E\uFF0E/",
                          "\uFF0F",     "\u2215",
                          "\u2216",     "\u3002",
                          "/\u2025/",   "\uFF05\uFF12\uFF45",
                          "/..\u200B/", "/\uFF2E\uFF2E/",
                          "%c0%ae",     "/%c0%ae%c0%ae/",
                          "%c0%af",     "?",
                          "#",          "/.../",
                          "..%c2%a0/",  "\u00A5",
                          "%e2%88%95",  "%ef%bc%8f",
                          "%25%32%65",  "%%32e",
                          "/..;%00/",   "\uFF1B",
                          "*",          "a"};

}  // namespace

TEST_CASE("a pattern matches the paths that the wire says, and no others") {
    struct Case {
        const char* pattern;
        Segments matched, others;
    };
    const std::vector<Case> table{
        {"/", {"/"}, {"/a", "/a/"}},
        {"/a", {"/a"}, {"/", "/a/", "/A", "/ab", "/b", "/a/a"}},
        {"/a/", {"/a/"}, {"/a", "/a/b"}},
        {"/*", {"/a", "/*", "/**", "/a;b"}, {"/", "/a/", "/a/b"}},
        {"/*/", {"/a/"}, {"/", "/a", "/a/b"}},
        {"/**", {"/", "/a", "/a/", "/a/b", "/a/b/"}, {}},
        {"/a/**", {"/a", "/a/", "/a/b", "/a/b/", "/a/b/c"}, {"/", "/ab", "/ab/c", "/b/a", "/A/b"}},
        {"/a/*", {"/a/b", "/a/..b"}, {"/a", "/a/", "/a/b/", "/a/b/c"}},
        {"/a/*/b", {"/a/x/b", "/a/b/b"}, {"/a/b", "/a//b", "/a/x/y/b", "/a/x/b/"}},
        {"/**/b", {"/b", "/a/b", "/b/b", "/a/a/b"}, {"/", "/b/", "/b/a"}},
        {"/**/", {"/", "/a/", "/a/b/"}, {"/a", "/a/b"}},
        {"/a/**/b", {"/a/b", "/a/x/b", "/a/b/b", "/a/b/x/b"}, {"/a", "/b", "/a/b/", "/a/b/x"}},
        {"/**/a/**", {"/a", "/a/", "/x/a", "/x/a/y", "/a/a/a"}, {"/", "/x", "/x/y/"}},
        {"/**/a/*/b/**", {"/a/x/b", "/a/a/x/b", "/a/a/x/b/c/"}, {"/a/b", "/a/x/c/b"}},
        {"/**/**", {"/", "/a/b"}, {}},
        {"/repos/o/r/**", {"/repos/o/r", "/repos/o/r/pulls/1"}, {"/repos/o", "/repos/o/r2", "/x"}},
        {"/caf%C3%A9/*", {"/caf\u00E9/a"}, {"/cafe/a", "/cafe\u0301/a"}},
        {"/%7Euser/100%25/a%20b", {"/~user/100%/a b"}, {"/~user/100%25/a b"}},
        {"/a%3Fb/c%23/*", {"/a?b/c#/x"}, {"/a/c#/x"}},
    };
    for (const Case& c : table) {
        const PathPattern read = pattern(c.pattern);
        for (const std::string& path : c.matched) {
            CAPTURE(c.pattern, path);
            CHECK(read.matches(path));
        }
        for (const std::string& path : c.others) {
            CAPTURE(c.pattern, path);
            CHECK_FALSE(read.matches(path));
        }
        // What is no path is matched by nothing.
        for (const char* none : {"", "a", "*", "**"}) CHECK_FALSE(read.matches(none));
    }
}

TEST_CASE("a text that is no pattern is refused with a sentence") {
    const std::string star = "a \"*\" stands for a whole segment, \"**\" for any number of them";
    const std::string literal = "a path pattern cannot ask for a literal \"*\"";
    const std::vector<std::pair<std::string, std::string>> table{
        {"", "a path begins with \"/\""},
        {"**", "a path begins with \"/\""},
        {"a/**", "a path begins with \"/\""},
        {"https://api.github.com/**", "a path begins with \"/\""},
        {"/a*", star},
        {"/*a", star},
        {"/a/***", star},
        {"/a/*.json", star},
        {"/a/**.json/b", star},
        {"/a/*;x", star},
        {"/%2A", literal},
        {"/%2a%2a", literal},
        {"/a/b%2A", literal},
        {"/*%2a", literal},
        {"/a?b", "a path pattern has no query"},
        {"/**?", "a path pattern has no query"},
        {"/a#b", "a path has no fragment"},
        {"/a/../**", "a path has no segment \".\" or \"..\""},
        {"/a//**", "a path has no empty segment"},
        {"//**", "a path has no empty segment"},
        {"/a%2F**", "a slash or backslash is escaped"},
        {"/%252A", "an escape is escaped once more"},
        {"/" + std::string(kMaxPattern, 'a'), "the path pattern is too long"},
    };
    for (const auto& [text, sentence] : table) {
        CAPTURE(text);
        CHECK(problem(text) == sentence);
    }
    CHECK(problem("/" + std::string(kMaxPattern - 1, 'a')).empty());
}

TEST_CASE("no known bypass is a pattern, nor gets past a rule") {
    const PathPattern rule = pattern("/repos/o/r/**");
    for (const Bypasses& group : path_bypasses())
        for (const std::string_view spelling : group.spellings) {
            CAPTURE(group.technique, spelling);
            CHECK_FALSE(problem(spelling).empty());
            const auto path = canonical_path(spelling).path;
            CHECK_FALSE((path && rule.matches(*path)));
        }
}

TEST_CASE("matching is what a slow and simple reference says") {
    CHECK(holds_in(kMany, [] {
        Draws draws;
        const std::string text = any_pattern(draws), path = any_path(draws);
        const bool matched = pattern(text).matches(path);
        RC_CLASSIFY(matched, "matched");
        RC_LOG() << text << " " << path;
        RC_ASSERT(matched == naive(text, path));
        RC_ASSERT(pattern(text).matches(path_of(text, draws)));
    }));
}

TEST_CASE("a pattern's text reads back as an equal pattern") {
    CHECK(holds_in(kMany, [] {
        Draws draws;
        std::string path = any_canonical_path(draws);
        for (char& c : path)
            if (c == '*') c = 'x';
        const std::string before = draws.coin() ? any_pattern(draws, 2) : "";
        const std::string text = before + any_spelling(path, draws);
        const auto read = PathPattern::parse(text);
        // A final "/" of the first part makes an empty segment.
        if (!std::holds_alternative<PathPattern>(read)) {
            RC_ASSERT(text.find("//") != std::string::npos);
            return;
        }
        const auto& once = std::get<PathPattern>(read);
        RC_ASSERT(pattern(once.text()) == once);
        RC_ASSERT(pattern(once.text()).text() == once.text());
        RC_ASSERT(once.text().size() <= text.size());
        if (before.empty()) {
            RC_ASSERT(once.matches(path));
            RC_ASSERT(pattern(encode_path(path)) == once);
        }
    }));
    CHECK(pattern("/a/**/**/**").text() == "/a/**");
    CHECK(pattern("/%61/%25/%3f/%23/%20b/%C3%a9").text() == "/a/%25/%3F/%23/%20b/\u00E9");
}

TEST_CASE("covers is sound: what a covered pattern matches is matched") {
    CHECK(holds_in(kMany, [] {
        Draws draws;
        const std::string wide = any_pattern(draws), narrow = any_pattern(draws);
        const PathPattern a = pattern(wide), b = pattern(narrow);
        RC_ASSERT(a.covers(a) && b.covers(b) && pattern("/**").covers(a));
        const bool covered = a.covers(b);
        RC_CLASSIFY(covered, "covered");
        RC_LOG() << wide << " " << narrow;
        for (int i = 0; i < 20; ++i) {
            const std::string path = draws.coin() ? any_path(draws) : path_of(narrow, draws);
            if (covered && b.matches(path)) RC_ASSERT(a.matches(path));
        }
        const PathPattern c = pattern(any_pattern(draws, 3));
        if (covered && b.covers(c)) RC_ASSERT(a.covers(c));
        // Patterns that match the same paths are not always equal, as /*/** and /**/* show, but a
        // path is covered exactly if it is matched.
        std::string path = any_path(draws);
        for (char& letter : path)
            if (letter == '*') letter = 'c';
        RC_ASSERT(a.covers(pattern(path)) == a.matches(path));
    }));
}

TEST_CASE("covers is exact where patterns are what people write") {
    struct Case {
        const char *wide, *narrow;
        bool covers;
    };
    const std::vector<Case> table{
        {"/**", "/", true},          {"/**", "/**", true},        {"/**", "/a/*/b/**", true},
        {"/a/**", "/a", true},       {"/a/**", "/a/", true},      {"/a/**", "/a/*", true},
        {"/a/**", "/a/*/b", true},   {"/a/**", "/a/b/**", true},  {"/a/**", "/a/**", true},
        {"/a/**", "/a/**/b", true},  {"/a/*", "/a/b", true},      {"/a/*/c", "/a/b/c", true},
        {"/*/**", "/a/**", true},    {"/**/b", "/a/b", true},     {"/**/b", "/**/a/b", true},
        {"/a/**/b", "/a/b", true},   {"/a/**/b", "/a/*/b", true}, {"/a/**/b", "/a/**/c/b", true},
        {"/a/**", "/**", false},     {"/a/**", "/", false},       {"/a/**", "/*", false},
        {"/a/**", "/ab/**", false},  {"/a/*", "/a/**", false},    {"/a/*", "/a", false},
        {"/a/*", "/a/", false},      {"/a/b", "/a/*", false},     {"/a", "/a/**", false},
        {"/a", "/a/", false},        {"/a/", "/a", false},        {"/*", "/", false},
        {"/a/**/b", "/a/**", false}, {"/**/b", "/**", false},     {"/*/*", "/*", false},
    };
    for (const Case& c : table) {
        CAPTURE(c.wide, c.narrow);
        CHECK(pattern(c.wide).covers(pattern(c.narrow)) == c.covers);
    }
}

TEST_CASE("what a rule lets through is in its tree for every server") {
    static const auto kServers = all_servers();
    CHECK(holds_in(kMany, [] {
        Draws draws;
        const std::string text = any_pattern(draws);
        const PathPattern rule = pattern(text);
        std::string target = any_spelling(path_of(text, draws), draws);
        for (int left = draws.below(3); left > 0; --left)
            target.insert(
                static_cast<std::size_t>(draws.below(static_cast<int>(target.size()) + 1)),
                draws.of(kMutations));
        RC_LOG() << text << " " << target;
        const auto path = canonical_path(target).path;
        const bool let_through = path && rule.matches(*path);
        RC_CLASSIFY(path.has_value(), "a path");
        RC_CLASSIFY(let_through, "let through");
        if (!let_through) return;
        for (int i = 0; i < 100; ++i)
            RC_ASSERT(naive(text, served_path(target, draws.of(kServers))));
    }));
}

TEST_CASE("the models of servers do what servers have done") {
    const auto served = [](std::string_view target, auto set) {
        Server server;
        set(server);
        return served_path(target, server);
    };
    CHECK(served("/a/%2e%2e/b", [](Server&) {}) == "/b");
    CHECK(served("/a/%252e%252e/b", [](Server&) {}) == "/a/%2e%2e/b");
    CHECK(served("/a/%252e%252e/b", [](Server& s) { s.decodes = 2; }) == "/b");
    CHECK(served("/a/%25252e%2e/b", [](Server& s) { s.decodes = 3; }) == "/b");
    CHECK(served("/a/%u002e%u002e/b", [](Server& s) { s.u_escapes = true; }) == "/b");
    CHECK(served("/a/..;x/b", [](Server& s) { s.cuts_early = true; }) == "/b");
    CHECK(served("/a/..%3bx/b", [](Server& s) { s.cuts_late = true; }) == "/b");
    CHECK(served("/a\\..%5cb", [](Server& s) { s.backslashes = true; }) == "/b");
    CHECK(served("/a/\uFF0E\u2024/b", [](Server& s) { s.folds = true; }) == "/b");
    CHECK(served("/a/\uFF2E\uFF2E/b", [](Server& s) { s.low_bytes = true; }) == "/b");
    CHECK(served("/a/..%20/b", [](Server& s) { s.trims = true; }) == "/b");
    CHECK(served("/a%00/b", [](Server& s) { s.ends_at_nul = true; }) == "/a");
    CHECK(served("//a/./b//", [](Server&) {}) == "/a/b/");
}

TEST_CASE("no pattern and path take long") {
    const auto start = std::chrono::steady_clock::now();
    std::string many, deep;
    for (int i = 0; i < 170; ++i) many += "/**/a";
    for (int i = 0; i < 4000; ++i) deep += "/a";
    const PathPattern hard = pattern(many + "/b");
    CHECK_FALSE(hard.matches(deep));
    CHECK(hard.matches(deep + "/b"));
    CHECK_FALSE(hard.covers(pattern(many)));
    CHECK(pattern(many).covers(pattern(many + "/a")));
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
}
