#include "orchestrator/replays.h"

#include "base/crypto.h"

namespace oauth3::orchestrator {

Replays::Replays(store::Database& database, const base::Clock& clock)
    : database_(database), replies_(database), clock_(clock) {}

std::variant<Answered, Mismatch> Replays::answer(
    const RepeatableCall& call, const std::function<store::IdempotentReply()>& work) {
    const base::Time now = clock_.now();
    const std::string body_hash = base::sha256_hex(call.body);
    if (const auto before =
            replies_.find(call.tenant_id, call.route, call.key, now - kReplayLife)) {
        if (before->body_hash != body_hash) return Mismatch{};
        return Answered{before->status, before->reply, true};
    }
    store::Transaction tx(database_);
    store::IdempotentReply fresh = work();
    fresh.body_hash = body_hash;
    replies_.put(tx, call.tenant_id, call.route, call.key, fresh, now);
    tx.commit();
    return Answered{fresh.status, std::move(fresh.reply), false};
}

void Replays::purge() {
    const base::Time before = clock_.now() - kReplayLife;
    if (!replies_.has_older(before)) return;
    store::Transaction tx(database_);
    replies_.purge(tx, before);
    tx.commit();
}

}  // namespace oauth3::orchestrator
