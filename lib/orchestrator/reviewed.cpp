// What a second opinion does to a request. It can only take away: what nobody objects to is what it
// would be without a reviewer.

#include "base/log.h"
#include "base/utf8.h"
#include "orchestrator/orchestrator.h"
#include "policy/status.h"

#include <algorithm>

namespace oauth3::orchestrator {
namespace {

using base::Json;
using policy::Status;

constexpr const char* kReview = "review";

std::string_view word_of(notify::Verdict verdict) {
    switch (verdict) {
        case notify::Verdict::no_objection:
            return "no_objection";
        case notify::Verdict::ask:
            return "ask";
        case notify::Verdict::deny:
            return "deny";
    }
    return "?";
}

}  // namespace

/// All that the reviewer is told of a request.
void Orchestrator::start_review(const store::RequestRow& row, const Assessment& found) {
    const bool scope = row.kind == policy::Kind::scope;
    const auto& networks = scope ? row.scope->networks : row.ask.networks;
    Json out{{"request_id", row.id},
             {"kind", policy::to_string(row.kind)},
             {"tenant_id", row.tenant_id},
             {"session_id", row.session_id},
             {"session_exists", found.session_exists},
             {"would_auto_approve", found.warrant.has_value()},
             {"policy_violations", found.violations},
             {"skill_id", row.skill_id},
             {"description", row.description},
             {"code_hash", row.code_hash ? Json(*row.code_hash) : Json()},
             {"code", row.code_hash ? Json(code(row)) : Json()},
             {"args", row.ask.args},
             {"secrets", scope ? row.scope->secrets : row.ask.secrets},
             {"networks", policy::texts_of(networks)},
             {"timeout", row.ask.timeout.count()},
             {"warnings", row.warnings}};
    if (scope) out["scope"] = policy::to_json(*row.scope);
    reviews_.start(row.id, base::dump_json(out));
}

void Orchestrator::reviewed(const std::string& id, const notify::Opinion& opinion) {
    auto row = requests_.find(id);
    // A human may have been faster.
    if (!row || row->status != Status::pending || row->review) return;
    const base::Time now = std::max(clock_.now(), row->created_at);
    if (now >= row->expires_at) return;
    if (opinion.failed) base::log_warning("no second opinion on {}: {}", id, opinion.reason);
    const Json told{{"verdict", word_of(opinion.verdict)},
                    {"reason", base::make_visible(opinion.reason, false)},
                    {"failed", opinion.failed}};
    store::Transaction tx(database_);
    requests_.put_review(tx, *row, told, now);
    if (opinion.verdict == notify::Verdict::deny) {
        store::Change change;
        change.actor = kReview;
        change.authority = kReview;
        change.completed_at = now;
        change.error = "denied by the reviewer: " + told.at("reason").get<std::string>();
        change.detail = {{"decision", "deny"}, {"reason", told.at("reason")}};
        requests_.transition(tx, *row, Status::denied, now, change);
    } else if (opinion.verdict == notify::Verdict::no_objection &&
               row->kind == policy::Kind::execute) {
        // As it stands now: a session may have ended or been used up meanwhile.
        const Assessment found = assess(row->tenant_id, row->session_id, row->ask, now);
        if (found.warrant) approve_by(tx, *row, *found.warrant, now);
    }
    tx.commit();
    if (row->status == Status::approved) runs_.enqueue(*row);
    if (row->status != Status::pending) hooks_.changed(id);
}

/// What an earlier life of the server left without an opinion.
void Orchestrator::review_again() {
    if (!reviews_.is_on()) return;
    for (const store::RequestRow& row : requests_.with_status(Status::pending))
        if (!row.review)
            start_review(row, row.kind == policy::Kind::execute
                                  ? assess(row.tenant_id, row.session_id, row.ask, clock_.now())
                                  : Assessment{});
}

}  // namespace oauth3::orchestrator
