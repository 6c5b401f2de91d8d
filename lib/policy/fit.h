#pragma once

#include "base/clock.h"
#include "policy/grant.h"
#include "policy/session.h"

#include <string>
#include <variant>
#include <vector>

namespace oauth3::policy {

/// Why a request does not fit a session, as the sentences of wire 6.4.
using Violations = std::vector<std::string>;

/// Whether a run is among the session's runs_used already: it is when the check is repeated at its
/// start.
enum class Counted { no, yes };

/// A Grant iff the request fits the session (wire 6.4): the request with the session's rules and
/// limits for its networks, never more than either of them holds.
std::variant<Grant, Violations> fit(const Session& session, const Ask& ask, base::Time now,
                                    Counted counted = Counted::no);

/// What a session lacks for a request: secrets that it does not have, networks that none of its
/// networks covers.
struct Gaps {
    std::vector<std::string> secrets;
    std::vector<base::Network> networks;
};
Gaps gaps(const SessionPolicy& policy, const Ask& ask);

}  // namespace oauth3::policy
