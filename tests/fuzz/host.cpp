// The one canonicaliser of hosts, and networks on top of it. The input is up to three lines.

#include "base/network.h"
#include "base/utf8.h"
#include "fuzz/fuzz.h"

#include <arpa/inet.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace oauth3;
using base::Network;
using fuzz::require;

namespace {

bool is_host_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

void check_host(std::string_view text) {
    const auto host = base::canonical_host(text);
    if (!host) return;
    require(base::canonical_host(*host) == host, "the canonical form is a fixed point", *host);
    if (host->starts_with('[')) {
        in6_addr address{};
        const std::string inside = host->substr(1, host->size() - 2);
        require(host->back() == ']' && ::inet_pton(AF_INET6, inside.c_str(), &address) == 1,
                "brackets hold an IPv6 address", *host);
        return;
    }
    require(std::all_of(host->begin(), host->end(), is_host_character),
            "a host is lower-case letters, digits, hyphens and dots", *host);
    require(!host->empty() && host->size() <= 253 && host->front() != '.' && host->back() != '.',
            "a host has a length and no dot at its ends", *host);
    require(host->find("..") == std::string::npos, "no label is empty", *host);
    // What libc would dial as an address must be one in the usual spelling.
    in_addr loose{}, strict{};
    if (::inet_aton(host->c_str(), &loose) != 0)
        require(::inet_pton(AF_INET, host->c_str(), &strict) == 1 && loose.s_addr == strict.s_addr,
                "a name is no address in disguise", *host);
    // Letter case and a final dot make no other host.
    if (std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; })) {
        std::string upper(text);
        for (char& c : upper)
            if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
        require(base::canonical_host(upper) == host, "letter case makes no other host", upper);
        if (!upper.ends_with('.'))
            require(base::canonical_host(upper + ".") == host, "a final dot makes no other host",
                    upper);
    }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest = fuzz::as_text(data, size);
    std::vector<Network> networks;
    for (int i = 0; i < 3 && !rest.empty(); ++i) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        check_host(line);
        const base::NetworkResult result = base::parse_network(line);
        require(result.network.has_value() == result.problem.empty(), "a network or a reason",
                line);
        if (!result.network) continue;
        const Network& network = *result.network;
        const std::string text = network.text();
        require(base::parse_network(text).network == network, "text() reads back", text);
        require(base::canonical_host(network.host) == network.host, "the host is canonical", text);
        require(network.port != 0, "no port 0", text);
        require(network.covers(network), "a network covers itself", text);
        if (network.wildcard) {
            require(network.host.find('.') != std::string::npos, "two labels after *.", text);
            Network base = network;
            base.wildcard = false;
            require(!network.covers(base), "a wildcard does not cover its own base", text);
            require(!base.covers(network), "a host covers no wildcard", text);
            base.host = "x." + base.host;
            require(network.covers(base), "a wildcard covers what is below", text);
            base.host = "x" + network.host;
            require(!network.covers(base), "a wildcard ends at a dot", text);
        }
        networks.push_back(network);
    }
    for (const Network& a : networks)
        for (const Network& b : networks)
            for (const Network& c : networks)
                require(!(a.covers(b) && b.covers(c)) || a.covers(c), "covering is transitive",
                        a.text() + " " + b.text() + " " + c.text());
    return 0;
}
