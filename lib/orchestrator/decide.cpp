// What a human's decision does (wire 6.1, 7.4): to the request, to its session, to trust.

#include "base/crypto.h"
#include "orchestrator/orchestrator.h"
#include "policy/status.h"

#include <algorithm>

namespace oauth3::orchestrator {
namespace {

using policy::Kind;
using policy::Status;

constexpr base::Seconds kDay{24 * 3600};

/// The session of an earlier approval, if it still stands: an ended one is not widened but begun
/// anew.
std::optional<policy::Session> session_in(const std::optional<store::SessionRow>& row) {
    return row ? std::optional(row->session) : std::nullopt;
}

/// What is approved of a request: all of it, or what the human has left of it.
template <typename T>
std::variant<T, policy::NotNarrower> cut(T asked, const Decision& decision) {
    if (!decision.narrowing) return asked;
    return policy::narrow(asked, *decision.narrowing);
}

bool is_trust(Level level) {
    return level == Level::day || level == Level::forever;
}

}  // namespace

std::string_view to_string(Level level) {
    switch (level) {
        case Level::once:
            return "once";
        case Level::session:
            return "session";
        case Level::day:
            return "24h";
        case Level::forever:
            return "forever";
    }
    return "?";
}

std::optional<Decided> Orchestrator::decide(const Principal& owner, std::string_view id,
                                            const Decision& decision) {
    auto row = owner.is_agent() ? std::nullopt : find(owner, id);
    if (!row) return std::nullopt;
    Decided out;
    if (row->status == Status::pending) {
        const base::Time now = std::max(clock_.now(), row->created_at);
        store::Transaction tx(database_);
        if (!decision.approve)
            deny(tx, *row, owner, decision, now, out);
        else if (row->kind == Kind::scope)
            approve_scope(tx, *row, owner, decision, now, out);
        else
            approve_run(tx, *row, owner, decision, now, out);
        if (out.made) tx.commit();
    }
    if (out.made && row->status == Status::approved) runs_.enqueue(*row);
    if (out.made) hooks_.changed(row->id);
    // Somebody else was first, or it was not to be.
    if (!out.made) row = find(owner, id);
    out.row = std::move(*row);
    return out;
}

void Orchestrator::deny(store::Transaction& tx, store::RequestRow& row, const Principal& owner,
                        const Decision& decision, base::Time now, Decided& out) {
    store::Change change;
    change.actor = owner.actor();
    change.authority = owner.actor();
    change.completed_at = now;
    if (!decision.reason.empty()) change.error = decision.reason;
    change.detail = {{"decision", "deny"}, {"reason", decision.reason}};
    out.made = requests_.transition(tx, row, Status::denied, now, change);
}

void Orchestrator::approve_scope(store::Transaction& tx, store::RequestRow& row,
                                 const Principal& owner, const Decision& decision, base::Time now,
                                 Decided& out) {
    const auto before = session_in(standing(row, now));
    if (decision.session_digest && *decision.session_digest != policy::session_digest(before)) {
        out.session_changed = true;
        return;
    }
    auto left = cut(*row.scope, decision);
    if (auto* problem = std::get_if<policy::NotNarrower>(&left)) {
        out.not_narrower = std::move(*problem);
        return;
    }
    const auto& scope = std::get<policy::Scope>(left);
    const bool known_code_only = decision.narrowing && decision.narrowing->known_code_only;
    const policy::Session after = policy::approve_scope(
        before, scope, now, {.any_code = decision.any_code && !known_code_only});

    store::Change change;
    change.actor = owner.actor();
    change.authority = owner.actor();
    change.completed_at = now;
    change.detail = {{"decision", "approve"}, {"scope", policy::to_json(scope)}};
    if (decision.narrowing) change.narrowing = decision.narrowing_text;
    out.made = requests_.transition(tx, row, Status::completed, now, change);
    if (out.made) put_session(tx, row, before, after, owner, now, out);
}

void Orchestrator::approve_run(store::Transaction& tx, store::RequestRow& row,
                               const Principal& owner, const Decision& decision, base::Time now,
                               Decided& out) {
    const auto before = session_in(standing(row, now));
    if (decision.level != Level::once && decision.session_digest &&
        *decision.session_digest != policy::session_digest(before)) {
        out.session_changed = true;
        return;
    }
    auto left = cut(policy::grant_of(row.ask), decision);
    if (auto* problem = std::get_if<policy::NotNarrower>(&left)) {
        out.not_narrower = std::move(*problem);
        return;
    }
    const auto& grant = std::get<policy::Grant>(left);

    store::Change change;
    change.actor = owner.actor();
    change.authority = owner.actor();
    change.approved_at = now;
    change.level = std::string(to_string(decision.level));
    change.grant = grant;
    change.detail = {{"decision", "approve"}, {"level", *change.level}};
    if (decision.narrowing) change.narrowing = decision.narrowing_text;
    out.made = requests_.transition(tx, row, Status::approved, now, change);
    if (!out.made || decision.level == Level::once) return;

    // A session takes any arguments of its code, so pinned ones would be pinned to nothing.
    if (!decision.pin_args)
        put_session(tx, row, before, policy::approve_run(before, grant, now), owner, now, out);
    if (!is_trust(decision.level)) return;
    store::TrustRow trust = store::trust_of(grant, decision.pin_args);
    trust.id = base::make_id("trust_");
    trust.owner_id = row.owner_id;
    trust.tenant_id = row.tenant_id;
    trust.skill_id = row.skill_id;
    trust.level = *change.level;
    trust.created_at = now;
    if (decision.level == Level::day) trust.expires_at = now + kDay;
    trust_.put(tx, trust, row.id, owner.actor());
}

void Orchestrator::put_session(store::Transaction& tx, const store::RequestRow& row,
                               const std::optional<policy::Session>& before,
                               const policy::Session& after, const Principal& owner, base::Time now,
                               Decided& out) {
    sessions_.put_approved(tx, {row.tenant_id, row.session_id, row.owner_id, after},
                           before ? store::Growth::widened : store::Growth::created, row.id,
                           owner.actor(), now);
    out.expanded = before.has_value();
    out.constraints = after.policy.constraints.size();
}

}  // namespace oauth3::orchestrator
