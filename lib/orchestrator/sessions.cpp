// Sessions as their humans and agents see, narrow and revoke them (wire 6.3).

#include "orchestrator/orchestrator.h"
#include "policy/status.h"

#include <algorithm>

namespace oauth3::orchestrator {
namespace {

using policy::Status;

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
    auto out = sessions_.find(row.tenant_id, row.session_id);
    if (!out || !policy::is_live(out->session, clock_.now())) return std::nullopt;
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
    for (store::RequestRow& request : requests_.in_session(tenant_id, id, kApproved)) {
        if (request.status == Status::executing) {
            running.push_back(request.id);
            continue;
        }
        store::Change change;
        change.actor = who.actor();
        change.completed_at = ending_time(request);
        change.error = kRevoked;
        change.detail = {{"error", kRevoked}};
        if (requests_.transition(tx, request, Status::denied, *change.completed_at, change))
            denied.push_back(request.id);
    }
    tx.commit();
    for (const std::string& request : running) runs_.revoke(request);
    for (const std::string& request : denied) hooks_.changed(request);
    return row;
}

std::optional<std::variant<store::SessionRow, policy::NotNarrower>> Orchestrator::narrow_session(
    const Principal& who, std::string_view tenant_id, std::string_view id,
    const policy::Narrowing& to) {
    auto row = session(who, tenant_id, id);
    if (!row) return std::nullopt;
    const base::Time now = clock_.now();
    auto narrowed = policy::narrow(row->session, to, now);
    if (auto* problem = std::get_if<policy::NotNarrower>(&narrowed)) return std::move(*problem);
    auto& after = std::get<policy::Session>(narrowed);
    // The ledger keeps the whole policy of a change, and an agent may ask for none again and again.
    if (after.expires_at == row->session.expires_at &&
        policy::to_json(after.policy) == policy::to_json(row->session.policy))
        return std::move(*row);
    row->session = std::move(after);
    store::Transaction tx(database_);
    sessions_.put_narrowed(tx, *row, who.actor(), now);
    tx.commit();
    return std::move(*row);
}

}  // namespace oauth3::orchestrator
