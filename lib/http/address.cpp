#include "http/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>

namespace oauth3::http {
namespace {

/// inet_pton takes only four decimal parts for v4 (leading zeros are refused by glibc) and no
/// zone for v6.
template <typename Raw>
std::optional<Raw> parse_ip(int family, std::string_view text) {
    if (text.find('\0') != std::string_view::npos) return std::nullopt;
    Raw raw{};
    if (::inet_pton(family, std::string(text).c_str(), &raw) != 1) return std::nullopt;
    return raw;
}

template <typename Raw>
std::string format_ip(int family, const Raw& raw) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    return ::inet_ntop(family, &raw, text.data(), text.size()) ? text.data() : "";
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    if (text.empty() || text.size() > 5) return std::nullopt;
    unsigned port = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        port = port * 10 + static_cast<unsigned>(c - '0');
    }
    if (port > 65535) return std::nullopt;
    return static_cast<std::uint16_t>(port);
}

}  // namespace

std::string Address::to_string() const {
    const std::string tail = ":" + std::to_string(port);
    return is_v6 ? "[" + host + "]" + tail : host + tail;
}

bool Address::is_loopback() const {
    return http::is_loopback(host);
}

std::optional<Address> parse_address(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto port = parse_port(text.substr(colon + 1));
    if (!port) return std::nullopt;
    const std::string_view host = text.substr(0, colon);
    Address address;
    address.port = *port;
    if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
        const auto raw = parse_ip<in6_addr>(AF_INET6, host.substr(1, host.size() - 2));
        if (!raw) return std::nullopt;
        address.host = format_ip(AF_INET6, *raw);
        address.is_v6 = true;
    } else {
        const auto raw = parse_ip<in_addr>(AF_INET, host);
        if (!raw) return std::nullopt;
        address.host = format_ip(AF_INET, *raw);
    }
    return address;
}

bool is_loopback(std::string_view host) {
    if (const auto v4 = parse_ip<in_addr>(AF_INET, host)) return (ntohl(v4->s_addr) >> 24) == 127;
    const auto v6 = parse_ip<in6_addr>(AF_INET6, host);
    if (!v6) return false;
    if (IN6_IS_ADDR_V4MAPPED(&*v6)) return v6->s6_addr[12] == 127;
    return IN6_IS_ADDR_LOOPBACK(&*v6);
}

}  // namespace oauth3::http
