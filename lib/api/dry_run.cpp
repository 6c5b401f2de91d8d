#include "api/dry_run.h"

#include "policy/sets.h"

namespace oauth3::api {

base::Json dry_run_json(Service& service, const orchestrator::Principal& agent,
                        const orchestrator::ExecuteSubmission& submission) {
    const orchestrator::Would would = service.orchestrator().would(agent, submission);
    base::Json out{{"dry_run", true},
                   {"would_auto_approve", would.fits || would.trusted},
                   {"session_id", would.session_id}};
    if (would.fits || would.trusted) {
        out["reason"] = would.trusted ? "trusted_code" : "session_policy";
        out["missing_secrets"] = would.missing_secrets;
        return out;
    }
    out["reason"] = would.session_exists ? "policy_violation" : "needs_approval";
    out["session_exists"] = would.session_exists;
    if (would.session_exists) {
        out["policy_violations"] = would.violations;
        out["policy_gaps"] = {{"new_secrets", would.gaps.secrets},
                              {"new_networks", policy::texts_of(would.gaps.networks)},
                              {"risk_escalation", false},
                              {"mutation_escalation", false}};
    }
    return out;
}

}  // namespace oauth3::api
