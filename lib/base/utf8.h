#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace oauth3::base {

/// Length in bytes of the valid UTF-8 sequence (RFC 3629) at the start of `text`, 0 if there is
/// none: overlong forms, surrogates and values above U+10FFFF are invalid.
std::size_t utf8_sequence(std::string_view text);

/// One code point read by next_code_point. `valid` is false for a byte that starts no sequence.
struct CodePoint {
    char32_t value = 0;
    std::size_t size = 1;
    bool valid = false;
};

/// Reads the code point at the start of `text`, which must not be empty.
CodePoint next_code_point(std::string_view text);

bool is_valid_utf8(std::string_view text);

/// Number of code points; an invalid byte counts as one.
std::size_t utf8_length(std::string_view text);

/// Replaces each maximal invalid part by U+FFFD, as the Unicode standard recommends
/// (section 3.9, "substitution of maximal subparts").
std::string to_valid_utf8(std::string_view bytes);

/// The longest start of `bytes` that is at most `limit` bytes long and does not end inside a
/// valid sequence.
std::string_view cut_utf8(std::string_view bytes, std::size_t limit);

void append_utf8(std::string& out, char32_t code_point);

/// True for characters that must not reach a human unseen: C0 and C1 controls, bidirectional
/// controls, zero-width and other invisible format characters, line and paragraph separators.
/// Tab and newline are controls too; callers that allow them ask first.
bool is_deceptive(char32_t code_point);

/// `text` with every deceptive character written as <U+XXXX> and every byte that is not UTF-8 as
/// <0xXX>. Newline and tab stay if `keep_lines`. What a terminal or a page shows of other people's
/// text goes through here.
std::string make_visible(std::string_view text, bool keep_lines);

}  // namespace oauth3::base
