#include "orchestrator/orchestrator.h"

#include "base/crypto.h"
#include "base/log.h"
#include "policy/status.h"
#include "store/ledger.h"

#include <fmt/format.h>

#include <algorithm>

namespace oauth3::orchestrator {
namespace {

using policy::Kind;
using policy::Status;

constexpr const char* kExpired = "approval expired";

policy::Ask ask_of(const ExecuteSubmission& submission, const std::string& code_hash) {
    return {code_hash, submission.args, submission.secrets, submission.declaration.networks,
            submission.declaration.timeout};
}

/// When a request that waits for a human ends by itself; nullopt for any other.
std::optional<base::Time> deadline(const store::RequestRow& row) {
    if (policy::is_undecided(row.status)) return row.expires_at;
    if (row.status == Status::awaiting_secrets && row.approved_at)
        return *row.approved_at + (row.expires_at - row.created_at);
    return std::nullopt;
}

}  // namespace

Orchestrator::Orchestrator(store::Database& database, const base::Clock& clock, Runner runner,
                           Hooks hooks, Settings settings)
    : database_(database),
      requests_(database),
      sessions_(database),
      trust_(database),
      ledger_(database),
      retention_(database),
      recheck_(database),
      clock_(clock),
      hooks_(hooks),
      settings_(settings),
      runs_(database, clock, std::move(runner), hooks, settings.parallel_runs),
      reviews_(settings.reviewer, hooks.post,
               [this](const std::string& id, const notify::Opinion& opinion) {
                   reviewed(id, opinion);
               }) {}

bool Orchestrator::has_room(const Principal& agent) {
    return requests_.count_pending(agent.tenant_id) <
           static_cast<std::int64_t>(settings_.max_pending);
}

store::RequestRow Orchestrator::new_row(const Principal& agent, Kind kind,
                                        const std::optional<std::string>& session_id) {
    store::RequestRow row;
    row.kind = kind;
    row.id = base::make_id(kind == Kind::scope ? "scope_" : "exec_");
    row.owner_id = agent.owner_id;
    row.tenant_id = agent.tenant_id;
    row.session_id = session_id.value_or(base::make_id("session_"));
    row.created_at = clock_.now();
    row.expires_at = row.created_at + settings_.approval_ttl;
    return row;
}

std::variant<Submitted, TooManyPending> Orchestrator::submit(const Principal& agent,
                                                             const ExecuteSubmission& submission) {
    store::RequestRow row = new_row(agent, Kind::execute, submission.session_id);
    row.skill_id = submission.skill_id;
    row.description = submission.declaration.description;
    row.declared_id = submission.declaration.skill;
    row.warnings = submission.declaration.warnings;
    row.code_hash = skill::code_hash(submission.code);
    row.ask = ask_of(submission, *row.code_hash);

    store::Transaction tx(database_);
    Assessment found = assess(row.tenant_id, row.session_id, row.ask, row.created_at);
    row.violations = found.violations;
    if (!found.warrant && !has_room(agent)) return TooManyPending{settings_.max_pending};
    requests_.insert(tx, row, submission.code);
    const bool approved = found.warrant && !reviews_.is_on();
    if (approved) approve_by(tx, row, *found.warrant, row.created_at);
    tx.commit();
    if (approved) runs_.enqueue(row);
    if (reviews_.is_on()) start_review(row, found);
    return Submitted{std::move(row), found.session_exists, reviews_.is_on()};
}

Orchestrator::Assessment Orchestrator::assess(const std::string& tenant_id,
                                              const std::string& session_id, const policy::Ask& ask,
                                              base::Time now) {
    Assessment out;
    policy::Grant asked = policy::grant_of(ask);
    auto session = sessions_.find(tenant_id, session_id);
    out.session_exists = session.has_value();
    if (auto trust = trust_.match(tenant_id, asked, now)) {
        out.warrant = Warrant{std::move(asked), kTrust + trust->id, std::nullopt, std::move(trust)};
        return out;
    }
    if (!session) return out;
    const auto altered =
        session->session.ended ? std::vector<std::string>() : sessions_.altered(*session);
    if (!altered.empty()) {
        base::log_error("session {} of {} is not what the ledger says that was approved: {}",
                        session_id, tenant_id, fmt::join(altered, ", "));
        out.violations = {"the session is not as it was approved"};
        return out;
    }
    auto fitted = policy::fit(session->session, ask, now);
    if (auto* grant = std::get_if<policy::Grant>(&fitted)) {
        out.warrant = Warrant{std::move(*grant), kSession, std::move(session), std::nullopt};
    } else {
        out.violations = std::get<policy::Violations>(std::move(fitted));
        out.gaps = policy::gaps(session->session.policy, ask);
    }
    return out;
}

bool Orchestrator::approve_by(store::Transaction& tx, store::RequestRow& row,
                              const Warrant& warrant, base::Time now) {
    store::Change change;
    change.actor = "server";
    change.approved_at = now;
    change.authority = warrant.authority;
    change.grant = warrant.grant;
    change.detail = {{"by", warrant.authority}, {"session_id", row.session_id}};
    if (!requests_.transition(tx, row, Status::approved, now, change)) return false;
    if (warrant.trust) trust_.count_use(tx, warrant.trust->id, now);
    if (warrant.session) {
        store::SessionRow session = *warrant.session;
        session.session.last_activity = std::max(session.session.last_activity, now);
        ++session.session.runs_used;
        sessions_.put(tx, session);
    }
    return true;
}

std::variant<Submitted, TooManyPending> Orchestrator::submit(const Principal& agent,
                                                             const ScopeSubmission& submission) {
    if (!has_room(agent)) return TooManyPending{settings_.max_pending};
    store::RequestRow row = new_row(agent, Kind::scope, submission.session_id);
    row.description = submission.scope.description;
    row.scope = submission.scope;
    row.warnings = submission.warnings;
    if (submission.declaration) {
        row.declared_id = submission.declaration->skill;
        row.skill_id = row.declared_id.value_or("");
    }
    if (submission.code) row.code_hash = skill::code_hash(*submission.code);
    row.scope->code_hash = row.code_hash;
    row.ask.timeout = submission.scope.max_timeout;

    store::Transaction tx(database_);
    const bool session_exists = sessions_.find(agent.tenant_id, row.session_id).has_value();
    requests_.insert(tx, row, submission.code.value_or(""));
    tx.commit();
    if (reviews_.is_on()) start_review(row, {});
    return Submitted{std::move(row), session_exists, reviews_.is_on()};
}

Would Orchestrator::would(const Principal& agent, const ExecuteSubmission& submission) {
    Would out;
    out.session_id = submission.session_id.value_or(base::make_id("session_"));
    const policy::Ask ask = ask_of(submission, skill::code_hash(submission.code));
    Assessment found = assess(agent.tenant_id, out.session_id, ask, clock_.now());
    out.session_exists = found.session_exists;
    out.violations = std::move(found.violations);
    out.gaps = std::move(found.gaps);
    if (found.warrant) {
        out.trusted = found.warrant->trust.has_value();
        out.fits = !out.trusted;
        // This server has no vault, so every secret is missing.
        out.missing_secrets = submission.secrets;
    }
    return out;
}

std::optional<Cancelled> Orchestrator::cancel(const Principal& who, std::string_view id) {
    auto row = find(who, id);
    if (!row) return std::nullopt;
    if (policy::is_final(row->status)) return Cancelled{std::move(*row), false, true};
    if (row->status == Status::executing) {
        runs_.cancel(row->id);
        return Cancelled{std::move(*row), true, false};
    }
    store::Change change;
    change.actor = who.actor();
    change.completed_at = ending_time(*row);
    change.error = "cancelled";
    store::Transaction tx(database_);
    requests_.transition(tx, *row, Status::cancelled, *change.completed_at, change);
    tx.commit();
    hooks_.changed(row->id);
    return Cancelled{std::move(*row), false, false};
}

std::optional<store::RequestRow> Orchestrator::find(const Principal& who, std::string_view id) {
    auto row = find_by_link(id);
    if (!row || !may_see(who, *row)) return std::nullopt;
    return row;
}

std::optional<store::RequestRow> Orchestrator::find_by_link(std::string_view id) {
    auto row = requests_.find(id);
    // Whoever looks after the deadline must not see, or decide, a request that is over.
    if (const auto end = row ? deadline(*row) : std::nullopt; end && clock_.now() >= *end) {
        try {
            expire(*row);
            row = requests_.find(id);
        } catch (const std::exception& e) {
            // Reading must not fail for want of writing, as on a full disk. It is said again by
            // tick(), which tries it each second.
            base::log_debug("cannot end {}: {}", row->id, e.what());
            row->status = Status::expired;
            row->completed_at = ending_time(*row);
            row->error = kExpired;
        }
    }
    return row;
}

std::optional<store::ResultRow> Orchestrator::result(const store::RequestRow& row) {
    return requests_.result(row.id);
}

std::string Orchestrator::code(const store::RequestRow& row) {
    return row.code_hash ? requests_.code(*row.code_hash) : std::string();
}

std::vector<store::RequestRow> Orchestrator::list(const Principal& who, store::ListFilter filter) {
    if (who.is_agent()) filter.tenant_id = who.tenant_id;
    return requests_.list(who.owner_id, filter);
}

std::vector<store::HistoryRow> Orchestrator::history(const Principal& who,
                                                     store::ListFilter filter) {
    if (who.is_agent()) filter.tenant_id = who.tenant_id;
    return requests_.history(who.owner_id, filter);
}

std::optional<std::string> Orchestrator::last_approved_code(const store::RequestRow& row) {
    const auto hash = requests_.last_approved_hash(row);
    if (!hash || hash == row.code_hash) return std::nullopt;
    return requests_.code(*hash);
}

std::vector<ledger::Event> Orchestrator::events(const Principal& owner,
                                                const store::EventFilter& filter) {
    if (owner.is_agent()) return {};
    return ledger_.events(owner.owner_id, filter);
}

base::Time Orchestrator::ending_time(const store::RequestRow& row) const {
    return std::max(clock_.now(), row.approved_at.value_or(row.created_at));
}

void Orchestrator::expire(store::RequestRow row) {
    store::Change change;
    change.actor = "server";
    change.completed_at = ending_time(row);
    change.error = kExpired;
    store::Transaction tx(database_);
    const bool moved = requests_.transition(tx, row, Status::expired, *change.completed_at, change);
    tx.commit();
    if (moved) hooks_.changed(row.id);
}

void Orchestrator::tick() {
    // First, so that a row that cannot be ended does not keep results from being stored.
    runs_.retry_unsettled();
    for (const std::string& id : requests_.overdue(clock_.now()))
        if (auto row = requests_.find(id)) expire(std::move(*row));
    purge(clock_.now());
}

}  // namespace oauth3::orchestrator
