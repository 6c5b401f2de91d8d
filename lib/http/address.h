#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace oauth3::http {

/// An IP address and a port, without any name.
struct Address {
    std::string host;  ///< normal form: "127.0.0.1" or "::1" (no brackets)
    std::uint16_t port = 0;
    bool is_v6 = false;

    /// "127.0.0.1:3737" or "[::1]:3737".
    std::string to_string() const;
    /// 127.0.0.0/8, ::1, or such a v4 address mapped into v6.
    bool is_loopback() const;
};

/// Reads "127.0.0.1:3737" or "[::1]:0" strictly: four decimal parts without leading zeros, v6 in
/// brackets without a zone, a decimal port 0..65535. nullopt for anything else, names included.
std::optional<Address> parse_address(std::string_view text);

/// is_loopback for an address without port and brackets; false if it is none.
bool is_loopback(std::string_view host);

}  // namespace oauth3::http
