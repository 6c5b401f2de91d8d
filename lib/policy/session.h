#pragma once

#include "base/clock.h"
#include "base/json.h"
#include "base/network.h"
#include "policy/grant.h"
#include "policy/phrases.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace oauth3::policy {

struct Constraint {
    std::string text;
    ConstraintClass kind = ConstraintClass::advisory;
    std::string compiled;  ///< what it became, empty for advisory text
};

Constraint compile_constraint(std::string text);

/// What one run of a program asks for.
struct Ask {
    std::string code_hash;
    base::Json args = base::Json::object();
    std::vector<std::string> secrets;
    std::vector<base::Network> networks;
    base::Seconds timeout{30};
};

/// What a scope request asks a human for.
struct Scope {
    std::string description;
    std::vector<Constraint> constraints;
    std::vector<std::string> secrets;
    std::vector<base::Network> networks;
    std::optional<std::string> code_hash;
    base::Seconds max_timeout{60};
    std::optional<base::Seconds> expires_in;
    std::optional<std::int64_t> max_runs;  ///< at least 1; none: no limit
};

/// The sum of a session's approvals. Its lists are sorted and without repeats.
struct SessionPolicy {
    std::string description;
    std::vector<std::string> secrets;
    std::vector<base::Network> networks;
    std::vector<Constraint> constraints;
    std::vector<std::string> code_hashes;
    std::map<std::string, std::vector<std::string>> secret_hosts;
    base::Seconds max_timeout{0};
    std::optional<std::int64_t> max_runs;  ///< none: no limit
};

struct Session {
    SessionPolicy policy;
    base::Time created_at;
    base::Time last_activity;    ///< last run or approval
    base::Time expires_at;       ///< end of life whatever happens
    std::int64_t runs_used = 0;  ///< runs that the session itself has approved
    bool ended = false;          ///< revoked
};

inline constexpr base::Seconds kSessionIdle{2 * 3600};
inline constexpr base::Seconds kSessionLife{24 * 3600};
inline constexpr base::Seconds kMinSessionLife{60};

/// When the session ends if nothing more happens in it.
base::Time session_end(const Session& session);
bool is_live(const Session& session, base::Time now);

/// A session's first approval, or one that widens it. `session` is nullopt for the first.
/// Sets are united, the larger timeout is kept, a given expiry or number of runs replaces the old
/// one; each secret is bound to the networks it was approved together with.
Session approve_scope(const std::optional<Session>& session, const Scope& scope, base::Time now);
Session approve_run(const std::optional<Session>& session, const Ask& ask, base::Time now);

/// Why a request does not fit a session, as the sentences of wire 6.4.
using Violations = std::vector<std::string>;

/// Whether a run is among the session's runs_used already: it is when the check is repeated at its
/// start.
enum class Counted { no, yes };

/// A Grant iff the request fits the session: never more than either of them holds.
std::variant<Grant, Violations> fit(const Session& session, const Ask& ask, base::Time now,
                                    Counted counted = Counted::no);

/// True iff one of these networks covers that one.
bool covered(const std::vector<base::Network>& by, const base::Network& network);

/// What a session lacks for a request: secrets that it does not have, networks that none of its
/// networks covers.
struct Gaps {
    std::vector<std::string> secrets;
    std::vector<base::Network> networks;
};
Gaps gaps(const SessionPolicy& policy, const Ask& ask);

/// What a human who approves this request itself signs off: exactly what it asks for.
Grant grant_of(const Ask& ask);

/// The policy as the wire shows it (6.3) and the store keeps it, and back.
base::Json to_json(const SessionPolicy& policy);
SessionPolicy session_policy_from_json(const base::Json& json);
base::Json to_json(const Constraint& constraint);

/// Stands for what a living session allows and until when, so that a decision can name what its
/// human has seen: SHA-256 as 64 hex; "none" without a session. Runs do not change it.
std::string session_digest(const std::optional<Session>& living);

/// The scope as the store keeps it, and back.
base::Json to_json(const Scope& scope);
Scope scope_from_json(const base::Json& json);

std::vector<std::string> texts_of(const std::vector<base::Network>& networks);
/// Reads texts that were written by texts_of; throws Error "corrupt" for any other.
std::vector<base::Network> networks_from(const std::vector<std::string>& texts);

}  // namespace oauth3::policy
