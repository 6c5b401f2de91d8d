#pragma once

#include "base/json.h"
#include "policy/fit.h"
#include "policy/scope.h"
#include "policy/session.h"

#include <optional>
#include <string>
#include <vector>

// What a scope would allow, worked out on this machine by the same functions that the server uses.
// A session is supposed that holds the one scope and nothing else, just approved as it stands.

namespace oauth3::cli {

struct OfflineScope {
    policy::Scope scope;
    policy::Session session;  ///< as the approval would begin it
    std::vector<std::string> warnings;
};

/// `body` is that of POST /scope (wire 5.2). Throws base::Malformed where the server would answer
/// with 400.
OfflineScope read_offline_scope(const base::Json& body);

/// A run as it would be asked for. `request` holds `code`, and perhaps `args` and `secrets`, as
/// POST /execute takes them. Throws base::Malformed where the server would answer with 400.
policy::Ask read_offline_run(const base::Json& request, std::vector<std::string>& warnings);

/// What the server would say of the run.
struct OfflineVerdict {
    std::optional<policy::Grant> grant;  ///< what it would get, if it fits
    policy::Violations violations;       ///< why it does not
    policy::Gaps gaps;
};
OfflineVerdict check_offline(const OfflineScope& scope, const policy::Ask& run);

/// The rules of the session that matter: those for one of its networks.
std::vector<policy::Rule> living_rules(const policy::SessionPolicy& policy);

/// The documents of `scope explain` and `scope check`.
base::Json explain_json(const OfflineScope& scope);
base::Json verdict_json(const OfflineVerdict& verdict, const std::vector<std::string>& warnings);

}  // namespace oauth3::cli
