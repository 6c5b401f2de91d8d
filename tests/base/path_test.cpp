#include "base/path.h"

#include "base/path_bypasses.h"
#include "base/utf8.h"
#include "support/catch.h"
#include "support/path_spelling.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

using oauth3::base::canonical_path;
using oauth3::base::kMaxPath;
using namespace oauth3::test;

namespace {

constexpr int kMany = 5000;

struct Spelling {
    std::string text;
    std::string canonical;
};

std::string form(std::string_view text) {
    return canonical_path(text).path.value_or("(refused)");
}

std::string problem(std::string_view text) {
    return canonical_path(text).problem;
}

/// Pieces of which paths are built that some server reads otherwise than another.
const std::vector<std::string> kPieces{
    "/",     "/",   "a",      "b",      ".",      "..",     ";",      "%",   "2",
    "e",     "%2e", "%2E",    "%2f",    "%5c",    "%5C",    "%25",    "%00", "\\",
    "u002e", "%3b", "%32",    "%65",    "%20",    "%c0",    "%ae",    "%41", "?",
    "#",     "%0a", "\uFF0E", "\u2215", "\u00E9", "\u200B", "%u002e", " ",   "%7e"};

/// Said once more from the words of the control plane, and in another way: what it refuses.
bool control_plane_refuses(std::string_view target) {
    const std::string_view raw = target.substr(0, target.find('?'));
    const auto hex = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    };
    const auto lower = [](std::string text) {
        for (char& c : text)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        return text;
    };
    std::string once;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] != '%') {
            once += raw[i];
            continue;
        }
        if (i + 2 >= raw.size() || !hex(raw[i + 1]) || !hex(raw[i + 2])) return true;
        const std::string escape = lower(std::string(raw.substr(i, 3)));
        if (escape == "%2f" || escape == "%5c") return true;
        once += static_cast<char>(std::strtol(escape.c_str() + 1, nullptr, 16));
        i += 2;
    }
    if (once.find('\\') != std::string::npos || once.find('\0') != std::string::npos) return true;
    for (const char* left : {"%2e", "%2f", "%5c", "%00"})
        if (lower(once).find(left) != std::string::npos) return true;
    std::vector<std::string> segments(1);
    for (const char c : once)
        if (c == '/')
            segments.emplace_back();
        else
            segments.back() += c;
    for (std::size_t i = 1; i < segments.size(); ++i) {
        const std::string name = segments[i].substr(0, segments[i].find(';'));
        if (name == "." || name == "..") return true;
        if (segments[i].empty() && i + 1 < segments.size()) return true;
    }
    return false;
}

}  // namespace

