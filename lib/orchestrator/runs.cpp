#include "orchestrator/runs.h"

#include "base/error.h"
#include "base/log.h"
#include "orchestrator/settle.h"
#include "skill/args.h"
#include "skill/declaration.h"
#include "store/backup.h"
#include "store/principals.h"

#include <algorithm>

namespace oauth3::orchestrator {
namespace {

using policy::Status;

constexpr const char* kServer = "server";
constexpr const char* kRestored = "restored from a backup; ask again";

/// Times of a request never run backwards, even if the machine's clock does.
base::Time not_before(base::Time now, const std::optional<base::Time>& earlier) {
    return earlier ? std::max(now, *earlier) : now;
}

}  // namespace

void Queue::push(const std::string& tenant_id, std::string id) {
    auto& own = waiting_[tenant_id];
    if (own.empty()) turns_.push_back(tenant_id);
    own.push_back(std::move(id));
}

std::pair<std::string, std::string> Queue::pop() {
    std::pair<std::string, std::string> out;
    out.first = std::move(turns_.front());
    turns_.pop_front();
    const auto own = waiting_.find(out.first);
    out.second = std::move(own->second.front());
    own->second.pop_front();
    if (own->second.empty())
        waiting_.erase(own);
    else
        turns_.push_back(out.first);
    return out;
}

Runs::Runs(store::Database& database, const base::Clock& clock, Runner runner, Hooks hooks,
           std::size_t parallel)
    : database_(database),
      requests_(database),
      sessions_(database),
      recheck_(database),
      clock_(clock),
      runner_(std::move(runner)),
      hooks_(std::move(hooks)),
      parallel_(parallel),
      workers_(parallel) {}

Runs::~Runs() = default;

void Runs::recover() {
    if (store::is_restored(database_)) end_restored();
    for (store::RequestRow& row : requests_.with_status(Status::executing)) {
        store::Change change;
        change.actor = kServer;
        change.completed_at = not_before(clock_.now(), row.executed_at);
        change.error = "server restarted during execution";
        store::Transaction tx(database_);
        requests_.transition(tx, row, Status::failed, *change.completed_at, change);
        tx.commit();
        base::log_warning("{} was executing when the server stopped: failed", row.id);
    }
    for (const store::RequestRow& row : requests_.with_status(Status::approved)) enqueue(row);
}

/// What an approval in the restored database allows may have happened after the backup was made,
/// and a session may have been revoked or narrowed since.
void Runs::end_restored() {
    const base::Time now = clock_.now();
    store::Transaction tx(database_);
    for (const auto& [from, to] : {std::pair(Status::approved, Status::failed),
                                   std::pair(Status::awaiting_secrets, Status::denied)}) {
        for (store::RequestRow& row : requests_.with_status(from)) {
            store::Change change;
            change.actor = kServer;
            change.completed_at = not_before(now, row.approved_at);
            change.error = kRestored;
            change.detail = {{"error", kRestored}};
            requests_.transition(tx, row, to, *change.completed_at, change);
        }
    }
    for (const store::OwnerRow& owner : store::Principals(database_).owners())
        for (store::SessionRow& row : sessions_.living(owner.id, std::nullopt, now))
            sessions_.revoke(tx, row, kServer, "restored from a backup",
                             std::max(now, row.session.created_at));
    store::clear_restored(tx);
    tx.commit();
    base::log_warning(
        "the data was restored from a backup: what was approved has failed, and "
        "sessions have ended");
}

void Runs::enqueue(const store::RequestRow& row) {
    queue_.push(row.tenant_id, row.id);
    // Later, so that the reply to the approval leaves before the run begins.
    hooks_.post([this] { start_more(); });
}

bool Runs::cancel(const std::string& id) {
    const auto it = running_.find(id);
    if (it == running_.end()) return false;
    it->second.stop->request_stop();
    return true;
}

bool Runs::revoke(const std::string& id, const char* error) {
    const auto it = running_.find(id);
    if (it == running_.end()) return false;
    it->second.revoked = error;
    it->second.stop->request_stop();
    return true;
}

void Runs::start_more() {
    while (!closed_ && running_.size() < parallel_ && !queue_.empty()) {
        const auto [tenant_id, id] = queue_.pop();
        try {
            start(id);
        } catch (const std::exception& e) {
            // The row stays approved: it is tried again with the next tick.
            base::log_error("cannot start {}: {}", id, e.what());
            queue_.push(tenant_id, id);
            return;
        }
    }
}

void Runs::end_unstarted(store::RequestRow& row, Status to, const std::string& error) {
    store::Change change;
    change.actor = kServer;
    change.completed_at = not_before(clock_.now(), row.approved_at);
    change.error = error;
    change.detail = {{"error", error}};
    store::Transaction tx(database_);
    const bool moved = requests_.transition(tx, row, to, *change.completed_at, change);
    tx.commit();
    if (moved) hooks_.changed(row.id);
}

void Runs::start(const std::string& id) {
    auto row = requests_.find(id);
    if (!row || row->status != Status::approved) return;
    auto checked = recheck_.check(*row, clock_.now());
    if (const auto* refused = std::get_if<Recheck::Refused>(&checked)) {
        end_unstarted(*row, refused->status, refused->error);
        return;
    }
    auto& [grant, code] = std::get<Recheck::Ready>(checked);
    auto environment = skill::environment_of(grant.args, grant.secrets);
    if (const auto* problem = std::get_if<skill::ArgsProblem>(&environment)) {
        end_unstarted(*row, Status::failed, problem->message);
        return;
    }

    store::Change change;
    change.actor = kServer;
    change.executed_at = not_before(clock_.now(), row->approved_at);
    change.detail = {{"grant", *row->grant_digest}};
    store::Transaction tx(database_);
    if (!requests_.transition(tx, *row, Status::executing, *change.executed_at, change)) return;
    // A run keeps its session alive, but none brings back one that has ended.
    const auto session = sessions_.find(row->tenant_id, row->session_id);
    if (session && policy::is_live(session->session, *change.executed_at))
        sessions_.touch(tx, *session, *change.executed_at);
    tx.commit();

    runtime::Job job;
    job.code = std::move(code);
    job.environment = std::move(std::get<skill::Environment>(environment));
    job.timeout = grant.timeout;
    auto stop = std::make_shared<jail::StopSignal>();
    running_.emplace(id, Running{stop, *row, grant.timeout});
    workers_.submit([this, id, stop, job = std::move(job)] {
        runtime::Outcome outcome;
        try {
            outcome = runner_(job, *stop);
        } catch (const std::exception& e) {
            // Out of a thread it would end the server, and all other runs with it.
            outcome = {};
            outcome.setup_error = e.what();
        }
        {
            const std::lock_guard lock(finished_mutex_);
            finished_.emplace_back(id, std::move(outcome));
        }
        hooks_.post([this] { take_finished(); });
    });
    hooks_.changed(id);
}

void Runs::take_finished() {
    std::vector<Finished> finished;
    {
        const std::lock_guard lock(finished_mutex_);
        finished.swap(finished_);
    }
    for (Finished& item : finished)
        if (!settle(item.first, item.second)) unsettled_.push_back(std::move(item));
    start_more();
}

void Runs::retry_unsettled() {
    std::vector<Finished> again;
    again.swap(unsettled_);
    for (Finished& item : again)
        if (!settle(item.first, item.second)) unsettled_.push_back(std::move(item));
    start_more();
}

/// False if the outcome could not be stored now.
bool Runs::settle(const std::string& id, const runtime::Outcome& outcome) {
    const auto it = running_.find(id);
    if (it == running_.end()) return true;
    store::RequestRow row = it->second.row;
    Settlement end = settlement_of(outcome, it->second.timeout);
    if (outcome.cause == runtime::Cause::setup)
        base::log_error("{}: the sandbox could not be set up: {}", id, outcome.setup_error);
    if (it->second.revoked && end.status == Status::cancelled) {
        end.status = Status::failed;
        end.error = it->second.revoked;
    } else if (stopping_ && end.status == Status::cancelled) {
        end.status = Status::failed;
        end.error = "server stopped during execution";
    }
    store::Change change;
    change.actor = kServer;
    change.completed_at = not_before(clock_.now(), row.executed_at);
    change.error = end.error;
    change.detail = {{"cause", runtime::to_string(outcome.cause)}};
    try {
        store::Transaction tx(database_);
        if (requests_.transition(tx, row, end.status, *change.completed_at, change) && end.result)
            requests_.insert_result(tx, id, *end.result);
        tx.commit();
    } catch (const std::exception& e) {
        base::log_error("cannot store the result of {}, will try again: {}", id, e.what());
        return false;
    }
    running_.erase(it);
    hooks_.changed(id);
    return true;
}

void Runs::shut_down() {
    closed_ = true;
    stopping_ = true;
    for (const auto& [id, running] : running_) running.stop->request_stop();
    workers_.finish();
    take_finished();
    retry_unsettled();
}

}  // namespace oauth3::orchestrator
