#pragma once

#include "base/clock.h"
#include "base/json.h"
#include "base/network.h"

#include <string>
#include <vector>

namespace oauth3::policy {

/// What a run gets, and all it gets. Immutable once approved: its digest is what an approval
/// signs off, and it is recomputed from the stored request just before the run.
struct Grant {
    std::string code_hash;  ///< SHA-256 of the exact bytes, 64 hex
    base::Json args = base::Json::object();
    std::vector<std::string> secrets;     ///< sorted names
    std::vector<base::Network> networks;  ///< sorted
    base::Seconds timeout{0};
};

/// The one JSON form of a grant.
base::Json to_json(const Grant& grant);

/// SHA-256 of the RFC 8785 form of to_json, as 64 hex.
std::string digest(const Grant& grant);

}  // namespace oauth3::policy
