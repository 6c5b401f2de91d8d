#include "base/network.h"

#include "base/utf8.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <idn2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

namespace oauth3::base {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) {
    return c >= 'a' && c <= 'z';
}

/// True for a label that inet_aton would take as a number: decimal, octal or hexadecimal.
bool looks_numeric(std::string_view label) {
    if (label.starts_with("0x")) return true;
    return !label.empty() && std::all_of(label.begin(), label.end(), is_digit);
}

std::optional<std::string> canonical_ipv6(std::string_view inside) {
    in6_addr address{};
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (::inet_pton(AF_INET6, std::string(inside).c_str(), &address) != 1) return std::nullopt;
    if (::inet_ntop(AF_INET6, &address, text.data(), text.size()) == nullptr) return std::nullopt;
    return "[" + std::string(text.data()) + "]";
}

bool is_label(std::string_view label) {
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-')
        return false;
    return std::all_of(label.begin(), label.end(),
                       [](char c) { return is_letter(c) || is_digit(c) || c == '-'; });
}

/// The last label of a name; checks every label on the way. Empty if one is malformed.
std::string_view checked_last_label(std::string_view name) {
    for (;;) {
        const std::size_t dot = name.find('.');
        if (!is_label(name.substr(0, dot))) return {};
        if (dot == std::string_view::npos) return name;
        name.remove_prefix(dot + 1);
    }
}

std::optional<std::string> to_a_labels(std::string_view text) {
    std::uint8_t* raw = nullptr;
    const std::string input(text);
    // Not IDN2_USE_STD3_ASCII_RULES: libidn2 then drops what is not allowed instead of refusing it,
    // and "user@example.com" would be "userexample.com".
    const int rc = ::idn2_lookup_u8(reinterpret_cast<const std::uint8_t*>(input.c_str()), &raw,
                                    IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    const std::unique_ptr<std::uint8_t, decltype(&::idn2_free)> owner(raw, &::idn2_free);
    if (rc != IDN2_OK || raw == nullptr) return std::nullopt;
    return std::string(reinterpret_cast<const char*>(raw));
}

NetworkResult refuse(std::string problem) {
    return {std::nullopt, std::move(problem)};
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    unsigned port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (text.empty() || error != std::errc() || end != text.data() + text.size() ||
        text.front() == '0' || port > 65535)
        return std::nullopt;
    return static_cast<std::uint16_t>(port);
}

}  // namespace

std::optional<std::string> canonical_host(std::string_view text) {
    if (text.empty() || text.size() > 1024 || !is_valid_utf8(text) ||
        text.find('\0') != std::string_view::npos)
        return std::nullopt;
    if (text.front() == '[')
        return text.back() == ']' ? canonical_ipv6(text.substr(1, text.size() - 2)) : std::nullopt;

    auto name = to_a_labels(text);
    if (!name) return std::nullopt;
    if (name->ends_with('.')) name->pop_back();
    if (name->size() > 253) return std::nullopt;
    const std::string_view last = checked_last_label(*name);
    if (last.empty()) return std::nullopt;
    if (looks_numeric(last)) {
        in_addr address{};
        // inet_pton takes only the four-part decimal form without leading zeros.
        if (::inet_pton(AF_INET, name->c_str(), &address) != 1) return std::nullopt;
    }
    return name;
}

std::string Network::text() const {
    return fmt::format("{}{}{}", wildcard ? "*." : "", host, port ? fmt::format(":{}", *port) : "");
}

namespace {

/// True iff `name` lies below `domain`, and is not the domain itself.
bool is_below(std::string_view name, std::string_view domain) {
    return name.size() > domain.size() && name.ends_with(domain) &&
           name[name.size() - domain.size() - 1] == '.';
}

/// Without a port a network stands for these two.
bool is_usual(std::uint16_t port) {
    return port == 80 || port == 443;
}

bool host_covers(const Network& wide, const Network& narrow) {
    if (!wide.wildcard) return !narrow.wildcard && narrow.host == wide.host;
    return is_below(narrow.host, wide.host) || (narrow.wildcard && narrow.host == wide.host);
}

bool port_covers(const Network& wide, const Network& narrow) {
    if (wide.port) return narrow.port == wide.port;
    return !narrow.port || is_usual(*narrow.port);
}

}  // namespace

bool Network::covers(const Network& other) const {
    return port_covers(*this, other) && host_covers(*this, other);
}

bool overlap(const Network& a, const Network& b) {
    // Of hosts, and of ports, one covers the other or they have nothing in common.
    return (port_covers(a, b) || port_covers(b, a)) && (host_covers(a, b) || host_covers(b, a));
}

std::optional<Network> intersection(const Network& a, const Network& b) {
    if (!overlap(a, b)) return std::nullopt;
    Network out = host_covers(a, b) ? b : a;
    out.port = port_covers(a, b) ? b.port : a.port;
    return out;
}

NetworkResult parse_network(std::string_view text) {
    if (text.find("//") != std::string_view::npos)
        return refuse("a network has no scheme: write only the host");
    if (text.find_first_of("/?#\\") != std::string_view::npos)
        return refuse("a network has no path: write only the host");
    if (text.find('@') != std::string_view::npos) return refuse("a network has no user name");

    Network out;
    std::string_view host = text;
    if (host.starts_with("*.")) {
        out.wildcard = true;
        host.remove_prefix(2);
    }
    const std::size_t after_bracket = host.starts_with("[") ? host.find(']') : 0;
    if (after_bracket == std::string_view::npos) return refuse("the bracket is not closed");
    const std::size_t colon = host.find(':', after_bracket);
    if (colon != std::string_view::npos) {
        out.port = parse_port(host.substr(colon + 1));
        if (!out.port) return refuse("the port is not a number from 1 to 65535");
        host = host.substr(0, colon);
    }
    const auto canonical = canonical_host(host);
    if (!canonical) return refuse("this is not a host name or address");
    out.host = *canonical;
    if (out.wildcard) {
        const std::string_view last = checked_last_label(out.host);
        const bool address = last.empty() || looks_numeric(last);
        if (address || out.host.find('.') == std::string::npos)
            return refuse("a wildcard needs two labels after \"*.\"");
    }
    return {out, {}};
}

}  // namespace oauth3::base
