#include "store/idempotency.h"

#include "store/columns.h"

namespace oauth3::store {

std::optional<IdempotentReply> Idempotency::find(std::string_view tenant_id, std::string_view route,
                                                 std::string_view key, base::Time since) {
    Prepared query(database_,
                   "SELECT body_hash, status, reply FROM idempotent_replies "
                   "WHERE tenant_id = ? AND route = ? AND key = ? AND created_at > ?");
    SQLite::bind(query, std::string(tenant_id), std::string(route), std::string(key),
                 base::to_millis(since));
    if (!query.executeStep()) return std::nullopt;
    return IdempotentReply{text(query, 0), query.getColumn(1).getUInt(), text(query, 2)};
}

void Idempotency::put(Transaction& tx, std::string_view tenant_id, std::string_view route,
                      std::string_view key, const IdempotentReply& reply, base::Time now) {
    Prepared insert(tx.database(),
                    "INSERT OR REPLACE INTO idempotent_replies VALUES (?,?,?,?,?,?,?)");
    SQLite::bind(insert, std::string(tenant_id), std::string(route), std::string(key),
                 reply.body_hash, reply.status, reply.reply, base::to_millis(now));
    insert.exec();
}

bool Idempotency::has_older(base::Time before) {
    Prepared query(database_, "SELECT 1 FROM idempotent_replies WHERE created_at < ?");
    query.bind(1, base::to_millis(before));
    return query.executeStep();
}

void Idempotency::purge(Transaction& tx, base::Time before) {
    Prepared old(tx.database(),
                 "DELETE FROM idempotent_replies WHERE (tenant_id, route, key) IN "
                 "(SELECT tenant_id, route, key FROM idempotent_replies WHERE created_at < ? "
                 "ORDER BY created_at LIMIT 100)");
    old.bind(1, base::to_millis(before));
    old.exec();
}

}  // namespace oauth3::store
