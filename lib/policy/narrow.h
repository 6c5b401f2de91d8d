#pragma once

#include "base/clock.h"
#include "base/network.h"
#include "policy/grant.h"
#include "policy/session.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace oauth3::policy {

/// What a session is to be cut down to (wire 6.3). Each named part replaces the session's; one
/// that is absent stays as it is.
struct Narrowing {
    std::optional<std::vector<std::string>> secrets;
    std::optional<std::vector<base::Network>> networks;
    std::optional<std::vector<Rule>> rules;  ///< each with a host
    std::optional<std::vector<std::string>> code_hashes;
    std::optional<std::vector<TypedArg>> args;  ///< all of the session's, and perhaps more
    std::optional<std::int64_t> max_runs;       ///< at least 1
    std::optional<base::Seconds> max_timeout;   ///< at least 1 s
    std::optional<base::Seconds> expires_in;    ///< from now
    bool known_code_only = false;               ///< any_code: false
};

/// A part that the session does not cover already: its name on the wire.
struct NotNarrower {
    std::string field;
};

/// The session cut down, or the first part that would widen it. What the result allows, the old
/// session allowed: secrets stay bound to those of their hosts that are still allowed.
std::variant<Session, NotNarrower> narrow(const Session& session, const Narrowing& to,
                                          base::Time now);

/// What a human cuts from an execution while approving it (wire 7.4); of a Narrowing only secrets,
/// networks, rules and max_timeout count.
std::variant<Grant, NotNarrower> narrow(const Grant& grant, const Narrowing& to);
/// What a human cuts from a scope while approving it. A network that is left without a rule goes,
/// too: alone it would stand for everything on its host.
std::variant<Scope, NotNarrower> narrow(const Scope& scope, const Narrowing& to);

}  // namespace oauth3::policy
