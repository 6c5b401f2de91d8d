#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace oauth3::policy {

/// Which canonical paths (base/path.h) a rule is for (wire 6.5): segments between "/", of which "*"
/// stands for exactly one that is not empty, and "**" for any number of them, none included:
/// "/a/**" matches "/a", "/a/", "/a/b" and "/a/b/c". Everything else is compared as it is, letter
/// case included. A "*" among other characters of a segment is refused, since it would look like
/// more than it is.
class PathPattern {
  public:
    /// Reads a pattern; it may be percent-encoded as a path may. The second is one plain sentence
    /// why it is none. At most kMaxPattern bytes.
    static std::variant<PathPattern, std::string> parse(std::string_view text);

    /// `path` must be canonical. Takes time proportional to the lengths' product at most.
    bool matches(std::string_view path) const;

    /// True only if every path that `other` matches is matched by this one. May be false for
    /// patterns of which that is true, but never for equal ones.
    bool covers(const PathPattern& other) const;

    /// The canonical spelling, which parse() reads back to an equal pattern.
    std::string text() const;

    auto operator<=>(const PathPattern&) const = default;
    bool operator==(const PathPattern&) const = default;

  private:
    std::vector<std::string>
        segments_;  ///< after the first "/"; a final "/" makes a last empty one
};

inline constexpr std::size_t kMaxPattern = 1024;

}  // namespace oauth3::policy
