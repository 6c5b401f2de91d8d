// Sessions as their humans and agents see, narrow and revoke them (wire 6.3).

#include "orchestrator/orchestrator.h"
#include "policy/status.h"

#include <fmt/format.h>

#include <algorithm>

namespace oauth3::orchestrator {
namespace {

using policy::Status;

constexpr const char* kNarrowed = "the session was narrowed";

/// What an approval in the session has set going and what has not come to its end. What is pending
/// stays: a human may still decide on it.
constexpr Status kApproved[] = {Status::approved, Status::awaiting_secrets, Status::executing};

}  // namespace

std::vector<store::SessionRow> Orchestrator::sessions(const Principal& who,
                                                      const std::optional<std::string>& tenant_id) {
    return sessions_.living(who.owner_id, who.is_agent() ? who.tenant_id : tenant_id, clock_.now());
}

std::optional<store::SessionRow> Orchestrator::session(const Principal& who,
                                                       std::string_view tenant_id,
                                                       std::string_view id) {
    auto row = sessions_.find(tenant_id, id);
    if (!row || !may_see(who, *row) || !policy::is_live(row->session, clock_.now()))
        return std::nullopt;
    return row;
}

std::optional<store::SessionRow> Orchestrator::session_of(const store::RequestRow& row) {
    return standing(row, clock_.now());
}

/// Not one that somebody has written into the database: to widen it would be to approve that.
std::optional<store::SessionRow> Orchestrator::standing(const store::RequestRow& row,
                                                        base::Time now) {
    auto out = sessions_.find(row.tenant_id, row.session_id);
    if (!out || !policy::is_live(out->session, now) || !sessions_.altered(*out).empty())
        return std::nullopt;
    return out;
}

std::string Orchestrator::session_digest(const store::RequestRow& row) {
    const auto session = session_of(row);
    return policy::session_digest(session ? std::optional(session->session) : std::nullopt);
}

std::vector<std::string> Orchestrator::tenants_with_session(const Principal& who,
                                                            std::string_view id) {
    std::vector<std::string> out;
    for (const store::SessionRow& row : sessions_.with_id(who.owner_id, id))
        if (may_see(who, row) && policy::is_live(row.session, clock_.now()))
            out.push_back(row.tenant_id);
    return out;
}

std::optional<store::SessionRow> Orchestrator::revoke_session(const Principal& who,
                                                              std::string_view tenant_id,
                                                              std::string_view id,
                                                              const std::string& reason) {
    auto row = session(who, tenant_id, id);
    if (!row) return std::nullopt;
    const base::Time now = std::max(clock_.now(), row->session.created_at);
    std::vector<std::string> denied;
    std::vector<std::string> running;

    store::Transaction tx(database_);
    sessions_.revoke(tx, *row, who.actor(), reason, now);
    deny_all(tx, requests_.in_session(tenant_id, id, kApproved), who.actor(), kSessionRevoked,
             denied, running);
    tx.commit();
    for (const std::string& request : running) runs_.revoke(request, kSessionRevoked);
    for (const std::string& request : denied) hooks_.changed(request);
    return row;
}

void Orchestrator::deny_all(store::Transaction& tx, std::vector<store::RequestRow> rows,
                            const std::string& actor, const char* error,
                            std::vector<std::string>& denied, std::vector<std::string>& running) {
    for (store::RequestRow& request : rows) {
        if (request.status == Status::executing) {
            running.push_back(request.id);
            continue;
        }
        store::Change change;
        change.actor = actor;
        change.completed_at = ending_time(request);
        change.error = error;
        change.detail = {{"error", error}};
        if (requests_.transition(tx, request, Status::denied, *change.completed_at, change))
            denied.push_back(request.id);
    }
}

std::optional<std::variant<store::SessionRow, policy::NotNarrower>> Orchestrator::narrow_session(
    const Principal& who, std::string_view tenant_id, std::string_view id,
    const policy::Narrowing& to) {
    auto row = session(who, tenant_id, id);
    // What somebody has written into the database would pass into the ledger.
    if (!row || !sessions_.altered(*row).empty()) return std::nullopt;
    const base::Time now = clock_.now();
    auto narrowed = policy::narrow(row->session, to, now);
    if (auto* problem = std::get_if<policy::NotNarrower>(&narrowed)) return std::move(*problem);
    auto& after = std::get<policy::Session>(narrowed);
    // The ledger keeps the whole policy of a change, and an agent may ask for none again and again.
    if (after.expires_at == row->session.expires_at &&
        policy::to_json(after.policy) == policy::to_json(row->session.policy))
        return std::move(*row);
    row->session = std::move(after);
    std::vector<std::string> denied;
    store::Transaction tx(database_);
    sessions_.put_narrowed(tx, *row, who.actor(), now);
    refit(tx, *row, who.actor(), denied);
    tx.commit();
    for (const std::string& request : denied) hooks_.changed(request);
    return session(who, tenant_id, id);
}

/// What the session has approved and has not started gets what is left of its grant, or is denied.
void Orchestrator::refit(store::Transaction& tx, const store::SessionRow& session,
                         const std::string& actor, std::vector<std::string>& denied) {
    constexpr Status kWaiting[] = {Status::approved, Status::awaiting_secrets};
    for (store::RequestRow& request :
         requests_.in_session(session.tenant_id, session.id, kWaiting)) {
        if (request.authority != kSession) continue;
        // One that somebody has changed is refused at its start; here it would be approved anew.
        if (policy::Grant unused; recheck_.check_grant(request, unused)) continue;
        store::Change change;
        change.actor = actor;
        auto fitted = policy::fit(session.session, request.ask, clock_.now(), policy::Counted::yes);
        if (const auto* grant = std::get_if<policy::Grant>(&fitted)) {
            change.detail = {{"why", kNarrowed}};
            if (policy::digest(*grant) != request.grant_digest)
                requests_.replace_grant(tx, request, *grant, ending_time(request), change);
            continue;
        }
        change.completed_at = ending_time(request);
        change.error =
            fmt::format("{}: {}", kNarrowed, fmt::join(std::get<policy::Violations>(fitted), "; "));
        change.detail = {{"error", *change.error}};
        if (requests_.transition(tx, request, Status::denied, *change.completed_at, change))
            denied.push_back(request.id);
    }
}

std::vector<store::TrustRow> Orchestrator::trust(const Principal& who,
                                                 const std::optional<std::string>& tenant_id) {
    return trust_.living(who.owner_id, who.is_agent() ? who.tenant_id : tenant_id, clock_.now());
}

std::optional<store::TrustRow> Orchestrator::revoke_trust(const Principal& who,
                                                          std::string_view id) {
    auto row = trust_.find(id);
    const base::Time now = clock_.now();
    if (!row || !may_see(who, *row) || (row->expires_at && now >= *row->expires_at))
        return std::nullopt;
    std::vector<std::string> denied;
    std::vector<std::string> running;
    store::Transaction tx(database_);
    trust_.remove(tx, *row, who.actor(), std::max(now, row->created_at));
    deny_all(tx, requests_.approved_by(kTrust + row->id), who.actor(), kTrustRevoked, denied,
             running);
    tx.commit();
    for (const std::string& request : running) runs_.revoke(request, kTrustRevoked);
    for (const std::string& request : denied) hooks_.changed(request);
    return row;
}

Backtest Orchestrator::backtest(const store::RequestRow& row, std::int64_t limit) {
    const base::Time now = clock_.now();
    const auto standing = session_of(row);
    const auto before = standing ? std::optional(standing->session) : std::nullopt;
    policy::Session session = row.scope
                                  ? policy::approve_scope(before, *row.scope, now)
                                  : policy::approve_run(before, policy::grant_of(row.ask), now);
    session.policy.max_runs.reset();
    session.policy.budgets = {};
    Backtest out;
    for (store::RequestRow& earlier : requests_.executions_before(row.tenant_id, row.seq, limit)) {
        auto fitted = policy::fit(session, earlier.ask, now);
        Backtest::Item item;
        if (auto* violations = std::get_if<policy::Violations>(&fitted))
            item.violations = std::move(*violations);
        // By a human, and not by a session that was revoked.
        item.denied = earlier.status == Status::denied && !earlier.approved_at &&
                      earlier.authority && *earlier.authority != "review";
        item.row = std::move(earlier);
        out.items.push_back(std::move(item));
    }
    return out;
}

}  // namespace oauth3::orchestrator
