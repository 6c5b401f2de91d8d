#pragma once

#include "base/clock.h"
#include "base/json.h"
#include "base/network.h"
#include "policy/limit.h"
#include "policy/rule.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace oauth3::policy {

/// What one run of a program asks for.
struct Ask {
    std::string code_hash;
    base::Json args = base::Json::object();
    std::vector<std::string> secrets;
    std::vector<base::Network> networks;
    base::Seconds timeout{30};
};

/// The networks that each secret may go to, sorted.
using SecretHosts = std::map<std::string, std::vector<base::Network>>;

/// {NAME: [network]}, and back.
base::Json to_json(const SecretHosts& hosts);
SecretHosts secret_hosts_from_json(const base::Json& json);

/// What a run gets, and all it gets. Immutable once approved: it is stored with the approval, its
/// digest is what the approval signs off and the ledger holds, and just before the run it is held
/// against the request that it was made of.
struct Grant {
    std::string code_hash;  ///< SHA-256 of the exact bytes, 64 hex
    base::Json args = base::Json::object();
    std::vector<std::string> secrets;     ///< sorted names
    std::vector<base::Network> networks;  ///< sorted
    SecretHosts secret_hosts;             ///< of these secrets, within these networks
    std::vector<Rule> rules;              ///< sorted; a call needs one that matches
    std::vector<Limit> limits;            ///< a call must be allowed by each
    base::Seconds timeout{0};
};

/// What the egress gate answers a call with (wire 5.7, 6.5).
enum class Gate { allow, deny_host, deny_rule };
Gate gate(const Grant& grant, const Call& call);

/// What a human who approves this request itself signs off: exactly what it asks for.
Grant grant_of(const Ask& ask);

/// The one JSON form of a grant, and back. Throws Error "corrupt" for what to_json did not write.
base::Json to_json(const Grant& grant);
Grant grant_from_json(const base::Json& json);

/// SHA-256 of the RFC 8785 form of to_json, as 64 hex.
std::string digest(const Grant& grant);

/// The members of two grants that differ, by their names in to_json: "args", "code_hash".
std::vector<std::string> differences(const Grant& a, const Grant& b);

/// True only if nothing that the one gives is not given by the other: it may run for the same or a
/// shorter time, and every call, every secret, and every host of a secret is allowed by both.
bool within(const Grant& narrow, const Grant& wide);

}  // namespace oauth3::policy
