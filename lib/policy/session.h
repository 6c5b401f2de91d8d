#pragma once

#include "base/clock.h"
#include "base/json.h"
#include "base/network.h"
#include "policy/grant.h"
#include "policy/scope.h"
#include "policy/sets.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace oauth3::policy {

/// The sum of a session's approvals. Its lists are sorted and without repeats, but for those that
/// keep the order of the approvals: constraints and typed arguments.
struct SessionPolicy {
    std::string description;
    std::vector<std::string> secrets;
    std::vector<base::Network> networks;
    std::vector<Constraint> constraints;
    /// Also an open one for each network that an approval named without a rule for it: which
    /// networks are open does not change when another approval brings a rule.
    std::vector<Rule> rules;
    std::vector<TypedArg> args;
    std::vector<std::string> code_hashes;
    SecretHosts secret_hosts;
    base::Seconds max_timeout{0};
    std::optional<std::int64_t> max_runs;  ///< none: no limit
    Budgets budgets;
    bool only_scopes = true;     ///< no run was approved into it
    bool any_code_kept = true;   ///< no human has unticked it, nobody has narrowed it away
    bool has_own_rules = false;  ///< an approval has brought a rule, be it narrowed away since
};

/// What the runs of a session have used of its budgets.
struct Usage {
    std::int64_t requests = 0;
    std::int64_t bytes = 0;
    std::map<std::string, std::int64_t> secret_uses;
};

struct Session {
    SessionPolicy policy;
    base::Time created_at;
    base::Time last_activity;    ///< last run or approval
    base::Time expires_at;       ///< end of life whatever happens
    std::int64_t runs_used = 0;  ///< runs that the session itself has approved
    Usage used;
    bool ended = false;  ///< revoked
};

inline constexpr base::Seconds kSessionIdle{2 * 3600};
inline constexpr base::Seconds kSessionLife{24 * 3600};
inline constexpr base::Seconds kMinSessionLife{60};

/// True iff code that no human has seen may run in it (wire 6.3): only scopes were approved, every
/// constraint is enforced, there is at least one rule or compiled phrase, and nobody took it away.
bool any_code(const SessionPolicy& policy);

/// Why any_code is false, one part of a sentence each, for people; empty iff it is true. What
/// others wrote stands in it as it is.
std::vector<std::string> why_not_any_code(const SessionPolicy& policy);

/// When the session ends if nothing more happens in it.
base::Time session_end(const Session& session);
bool is_live(const Session& session, base::Time now);

/// What the human said beside yes to a scope.
struct Approval {
    bool any_code = true;
};

/// A session's first approval, or one that widens it. `session` is nullopt for the first.
/// Sets are united, the larger timeout is kept, a given expiry, number of runs or budget replaces
/// the old one; each secret is bound to the networks it was approved together with. In the end the
/// limits of all constraints cut what came together, so that no approval widens beyond them.
Session approve_scope(const std::optional<Session>& session, const Scope& scope, base::Time now,
                      Approval approval = {});
/// `grant` is what the human has approved for the run itself.
Session approve_run(const std::optional<Session>& session, const Grant& grant, base::Time now);

/// The rules of an approval: its own, and an open one for each network that it names without a rule
/// for any part of it.
std::vector<Rule> with_open_rules(std::vector<Rule> rules,
                                  const std::vector<base::Network>& networks);

/// Cuts what is bound to something to that which is still there: secrets' hosts to the session's
/// secrets and networks.
void cut_secret_hosts(SessionPolicy& policy);

/// The policy as the wire shows it (6.3).
base::Json to_json(const SessionPolicy& policy);
/// The policy as the store and the ledger keep it, which holds more, and back.
base::Json stored_json(const SessionPolicy& policy);
SessionPolicy session_policy_from_json(const base::Json& json);

base::Json to_json(const Usage& usage);
Usage usage_from_json(const base::Json& json);

/// Stands for what a living session allows and until when, so that a decision can name what its
/// human has seen: SHA-256 as 64 hex; "none" without a session. Runs do not change it.
std::string session_digest(const std::optional<Session>& living);

}  // namespace oauth3::policy
