#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace oauth3::base {

/// The one canonical form of a host that every comparison in the house uses:
///   - a name: UTS 46 (non-transitional) to lower-case A-labels of letters, digits and inner
///     hyphens, at most 63 a label and 253 in all, no final dot;
///   - an IPv4 address: four decimal numbers without leading zeros. A name whose last label looks
///     like a number in any base is refused, because libc would read it as an address;
///   - an IPv6 address: in brackets, as RFC 5952 writes it, without a zone.
/// nullopt for anything else.
std::optional<std::string> canonical_host(std::string_view text);

/// Where a program may connect to: `host`, `host:port`, `*.domain` or `*.domain:port`.
/// Without a port it stands for the ports 80 and 443.
struct Network {
    std::string host;       ///< canonical; for a wildcard the part after "*."
    bool wildcard = false;  ///< every name below `host`, but not `host` itself
    std::optional<std::uint16_t> port;

    /// The spelling that parse_network reads back to the same value.
    std::string text() const;

    /// True iff everything that `other` names is named by this one.
    bool covers(const Network& other) const;

    auto operator<=>(const Network&) const = default;
    bool operator==(const Network&) const = default;
};

/// True iff there is something that both name.
bool overlap(const Network& a, const Network& b);

/// Exactly what both name; nullopt if there is nothing.
std::optional<Network> intersection(const Network& a, const Network& b);

/// What parse_network found: a network, or one plain sentence why the text is none.
struct NetworkResult {
    std::optional<Network> network;
    std::string problem;
};

/// Reads one network. No scheme, path, user or query; a wildcard needs two labels after "*.".
NetworkResult parse_network(std::string_view text);

}  // namespace oauth3::base
