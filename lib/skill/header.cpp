#include "skill/header.h"

#include <algorithm>

namespace oauth3::skill {
namespace {

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

std::size_t skip_blanks(std::string_view line, std::size_t from = 0) {
    while (from < line.size() && is_blank(line[from])) ++from;
    return from;
}

/// "/*" or "/**" on the first line, "*" or nothing on the others.
std::size_t marker_end(std::string_view line, bool first) {
    std::size_t at = skip_blanks(line);
    if (first) {
        at += 2;
        if (at < line.size() && line[at] == '*') ++at;
    } else if (at < line.size() && line[at] == '*') {
        ++at;
    }
    return at;
}

void read_line_comments(Header& out) {
    while (!out.rest.empty()) {
        std::string_view after = out.rest;
        const std::string_view line = take_line(after);
        const std::size_t start = skip_blanks(line);
        if (!line.substr(start).starts_with("//")) return;
        out.lines.push_back({line, out.rest_line, start + 2});
        out.rest = after;
        ++out.rest_line;
    }
}

void read_block_comment(Header& out) {
    const std::size_t open = out.rest.find("/*");
    const std::size_t close = out.rest.find("*/", open + 2);
    std::string_view block = out.rest.substr(0, close);
    const std::size_t first_number = out.rest_line;
    for (bool first = true; first || !block.empty(); first = false) {
        const std::size_t number = out.rest_line;
        const bool has_more = block.find('\n') != std::string_view::npos;
        const std::string_view line = take_line(block);
        out.lines.push_back({line, number, marker_end(line, number == first_number)});
        if (has_more) ++out.rest_line;
    }
    out.rest = close == std::string_view::npos ? std::string_view() : out.rest.substr(close + 2);
}

}  // namespace

std::string_view take_line(std::string_view& text) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

std::string_view trim_blanks(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

Header find_header(std::string_view code) {
    Header out;
    out.rest = code;
    if (out.rest.starts_with("\xEF\xBB\xBF")) out.rest.remove_prefix(3);
    if (out.rest.starts_with("#!")) {
        take_line(out.rest);
        ++out.rest_line;
    }
    while (!out.rest.empty()) {
        std::string_view after = out.rest;
        const std::string_view line = trim_blanks(take_line(after));
        if (line.empty()) {
            out.rest = after;
            ++out.rest_line;
            continue;
        }
        if (line.starts_with("//")) read_line_comments(out);
        if (line.starts_with("/*")) read_block_comment(out);
        break;
    }
    return out;
}

}  // namespace oauth3::skill
