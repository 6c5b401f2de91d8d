#include "base/path.h"

#include "base/utf8.h"

#include <uninorm.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <new>

// The gate decides about a path that it sends on as it came, so a path must be one that the gate
// and every server read alike. What some server is known to read otherwise is refused, whether it
// does harm there or not. The control plane checks paths, too, but less: all that it refuses is
// refused here (tests/base/path_test.cpp has both), so no path that passes here fails there.
namespace oauth3::base {
namespace {

constexpr std::string_view kHex = "0123456789abcdefABCDEF";
/// What cuts a path into its parts, or the parts short, or makes a dot segment.
constexpr std::string_view kStructure = "/\\%?#;.";

bool is_hex(std::string_view text) {
    return text.find_first_not_of(kHex) == std::string_view::npos;
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

char byte_of(std::string_view two_digits) {
    return static_cast<char>(std::stoi(std::string(two_digits), nullptr, 16));
}

/// Decodes once, or says what is wrong with the spelling.
std::string decode(std::string_view text, std::string& out) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '\\') return "a path has no backslash";
        if (c == '#') return "a path has no fragment";
        if (c == ' ') return "a path has no blank: write %20";
        if (c == '%') {
            const std::string_view digits = text.substr(i + 1, 2);
            if (digits.size() != 2 || !is_hex(digits)) return "a \"%\" begins no escape";
            c = byte_of(digits);
            if (c == '/' || c == '\\') return "a slash or backslash is escaped";
            i += 2;
        }
        out += c;
    }
    return {};
}

/// True for "%2e" and "%u002e" (which is how old JavaScript and IIS write it): a server that
/// decodes once more would find another path.
bool has_escape(std::string_view text) {
    for (std::size_t at = text.find('%'); at != std::string_view::npos;
         at = text.find('%', at + 1)) {
        const std::string_view two = text.substr(at + 1, 2);
        if (two.size() == 2 && is_hex(two)) return true;
        const bool u = two.starts_with('u') || two.starts_with('U');
        const std::string_view four = text.substr(std::min(at + 2, text.size()), 4);
        if (u && four.size() == 4 && is_hex(four)) return true;
    }
    return false;
}

/// Calls `on` with each code point of valid UTF-8 until it returns true.
template <typename On>
bool any_code_point(std::string_view text, On on) {
    while (!text.empty()) {
        const CodePoint c = next_code_point(text);
        if (on(c.value)) return true;
        text.remove_prefix(c.size);
    }
    return false;
}

/// What compatibility normalisation (NFKC) makes of the text: servers that look files up, and those
/// that compare names as people see them, apply it after they have split the path.
std::string fold(const std::string& text) {
    std::size_t size = 0;
    const std::unique_ptr<std::uint8_t, decltype(&std::free)> folded(
        ::u8_normalize(UNINORM_NFKC, reinterpret_cast<const std::uint8_t*>(text.data()),
                       text.size(), nullptr, &size),
        &std::free);
    if (folded == nullptr) throw std::bad_alloc();
    return {reinterpret_cast<const char*>(folded.get()), size};
}

/// Characters that NFKC leaves alone, but conversions to a smaller character set turn into "/",
/// "\", "." or "%" (Windows calls them best fit), or that exist to look like one.
bool is_look_alike(char32_t c) {
    static constexpr std::array<char32_t, 18> kTable{
        0x00A5,  // yen sign, "\" in Shift JIS
        0x20A9,  // won sign, "\" in the Korean code page
        0x20E5,  // combining reverse solidus overlay, "\" in windows-1252
        0x2216,  // set minus, the same
        0x29F5,  // reverse solidus operator
        0x29F9,  // big reverse solidus
        0x27CD,  // mathematical falling diagonal
        0x2572,  // box drawings diagonal, falling
        0x0338,  // combining long solidus overlay
        0x2044,  // fraction slash, "/" in windows-1252; in 1/2 as one character, too
        0x2215,  // division slash, the same
        0x29F8,  // big solidus
        0x27CB,  // mathematical rising diagonal
        0x2571,  // box drawings diagonal, rising
        0x3002,  // ideographic full stop, which is a dot in host names
        0x06D4,  // Arabic full stop
        0x066A,  // Arabic percent sign, "%" in windows-1252
        0x2052,  // commercial minus sign, a percent sign by its looks
    };
    return std::find(kTable.begin(), kTable.end(), c) != kTable.end();
}

