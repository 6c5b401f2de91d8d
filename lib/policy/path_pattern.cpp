#include "policy/path_pattern.h"

#include "base/path.h"

#include <algorithm>
#include <optional>

namespace oauth3::policy {
namespace {

constexpr std::string_view kOne = "*";
constexpr std::string_view kAny = "**";

/// The segments of a canonical path; none of a text that is no path.
template <typename Text>
std::vector<Text> segments_of(std::string_view path) {
    std::vector<Text> out;
    while (path.starts_with('/')) {
        path.remove_prefix(1);
        const std::size_t end = std::min(path.find('/'), path.size());
        out.emplace_back(path.substr(0, end));
        path.remove_prefix(end);
    }
    return out;
}

/// Whether the segments of a pattern can be laid over `items`: "**" over any number of them, each
/// other over one of which `fits` says so. On a mismatch only the last "**" has to take one more,
/// since whatever an earlier one could take, the last can take as well.
template <typename Items, typename Fits>
bool lies_over(const std::vector<std::string>& pattern, const Items& items, Fits fits) {
    std::size_t p = 0, i = 0;
    std::optional<std::size_t> after_any;
    std::size_t retry = 0;
    while (i < items.size()) {
        if (p < pattern.size() && pattern[p] == kAny) {
            after_any = ++p;
            retry = i;
        } else if (p < pattern.size() && fits(pattern[p], items[i])) {
            ++p;
            ++i;
        } else if (after_any) {
            p = *after_any;
            i = ++retry;
        } else {
            return false;
        }
    }
    return std::all_of(pattern.begin() + static_cast<std::ptrdiff_t>(p), pattern.end(),
                       [](const std::string& segment) { return segment == kAny; });
}

bool has_escaped_star(std::string_view text) {
    return text.find("%2A") != std::string_view::npos || text.find("%2a") != std::string_view::npos;
}

/// The escape of what cannot stand in a pattern as it is, or nothing.
std::string_view escape_of(char c) {
    switch (c) {
        case '%':
            return "%25";
        case '?':
            return "%3F";
        case '#':
            return "%23";
        case ' ':
            return "%20";
        default:
            return {};
    }
}

}  // namespace

std::variant<PathPattern, std::string> PathPattern::parse(std::string_view text) {
    if (text.size() > kMaxPattern) return "the path pattern is too long";
    if (text.find('?') != std::string_view::npos) return "a path pattern has no query";
    // After decoding it could not be told from the "*" that stands for a segment.
    if (has_escaped_star(text)) return "a path pattern cannot ask for a literal \"*\"";
    base::PathResult canonical = base::canonical_path(text);
    if (!canonical.path) return std::move(canonical.problem);

    PathPattern out;
    for (std::string& segment : segments_of<std::string>(*canonical.path)) {
        if (segment.find('*') != std::string::npos && segment != kOne && segment != kAny)
            return "a \"*\" stands for a whole segment, \"**\" for any number of them";
        // A second "**" in a row says nothing more, and equal patterns should be equal.
        if (segment == kAny && !out.segments_.empty() && out.segments_.back() == kAny) continue;
        out.segments_.push_back(std::move(segment));
    }
    return out;
}

bool PathPattern::matches(std::string_view path) const {
    const auto segments = segments_of<std::string_view>(path);
    return !segments.empty() && lies_over(segments_, segments, [](const auto& own, const auto& s) {
        return own == kOne ? !s.empty() : own == s;
    });
}

bool PathPattern::covers(const PathPattern& other) const {
    // The other's wildcards are taken for segments that nothing fits but a wildcard at least as
    // wide. Where this lies over them, it lies over whatever they stand for.
    return lies_over(segments_, other.segments_, [](const auto& own, const auto& theirs) {
        if (theirs == kAny) return false;
        return own == kOne ? !theirs.empty() : own == theirs;
    });
}

std::string PathPattern::text() const {
    std::string out;
    for (const std::string& segment : segments_) {
        out += '/';
        for (const char& c : segment) {
            const std::string_view escape = escape_of(c);
            out += escape.empty() ? std::string_view(&c, 1) : escape;
        }
    }
    return out;
}

}  // namespace oauth3::policy