TEST_CASE("paths have one canonical form, decoded once") {
    const std::vector<Spelling> table{
        {"/", "/"},
        {"/a", "/a"},
        {"/a/", "/a/"},
        {"/a/b/c", "/a/b/c"},
        {"/A", "/A"},
        {"/%61", "/a"},
        {"/%7euser", "/~user"},
        {"/%7Euser", "/~user"},
        {"/repos/o/%72", "/repos/o/r"},
        {"/a?b=../..", "/a"},
        {"/a/?//", "/a/"},
        {"/a??", "/a"},
        {"/a%3Fb", "/a?b"},
        {"/labels/c%23", "/labels/c#"},
        {"/a%20b", "/a b"},
        {"/a+b", "/a+b"},
        {"/%2A", "/*"},
        {"/*", "/*"},
        {"/100%25", "/100%"},
        {"/100%25/x", "/100%/x"},
        {"/%25", "/%"},
        {"/%25%25", "/%%"},
        {"/%252", "/%2"},
        {"/%252g", "/%2g"},
        {"/%25g2", "/%g2"},
        {"/%25u", "/%u"},
        {"/%25u002", "/%u002"},
        {"/%25u002g", "/%u002g"},
        {"/%25x41", "/%x41"},
        {"/.git", "/.git"},
        {"/.well-known/x", "/.well-known/x"},
        {"/..a", "/..a"},
        {"/a..", "/a.."},
        {"/a./b", "/a./b"},
        {"/compare/main...x", "/compare/main...x"},
        {"/a;b=c/d", "/a;b=c/d"},
        {"/a;", "/a;"},
        {"/a;..", "/a;.."},
        {"/a;.", "/a;."},
        {"/a%3Bb", "/a;b"},
        {"/a:b@c!$&'()*,=", "/a:b@c!$&'()*,="},
        {"/a\"<>^`{|}", "/a\"<>^`{|}"},
        {"/a%20/b", "/a /b"},
        {"/a%20.", "/a ."},
        {"/caf\u00E9", "/caf\u00E9"},
        {"/caf%C3%A9", "/caf\u00E9"},
        {"/caf%c3%A9", "/caf\u00E9"},
        {"/cafe\u0301", "/cafe\u0301"},
        {"/\u65E5\u672C", "/\u65E5\u672C"},
        {"/%E6%97%A5\u672C", "/\u65E5\u672C"},
        {"/\u6E20", "/\u6E20"},
        {"/la\u012Fk\u0161tas", "/la\u012Fk\u0161tas"},
        {"/\u0120/x", "/\u0120/x"},
        {"/col\u00B7lecci\u00F3", "/col\u00B7lecci\u00F3"},
        {"/\U0001F600", "/\U0001F600"},
        {"/\u2122/\u00B2", "/\u2122/\u00B2"},
        {"/\uFF21", "/\uFF21"},
        {"/\u00FC%3F", "/\u00FC?"},
        {"/\u00FC/x.y;z", "/\u00FC/x.y;z"},
        {"/\u00FC%25", "/\u00FC%"},
    };
    for (const Spelling& spelling : table) {
        CAPTURE(spelling.text, problem(spelling.text));
        CHECK(form(spelling.text) == spelling.canonical);
        CHECK(form(encode_path(spelling.canonical)) == spelling.canonical);
    }
}

TEST_CASE("every known spelling that passes a check somewhere is refused") {
    std::set<std::string_view> seen;
    for (const Bypasses& group : path_bypasses()) {
        CHECK_FALSE(group.spellings.empty());
        for (const std::string_view spelling : group.spellings) {
            CAPTURE(group.technique, spelling);
            CHECK(form(spelling) == "(refused)");
            CHECK_FALSE(problem(spelling).empty());
            CHECK(seen.insert(spelling).second);
        }
    }
    CHECK(seen.size() >= 300);
}

TEST_CASE("a refused path is told why") {
    CHECK(problem("a") == "a path begins with \"/\"");
    CHECK(problem("/a\\b") == "a path has no backslash");
    CHECK(problem("/a#b") == "a path has no fragment");
    CHECK(problem("/a b") == "a path has no blank: write %20");
    for (const char* malformed : {"/a%zz", "/a%", "/a%2", "/a%2g", "/a%g2", "/a%2/", "/a%%41"})
        CHECK(problem(malformed) == "a \"%\" begins no escape");
    CHECK(problem("/a%2Fb") == "a slash or backslash is escaped");
    CHECK(problem("/a%252F") == "an escape is escaped once more");
    CHECK(problem("/a%ff") == "the path is not UTF-8");
    CHECK(problem("/a%0A") == "a path has no control or invisible character");
    CHECK(problem("/../a") == "a path has no segment \".\" or \"..\"");
    CHECK(problem("//a") == "a path has no empty segment");
    CHECK(problem("/a\u2215b") == "a character can be read as one that cuts a path");
    CHECK(problem("/\uFF2E\uFF2E/a") == "a segment can be read as \".\" or \"..\"");
    CHECK(problem("/" + std::string(kMaxPath, 'a')) == "the path is too long");
    CHECK(problem("/a").empty());
}

TEST_CASE("a path's length is counted decoded, so that spelling makes no difference") {
    const std::string most = "/" + std::string(kMaxPath - 1, '%');
    CHECK(form(encode_path(most)) == most);
    CHECK(form(encode_path(most + "%")) == "(refused)");
    CHECK(form(most.substr(0, 1) + std::string(kMaxPath, 'a')) == "(refused)");
    // What does not count as path has no say.
    CHECK(form("/a?" + std::string(3 * kMaxPath, 'a')) == "/a");
}

