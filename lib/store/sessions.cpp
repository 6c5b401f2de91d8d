#include "store/sessions.h"

#include "base/json.h"
#include "store/columns.h"

namespace oauth3::store {

std::optional<SessionRow> Sessions::find(std::string_view tenant_id, std::string_view id) {
    Prepared query(
        database_,
        "SELECT tenant_id, id, owner_id, policy, created_at, last_activity, expires_at, ended, "
        "runs_used FROM sessions WHERE tenant_id = ? AND id = ?");
    SQLite::bind(query, std::string(tenant_id), std::string(id));
    if (!query.executeStep()) return std::nullopt;
    SessionRow out;
    out.tenant_id = text(query, 0);
    out.id = text(query, 1);
    out.owner_id = text(query, 2);
    out.session.policy = policy::session_policy_from_json(base::parse_json(text(query, 3)));
    out.session.created_at = time(query, 4);
    out.session.last_activity = time(query, 5);
    out.session.expires_at = time(query, 6);
    out.session.ended = query.getColumn(7).getInt() != 0;
    out.runs_used = query.getColumn(8).getInt64();
    return out;
}

void Sessions::put(Transaction& tx, const SessionRow& row) {
    Prepared insert(tx.database(), "INSERT OR REPLACE INTO sessions VALUES (?,?,?,?,?,?,?,?,?)");
    SQLite::bind(insert, row.tenant_id, row.id, row.owner_id,
                 base::dump_json(policy::to_json(row.session.policy)),
                 base::to_millis(row.session.created_at),
                 base::to_millis(row.session.last_activity),
                 base::to_millis(row.session.expires_at), row.session.ended ? 1 : 0, row.runs_used);
    insert.exec();
}

}  // namespace oauth3::store