/// What is left if only the low byte of each character is sent, as Node.js once did: "." of U+FF2E.
std::string low_bytes(std::string_view text) {
    std::string out;
    any_code_point(text, [&out](char32_t c) {
        out += static_cast<char>(c & 0xFF);
        return false;
    });
    return out;
}

/// True for "." and "..", alone or with a parameter behind a ";", which servlet containers cut off.
/// Windows drops blanks and dots at the end of a name, so "..%20" and "..." are the same there.
bool is_dot_segment(std::string_view segment) {
    segment = segment.substr(0, segment.find(';'));
    return !segment.empty() && segment.find_first_not_of(". ") == std::string_view::npos;
}

/// True if one of the segments between the `separators` is as `bad` says.
template <typename Bad>
bool any_segment(std::string_view path, std::string_view separators, Bad bad) {
    for (;;) {
        path.remove_prefix(1);
        const std::size_t end = path.find_first_of(separators);
        const bool last = end == std::string_view::npos;
        if (bad(path.substr(0, end), last)) return true;
        if (last) return false;
        path.remove_prefix(end);
    }
}

bool has_dot_segment(std::string_view path) {
    return any_segment(path, "/",
                       [](std::string_view segment, bool) { return is_dot_segment(segment); });
}

/// True if the low bytes of the characters show a dot segment. Without blanks, since a name of one
/// Chinese character would often be one.
bool has_low_dot_segment(std::string_view path) {
    return any_segment(low_bytes(path), "/\\", [](std::string_view segment, bool) {
        return is_dot_segment(segment) && segment.find(' ') == std::string_view::npos;
    });
}

/// Empty is also what is nothing but parameters. Only the last one may be empty, to end in "/".
bool has_empty_segment(std::string_view path) {
    return any_segment(path, "/", [](std::string_view segment, bool last) {
        return segment.starts_with(';') || (segment.empty() && !last);
    });
}

/// True if the folded text has a character of kStructure that the text itself does not have.
bool gained_structure(std::string_view text, std::string_view folded) {
    return std::any_of(kStructure.begin(), kStructure.end(), [&](char c) {
        return std::count(text.begin(), text.end(), c) !=
               std::count(folded.begin(), folded.end(), c);
    });
}

std::string problem_of_other_scripts(const std::string& path) {
    const std::string folded = fold(path);
    if (gained_structure(path, folded) || any_code_point(folded, is_look_alike))
        return "a character can be read as one that cuts a path";
    if (has_escape(folded)) return "an escape is escaped once more";
    if (has_dot_segment(folded) || has_low_dot_segment(path))
        return "a segment can be read as \".\" or \"..\"";
    return {};
}

std::string problem_of(const std::string& path) {
    if (path.size() > kMaxPath) return "the path is too long";
    if (!is_valid_utf8(path)) return "the path is not UTF-8";
    if (any_code_point(path, is_deceptive)) return "a path has no control or invisible character";
    if (has_escape(path)) return "an escape is escaped once more";
    if (has_dot_segment(path)) return "a path has no segment \".\" or \"..\"";
    if (has_empty_segment(path)) return "a path has no empty segment";
    return is_ascii(path) ? std::string() : problem_of_other_scripts(path);
}

}  // namespace

PathResult canonical_path(std::string_view target) {
    target = target.substr(0, target.find('?'));
    if (!target.starts_with('/')) return {std::nullopt, "a path begins with \"/\""};
    std::string path;
    std::string problem = decode(target, path);
    if (problem.empty()) problem = problem_of(path);
    if (!problem.empty()) return {std::nullopt, std::move(problem)};
    return {std::move(path), {}};
}

}  // namespace oauth3::base