TEST_CASE("every spelling of a canonical path has that path as its form") {
    CHECK(holds_in(kMany, [] {
        Draws draws;
        const std::string path = any_canonical_path(draws);
        RC_ASSERT(form(encode_path(path)) == path);
        const std::string spelling = any_spelling(path, draws);
        RC_LOG() << spelling;
        RC_ASSERT(form(spelling) == path);
        RC_ASSERT(form(spelling + "?" + draws.joined(kPieces, 4)) == path);
    }));
}

TEST_CASE("no bytes make canonical_path fail otherwise than by refusing") {
    CHECK(holds_in(kMany, [](const std::string& bytes) {
        for (const std::string& text : {bytes, "/" + bytes}) {
            const auto result = canonical_path(text);
            RC_ASSERT(result.path.has_value() == result.problem.empty());
        }
    }));
}

TEST_CASE("a canonical path has nothing left to decode, to resolve or to cut") {
    CHECK(holds_in(kMany, [] {
        Draws draws;
        const std::string target = "/" + draws.joined(kPieces, 8);
        const auto path = canonical_path(target).path;
        RC_CLASSIFY(path.has_value(), "a path");
        if (!path) return;
        RC_ASSERT(form(encode_path(*path)) == *path);
        RC_ASSERT(path->front() == '/' && path->size() <= kMaxPath);
        RC_ASSERT(oauth3::base::is_valid_utf8(*path));
        for (const char* never :
             {"//", "/./", "/../", "/.;", "/..;", "/;", "\\", "%2e", "%2E", "%00"})
            RC_ASSERT(path->find(never) == std::string::npos);
        RC_ASSERT(!path->ends_with("/.") && !path->ends_with("/.."));
        for (const char c : *path) RC_ASSERT(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
        // Slashes are only those that were there.
        const auto raw = target.substr(0, target.find('?'));
        RC_ASSERT(std::count(path->begin(), path->end(), '/') ==
                  std::count(raw.begin(), raw.end(), '/'));
    }));
}

TEST_CASE("what the control plane refuses is refused here") {
    CHECK(holds_in(kMany, [] {
        Draws draws;
        std::string target = "/a/b" + draws.joined(kPieces, 7);
        if (draws.coin()) target = "/" + draws.joined(kPieces, 7);
        const bool theirs = control_plane_refuses(target);
        RC_CLASSIFY(theirs, "the control plane refuses");
        if (theirs) RC_ASSERT(form(target) == "(refused)");
    }));
    for (const char* refused : {"/%", "/%2f", "/%5C", "/\\", "/%00", "/%252e", "/%25%32%46",
                                "/%255c", "/%2500", "/..", "/.;x", "/a//b"}) {
        CAPTURE(refused);
        CHECK(control_plane_refuses(refused));
        CHECK(form(refused) == "(refused)");
    }
}

TEST_CASE("one harmful piece anywhere in a path makes it none") {
    const std::vector<std::string> harmful{
        "%",        "%2",     "%2f",    "%5c",           "\\",     "#",      " ",
        "%00",      "%0a",    "%7f",    "%c2%85",        "%c0%ae", "%ff",    "%252e",
        "%25u002e", "//",     "/../",   "/./",           "/%2e/",  "/..;x/", "/;x/",
        "/%20/",    "/.../",  "\uFF0E", "\uFF0F",        "\uFF3C", "\uFF05", "\uFF1B",
        "\uFF1F",   "\uFF03", "\u2044", "\u2215",        "\u2216", "\u3002", "\u00A5",
        "\u200B",   "\u202E", "\uFEFF", "/\uFF2E\uFF2E/"};
    CHECK(holds_in(kMany, [&harmful] {
        Draws draws;
        const std::string path = encode_path(any_canonical_path(draws));
        std::size_t at = 1 + static_cast<std::size_t>(draws.below(static_cast<int>(path.size())));
        // Not inside of an escape, nor where a "%" gets digits behind it.
        while (at > 1 && path[at - 1] != '/') --at;
        const std::string& piece = draws.of(harmful);
        const std::string target = path.substr(0, at) + piece + "_" + path.substr(at);
        RC_LOG() << target;
        RC_ASSERT(form(target) == "(refused)");
    }));
}
