#pragma once

#include "base/clock.h"
#include "base/network.h"
#include "policy/session.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace oauth3::policy {

/// A secret and a host that it may go to.
struct Bond {
    std::string secret;
    std::string host;

    bool operator==(const Bond&) const = default;
};

/// What an approval would change in a living session: only what the session does not allow
/// already.
struct Growth {
    std::vector<std::string> secrets;
    std::vector<base::Network> networks;
    /// Also of a secret and a host that the session holds both, but not together.
    std::vector<Bond> secret_hosts;
    std::vector<Constraint> constraints;
    std::vector<Rule> rules;
    std::vector<TypedArg> args;
    std::vector<std::string> code_hashes;
    bool budgets = false;                      ///< they change
    std::optional<bool> any_code;              ///< if it changes
    std::optional<base::Seconds> max_timeout;  ///< if it changes
    std::optional<std::int64_t> max_runs;      ///< if it changes, to more or fewer
    std::optional<base::Time> expires_at;      ///< if it changes, to later or earlier

    bool operator==(const Growth&) const = default;
};

/// How approve_scope and approve_run would change `session`. What their limits cut from it is not
/// named.
Growth growth(const Session& session, const Scope& scope, base::Time now);
Growth growth(const Session& session, const Ask& ask, base::Time now);

}  // namespace oauth3::policy
