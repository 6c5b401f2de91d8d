#include "policy/sets.h"

#include "base/error.h"

namespace oauth3::policy {

bool covered(const std::vector<base::Network>& by, const base::Network& network) {
    return std::any_of(by.begin(), by.end(), [&](const auto& n) { return n.covers(network); });
}

std::vector<base::Network> intersection(const std::vector<base::Network>& a,
                                        const std::vector<base::Network>& b) {
    std::vector<base::Network> out;
    for (const base::Network& one : a) {
        if (covered(b, one)) {
            out.push_back(one);
            continue;
        }
        for (const base::Network& other : b)
            if (auto both = base::intersection(one, other)) out.push_back(std::move(*both));
    }
    make_set(out);
    return out;
}

std::vector<std::string> texts_of(const std::vector<base::Network>& networks) {
    std::vector<std::string> out;
    for (const base::Network& network : networks) out.push_back(network.text());
    return out;
}

std::vector<base::Network> networks_from(const std::vector<std::string>& texts) {
    std::vector<base::Network> out;
    for (const std::string& text : texts) {
        base::NetworkResult result = base::parse_network(text);
        if (!result.network) throw base::Error("corrupt", "a stored network cannot be read");
        out.push_back(std::move(*result.network));
    }
    return out;
}

}  // namespace oauth3::policy
