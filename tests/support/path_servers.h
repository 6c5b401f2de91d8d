#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// How servers read the path of a request: naive models, written from what servers are known to do
/// and with nothing from lib/, to see whether a path that a rule allows is another one somewhere.
namespace oauth3::test {

struct Server {
    int decodes = 1;           ///< percent-decoding, malformed escapes left as they are
    bool u_escapes = false;    ///< %u002e is decoded, too
    bool cuts_early = false;   ///< parameters are cut off before decoding
    bool cuts_late = false;    ///< and after
    bool backslashes = false;  ///< "\" is "/"
    bool folds = false;        ///< best fit to ASCII
    bool low_bytes = false;    ///< characters beyond U+00FF lose their high bits
    bool trims = false;        ///< blanks at the end of a segment are dropped, "..." is ".."
    bool ends_at_nul = false;
};

inline std::vector<Server> all_servers() {
    std::vector<Server> out;
    for (int decodes = 1; decodes <= 3; ++decodes)
        for (unsigned bits = 0; bits < 256; ++bits)
            out.push_back({decodes, (bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0,
                           (bits & 8) != 0, (bits & 16) != 0, (bits & 32) != 0, (bits & 64) != 0,
                           (bits & 128) != 0});
    return out;
}

namespace servers {

inline int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// The number that `count` hexadecimal digits at `at` are, or -1.
inline int hex_at(std::string_view text, std::size_t at, std::size_t count) {
    int value = 0;
    for (std::size_t i = at; i < at + count; ++i) {
        if (i >= text.size() || hex_value(text[i]) < 0) return -1;
        value = value * 16 + hex_value(text[i]);
    }
    return value;
}

inline std::string decode(std::string_view text, bool u_escapes) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool u = u_escapes && i + 1 < text.size() && (text[i + 1] | 0x20) == 'u';
        const int wide = text[i] == '%' && u ? hex_at(text, i + 2, 4) : -1;
        const int byte = text[i] == '%' ? hex_at(text, i + 1, 2) : -1;
        out += wide >= 0   ? static_cast<char>(wide & 0xFF)
               : byte >= 0 ? static_cast<char>(byte)
                           : text[i];
        i += wide >= 0 ? 5 : byte >= 0 ? 2 : 0;
    }
    return out;
}

inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
        text.replace(at, from.size(), to);
    return text;
}

inline std::string fold(std::string text) {
    static const std::vector<std::pair<std::string_view, std::string_view>> kFits{
        {"\uFF0E", "."}, {"\u2024", "."}, {"\u2025", ".."},  {"\u3002", "."},  {"\uFF0F", "/"},
        {"\u2215", "/"}, {"\u2044", "/"}, {"\uFF3C", "\\"},  {"\u2216", "\\"}, {"\u00A5", "\\"},
        {"\uFF05", "%"}, {"\uFF1B", ";"}, {"\uFF12", "2"},   {"\uFF45", "e"},  {"\u00A0", " "},
        {"\u200B", ""},  {"\uFEFF", ""},  {"\xC0\xAE", "."}, {"\xC0\xAF", "/"}};
    for (const auto& [from, to] : kFits) text = replaced(std::move(text), from, to);
    return text;
}

/// Three-byte characters only: what the tests have of them.
inline std::string low_bytes(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
        if ((byte(i) & 0xF0) == 0xE0 && i + 2 < text.size()) {
            out += static_cast<char>(((byte(i + 1) & 0x03) << 6) | (byte(i + 2) & 0x3F));
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

inline std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> out(1);
    for (const char c : text)
        if (c == '/')
            out.emplace_back();
        else
            out.back() += c;
    return out;
}

inline std::string cut(std::string_view path) {
    std::string out;
    bool dropping = false;
    for (const char c : path) {
        if (c == ';') dropping = true;
        if (c == '/') dropping = false;
        if (!dropping) out += c;
    }
    return out;
}

inline std::string trimmed(std::string segment) {
    while (segment.ends_with(' ')) segment.pop_back();
    if (segment.size() > 2 && segment.find_first_not_of(". ") == std::string::npos) return "..";
    return segment;
}

}  // namespace servers

/// The path that the server serves: resolved, without empty segments but for a last one.
inline std::string served_path(std::string_view target, const Server& server) {
    std::string text(target.substr(0, target.find_first_of("?#")));
    if (server.cuts_early) text = servers::cut(text);
    for (int i = 0; i < server.decodes; ++i) text = servers::decode(text, server.u_escapes);
    if (server.folds) text = servers::decode(servers::fold(text), false);
    if (server.low_bytes) text = servers::low_bytes(text);
    if (server.ends_at_nul) text = text.substr(0, text.find('\0'));
    if (server.backslashes) text = servers::replaced(text, "\\", "/");
    if (server.cuts_late) text = servers::cut(text);
    std::vector<std::string> kept;
    bool open = false;
    for (std::string& raw : servers::split(text)) {
        const std::string segment = server.trims ? servers::trimmed(raw) : raw;
        open = segment.empty() || segment == "." || segment == "..";
        if (segment == ".." && !kept.empty()) kept.pop_back();
        if (!open) kept.push_back(segment);
    }
    std::string out;
    for (const std::string& segment : kept) out += "/" + segment;
    return open || out.empty() ? out + "/" : out;
}

}  // namespace oauth3::test
