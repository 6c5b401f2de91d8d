#include "orchestrator/orchestrator.h"

#include "base/crypto.h"
#include "base/log.h"
#include "policy/status.h"
#include "store/ledger.h"

#include <algorithm>

namespace oauth3::orchestrator {
namespace {

using policy::Kind;
using policy::Status;

constexpr const char* kExpired = "approval expired";

std::string_view word_of(Level level) {
    return level == Level::session ? "session" : "once";
}

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

/// The session of an earlier approval, if it still lives: an ended one is not widened but begun
/// anew.
std::optional<policy::Session> living(const std::optional<store::SessionRow>& row, base::Time now) {
    if (!row || !policy::is_live(row->session, now)) return std::nullopt;
    return row->session;
}

}  // namespace

Orchestrator::Orchestrator(store::Database& database, const base::Clock& clock, Runner runner,
                           Hooks hooks, Settings settings)
    : database_(database),
      requests_(database),
      sessions_(database),
      ledger_(database),
      retention_(database),
      clock_(clock),
      hooks_(hooks),
      settings_(settings),
      runs_(database, clock, std::move(runner), std::move(hooks), settings.parallel_runs) {}

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
    auto session = sessions_.find(agent.tenant_id, row.session_id);
    std::optional<policy::Grant> grant;
    if (session) {
        auto fitted = policy::fit(session->session, row.ask, row.created_at);
        if (auto* violations = std::get_if<policy::Violations>(&fitted))
            row.violations = std::move(*violations);
        else
            grant = std::get<policy::Grant>(std::move(fitted));
    }
    if (!grant && !has_room(agent)) return TooManyPending{settings_.max_pending};

    requests_.insert(tx, row, submission.code);
    if (grant) {
        store::Change change;
        change.actor = "server";
        change.approved_at = row.created_at;
        change.authority = "session";
        change.grant_digest = policy::digest(*grant);
        change.detail = {
            {"by", "session"}, {"session_id", row.session_id}, {"grant", *change.grant_digest}};
        requests_.transition(tx, row, Status::approved, row.created_at, change);
        session->session.last_activity = row.created_at;
        ++session->session.runs_used;
        sessions_.put(tx, *session);
    }
    tx.commit();
    if (grant) runs_.enqueue(row);
    return Submitted{std::move(row), session.has_value()};
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
    return Submitted{std::move(row), session_exists};
}

Would Orchestrator::would(const Principal& agent, const ExecuteSubmission& submission) {
    Would out;
    out.session_id = submission.session_id.value_or(base::make_id("session_"));
    const auto session = sessions_.find(agent.tenant_id, out.session_id);
    out.session_exists = session.has_value();
    if (!session) return out;
    const policy::Ask ask = ask_of(submission, skill::code_hash(submission.code));
    auto fitted = policy::fit(session->session, ask, clock_.now());
    if (auto* violations = std::get_if<policy::Violations>(&fitted)) {
        out.violations = std::move(*violations);
        out.gaps = policy::gaps(session->session.policy, ask);
    } else {
        out.fits = true;
        // This server has no vault, so every secret is missing.
        out.missing_secrets = submission.secrets;
    }
    return out;
}

std::optional<Decided> Orchestrator::decide(const Principal& owner, std::string_view id,
                                            const Decision& decision) {
    auto row = owner.is_agent() ? std::nullopt : find(owner, id);
    if (!row) return std::nullopt;
    if (row->status != Status::pending) return Decided{std::move(*row)};

    const base::Time now = std::max(clock_.now(), row->created_at);
    store::Change change;
    change.actor = owner.actor();
    change.authority = owner.actor();
    store::Transaction tx(database_);
    Decided out;

    if (!decision.approve) {
        change.completed_at = now;
        if (!decision.reason.empty()) change.error = decision.reason;
        change.detail = {{"decision", "deny"}, {"reason", decision.reason}};
        out.made = requests_.transition(tx, *row, Status::denied, now, change);
    } else {
        const auto old = sessions_.find(row->tenant_id, row->session_id);
        const auto before = living(old, now);
        const bool grows = row->kind == Kind::scope || decision.level == Level::session;
        if (grows && decision.session_digest &&
            *decision.session_digest != policy::session_digest(before)) {
            out.session_changed = true;
            out.row = std::move(*row);
            return out;
        }
        std::optional<policy::Session> after;
        change.detail = {{"decision", "approve"}};
        if (row->kind == Kind::scope) {
            after = policy::approve_scope(before, *row->scope, now);
            change.completed_at = now;
            change.detail["scope"] = policy::to_json(*row->scope);
            out.made = requests_.transition(tx, *row, Status::completed, now, change);
        } else {
            if (decision.level == Level::session)
                after = policy::approve_run(before, row->ask, now);
            change.approved_at = now;
            change.level = std::string(word_of(decision.level));
            change.grant_digest = policy::digest(policy::grant_of(row->ask));
            change.detail["level"] = *change.level;
            change.detail["grant"] = *change.grant_digest;
            out.made = requests_.transition(tx, *row, Status::approved, now, change);
        }
        if (out.made && after) {
            sessions_.put_approved(tx, {row->tenant_id, row->session_id, row->owner_id, *after},
                                   before ? store::Growth::widened : store::Growth::created,
                                   row->id, owner.actor(), now);
            out.expanded = before.has_value();
            out.constraints = after->policy.constraints.size();
        }
    }
    tx.commit();
    if (!out.made) row = find(owner, id);
    if (out.made && row->status == Status::approved) runs_.enqueue(*row);
    if (out.made) hooks_.changed(row->id);
    out.row = std::move(*row);
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
