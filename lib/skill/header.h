#pragma once

#include <string_view>
#include <vector>

namespace oauth3::skill {

/// One line of the leading comment block, without its line end and without a closing "*/".
struct HeaderLine {
    std::string_view text;  ///< from the start of the source line
    std::size_t number = 1;
    std::size_t marker_end = 0;  ///< where the text after the comment marker begins
};

/// The leading comment block, and where the rest of the program begins.
struct Header {
    std::vector<HeaderLine> lines;
    std::string_view rest;
    std::size_t rest_line = 1;  ///< number of the source line in which `rest` begins
};

/// Finds the leading comment block: after an optional byte order mark, one optional "#!" line and
/// blank lines, either consecutive "//" lines or one "/* */" block.
Header find_header(std::string_view code);

/// One line of `text`, without "\n" or "\r\n"; moves `text` behind it.
std::string_view take_line(std::string_view& text);

std::string_view trim_blanks(std::string_view text);

}  // namespace oauth3::skill
