#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace oauth3::base {

/// What canonical_path found: a path, or one plain sentence why the text has none.
struct PathResult {
    std::optional<std::string> path;
    std::string problem;
};

/// The one canonical form of a URL's path (RFC 3986 section 3.3) that every comparison in the house
/// uses: UTF-8 text that starts with "/", percent-decoded exactly once. Two spellings of a path
/// have the same form; a spelling that some server may read as another path has none.
///
/// `target` is a request target in origin form; what follows its first "?" does not count.
///
/// Refused: a path without "/" in front, a malformed escape, an escaped escape (%25 and two hex
/// digits, or "u" and four), "\" and "/" if escaped and "\" also literally, a segment of nothing
/// but dots and blanks when cut at its first ";", an empty segment that is not the last (one that
/// begins with ";" is empty, too), control and invisible characters, "#" and a blank unless
/// escaped, bytes that are not UTF-8, characters that common servers fold to one of these
/// (full-width forms and other compatibility characters), and more than kMaxPath bytes, decoded.
PathResult canonical_path(std::string_view target);

inline constexpr std::size_t kMaxPath = 8192;

}  // namespace oauth3::base
