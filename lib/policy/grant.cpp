#include "policy/grant.h"

#include "base/crypto.h"

namespace oauth3::policy {

base::Json to_json(const Grant& grant) {
    base::Json networks = base::Json::array();
    for (const base::Network& network : grant.networks) networks.push_back(network.text());
    return {{"code_hash", grant.code_hash},
            // As text, which is what the program gets: as numbers, 1 and 1.0, or two integers
            // beyond 2^53, would have the same RFC 8785 form and so the same digest.
            {"args", base::dump_json(grant.args)},
            {"secrets", grant.secrets},
            {"networks", std::move(networks)},
            {"timeout", grant.timeout.count()}};
}

std::string digest(const Grant& grant) {
    return base::sha256_hex(base::canonical_json(to_json(grant)));
}

}  // namespace oauth3::policy
