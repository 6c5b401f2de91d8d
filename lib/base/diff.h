#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace oauth3::base {

/// One line of a difference. `old_line` and `new_line` are 1-based, 0 where the line is not.
struct DiffLine {
    enum class Kind { same, removed, added };
    Kind kind = Kind::same;
    std::size_t old_line = 0;
    std::size_t new_line = 0;
    std::string_view text;  ///< without its line feed; lives as long as the text it is from
};

/// A stretch of changes with the unchanged lines around it.
using Hunk = std::vector<DiffLine>;

/// The lines of a text, each without its line feed. A final line feed ends the last line and
/// begins no further one; an empty text has no lines.
std::vector<std::string_view> split_lines(std::string_view text);

/// What turns `before` into `after`, line by line, with up to `context` unchanged lines around each
/// change; empty iff both have the same lines. Always a true difference. It is the shortest one
/// (Myers, "An O(ND) Difference Algorithm", 1986) unless the texts are so long and so different
/// that finding it would cost too much: then what lies between their common start and end stands
/// there as removed and added whole.
std::vector<Hunk> diff_lines(std::string_view before, std::string_view after,
                             std::size_t context = 3);

}  // namespace oauth3::base
