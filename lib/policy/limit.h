#pragma once

#include "base/clock.h"
#include "base/json.h"
#include "policy/rule.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace oauth3::policy {

/// What a plain-text constraint becomes: it only takes away. It holds for every host, rule and
/// later widening of its session. A part that is absent takes nothing away.
struct Limit {
    /// Only calls that one of these rules matches; an empty list: none at all.
    std::optional<std::vector<Rule>> calls;
    bool tls_only = false;                            ///< no call in clear
    std::optional<std::vector<std::string>> secrets;  ///< only these, sorted
    std::optional<std::int64_t> max_runs;             ///< of the session, at least 1
    std::optional<std::int64_t> max_requests;         ///< calls of all runs of the session
    std::optional<base::Seconds> life;                ///< from the approval on
    std::optional<base::Seconds> timeout;             ///< of each run

    bool empty() const { return *this == Limit(); }
    bool allows(const Call& call) const;
    /// The hosts beyond which no call of this limit goes; nullopt if it leaves all hosts.
    std::optional<std::vector<base::Network>> networks() const;

    bool operator==(const Limit&) const = default;
};

/// What it does, for people, from the limit itself: "methods GET, HEAD", "no networks". Empty for
/// an empty one.
std::string describe(const Limit& limit);

base::Json to_json(const Limit& limit);
/// What to_json wrote; throws Error "corrupt" for anything else.
Limit limit_from_json(const base::Json& json);

}  // namespace oauth3::policy
