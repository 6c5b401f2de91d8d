#include "base/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace oauth3::base {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

unsigned byte_at(std::string_view text, std::size_t i) {
    return static_cast<unsigned char>(text[i]);
}

/// Range of the second byte for a lead byte, after table 3-7 of the Unicode standard.
std::pair<unsigned, unsigned> second_byte_range(unsigned lead) {
    switch (lead) {
        case 0xE0:
            return {0xA0, 0xBF};
        case 0xED:
            return {0x80, 0x9F};
        case 0xF0:
            return {0x90, 0xBF};
        case 0xF4:
            return {0x80, 0x8F};
        default:
            return {0x80, 0xBF};
    }
}

std::size_t expected_length(unsigned lead) {
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return 2;
    if (lead >= 0xE0 && lead <= 0xEF) return 3;
    if (lead >= 0xF0 && lead <= 0xF4) return 4;
    return 0;
}

/// How many bytes at the start belong to a well-formed start of a sequence (0 if none does).
std::size_t well_formed_prefix(std::string_view text) {
    const std::size_t length = expected_length(byte_at(text, 0));
    if (length == 0) return 0;
    std::size_t i = 1;
    for (; i < length && i < text.size(); ++i) {
        const auto [low, high] = i == 1 ? second_byte_range(byte_at(text, 0))
                                        : std::pair<unsigned, unsigned>{0x80, 0xBF};
        if (byte_at(text, i) < low || byte_at(text, i) > high) break;
    }
    return i;
}

}  // namespace

std::size_t utf8_sequence(std::string_view text) {
    if (text.empty()) return 0;
    const std::size_t length = expected_length(byte_at(text, 0));
    return length != 0 && well_formed_prefix(text) == length ? length : 0;
}

CodePoint next_code_point(std::string_view text) {
    const std::size_t size = utf8_sequence(text);
    if (size == 0) return {byte_at(text, 0), 1, false};
    static constexpr std::array<unsigned, 5> kLeadMask{0, 0x7F, 0x1F, 0x0F, 0x07};
    char32_t value = byte_at(text, 0) & kLeadMask[size];
    for (std::size_t i = 1; i < size; ++i) value = (value << 6) | (byte_at(text, i) & 0x3F);
    return {value, size, true};
}

bool is_valid_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t size = utf8_sequence(text);
        if (size == 0) return false;
        text.remove_prefix(size);
    }
    return true;
}

std::size_t utf8_length(std::string_view text) {
    std::size_t count = 0;
    for (; !text.empty(); ++count) text.remove_prefix(next_code_point(text).size);
    return count;
}

std::string to_valid_utf8(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size());
    while (!bytes.empty()) {
        std::size_t size = utf8_sequence(bytes);
        if (size != 0) {
            out += bytes.substr(0, size);
        } else {
            out += kReplacement;
            size = std::max<std::size_t>(1, well_formed_prefix(bytes));
        }
        bytes.remove_prefix(size);
    }
    return out;
}

std::string_view cut_utf8(std::string_view bytes, std::size_t limit) {
    if (bytes.size() <= limit) return bytes;
    // A sequence has at most four bytes: look back for the start of the one that crosses the cut.
    for (std::size_t back = 1; back <= 3 && back <= limit; ++back) {
        const std::size_t start = limit - back;
        const std::size_t size = utf8_sequence(bytes.substr(start));
        if (size > back) return bytes.substr(0, start);
        if (size != 0) break;
    }
    return bytes.substr(0, limit);
}

void append_utf8(std::string& out, char32_t c) {
    const auto put = [&out](char32_t byte) { out += static_cast<char>(byte); };
    if (c < 0x80) {
        put(c);
    } else if (c < 0x800) {
        put(0xC0 | (c >> 6));
        put(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        put(0xE0 | (c >> 12));
        put(0x80 | ((c >> 6) & 0x3F));
        put(0x80 | (c & 0x3F));
    } else {
        put(0xF0 | (c >> 18));
        put(0x80 | ((c >> 12) & 0x3F));
        put(0x80 | ((c >> 6) & 0x3F));
        put(0x80 | (c & 0x3F));
    }
}

bool is_deceptive(char32_t c) {
    struct Range {
        char32_t first, last;
    };
    static constexpr std::array<Range, 19> kRanges{{
        {0x0000, 0x001F},    // C0 controls
        {0x007F, 0x009F},    // delete, C1 controls
        {0x00AD, 0x00AD},    // soft hyphen
        {0x034F, 0x034F},    // combining grapheme joiner
        {0x061C, 0x061C},    // Arabic letter mark
        {0x115F, 0x1160},    // Hangul fillers
        {0x17B4, 0x17B5},    // invisible Khmer vowels
        {0x180B, 0x180F},    // Mongolian selectors
        {0x200B, 0x200F},    // zero width, direction marks
        {0x2028, 0x202E},    // separators, bidirectional embeddings and overrides
        {0x2060, 0x206F},    // word joiner, isolates, invisible operators
        {0x3164, 0x3164},    // Hangul filler
        {0xFE00, 0xFE0F},    // variation selectors
        {0xFEFF, 0xFEFF},    // zero width no-break space
        {0xFFA0, 0xFFA0},    // half-width Hangul filler
        {0xFFF0, 0xFFFB},    // specials
        {0x1BCA0, 0x1BCA3},  // shorthand format controls
        {0x1D173, 0x1D17A},  // musical format controls
        {0xE0000, 0xE0FFF},  // tags, variation selectors
    }};
    return std::any_of(kRanges.begin(), kRanges.end(),
                       [c](Range r) { return c >= r.first && c <= r.last; });
}

std::string make_visible(std::string_view text, bool keep_lines) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const CodePoint c = next_code_point(text);
        const bool kept = keep_lines && (c.value == '\n' || c.value == '\t');
        if (!c.valid) {
            out += fmt::format("<0x{:02X}>", static_cast<std::uint32_t>(c.value));
        } else if (is_deceptive(c.value) && !kept) {
            out += fmt::format("<U+{:04X}>", static_cast<std::uint32_t>(c.value));
        } else {
            out += text.substr(0, c.size);
        }
        text.remove_prefix(c.size);
    }
    return out;
}

}  // namespace oauth3::base
