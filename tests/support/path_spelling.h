#pragma once

#include "support/draws.h"

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace oauth3::test {

/// The straightforward encoder: what cannot stand in a target as it is, and every byte beyond
/// ASCII.
inline std::string encode_path(std::string_view canonical) {
    std::string out;
    for (const char c : canonical) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte <= 0x20 || byte >= 0x7F || c == '%' || c == '?' || c == '#')
            out += fmt::format("%{:02X}", byte);
        else
            out += c;
    }
    return out;
}

/// Another spelling of a canonical path: any byte but "/" may be escaped, some must.
inline std::string any_spelling(std::string_view canonical, Draws& draws) {
    const int rarity = draws.of(std::vector<int>{1, 2, 8, 1000});
    std::string out;
    for (const char c : canonical) {
        const bool must = c == ' ' || c == '%' || c == '?' || c == '#';
        if (must || (c != '/' && draws.one_in(rarity)))
            out += draws.coin() ? fmt::format("%{:02X}", static_cast<unsigned char>(c))
                                : fmt::format("%{:02x}", static_cast<unsigned char>(c));
        else
            out += c;
    }
    return out;
}

/// A canonical path by how it is built, so that nothing has to be thrown away.
inline std::string any_canonical_path(Draws& draws) {
    static const std::vector<std::string> kFirst{
        "a", "b", "..a", ".git", "a..", "*", "\u00E9", "+", ":", "~", "\u65E5", "@", "%", "?", "#"};
    static const std::vector<std::string> kNext{"a",      "b",       ".",  "..", ";", "=",
                                                "%",      "%z",      "?",  "#",  " ", "*",
                                                "\u00E9", "e\u0301", "\"", "|"};
    std::string out;
    for (int left = draws.below(5); left > 0; --left) {
        std::string segment = draws.of(kFirst) + draws.joined(kNext, 4);
        // No escape may be left after decoding.
        for (std::size_t at = 0; (at = segment.find('%', at)) != std::string::npos; ++at)
            segment.insert(at + 1, "_");
        out += "/" + segment;
    }
    if (out.empty() || draws.one_in(3)) out += '/';
    return out;
}

}  // namespace oauth3::test
