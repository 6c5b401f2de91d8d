#include "store/sessions.h"

#include "base/json.h"
#include "store/columns.h"
#include "store/ledger.h"

#include <fmt/format.h>

namespace oauth3::store {
namespace {

constexpr const char* kColumns =
    "tenant_id, id, owner_id, policy, created_at, last_activity, expires_at, ended, runs_used, "
    "ended_at, ended_reason, ledger_seq, used";

SessionRow read_row(SQLite::Statement& query) {
    SessionRow out;
    out.tenant_id = text(query, 0);
    out.id = text(query, 1);
    out.owner_id = text(query, 2);
    out.session.policy = policy::session_policy_from_json(base::parse_json(text(query, 3)));
    out.session.created_at = time(query, 4);
    out.session.last_activity = time(query, 5);
    out.session.expires_at = time(query, 6);
    out.session.ended = query.getColumn(7).getInt() != 0;
    out.session.runs_used = query.getColumn(8).getInt64();
    out.ended_at = optional_time(query, 9);
    out.ended_reason = optional_text(query, 10);
    if (!query.isColumnNull(11)) out.ledger_seq = query.getColumn(11).getInt64();
    out.session.used = policy::usage_from_json(base::parse_json(text(query, 12)));
    return out;
}

std::vector<SessionRow> read_rows(Prepared& query) {
    std::vector<SessionRow> out;
    while (query.executeStep()) out.push_back(read_row(query));
    return out;
}

base::Json with_policy(const SessionRow& row) {
    return {{"session_id", row.id},
            {"policy", policy::stored_json(row.session.policy)},
            {"expires_at", base::to_millis(row.session.expires_at)}};
}

/// The session as it stands after an event of the ledger that tells what it allows.
void put_after(Transaction& tx, const SessionRow& row, const Entry& event) {
    SessionRow after = row;
    after.ledger_seq = Ledger::append(tx, event);
    Sessions(tx.database()).put(tx, after);
}

}  // namespace

std::optional<SessionRow> Sessions::find(std::string_view tenant_id, std::string_view id) {
    Prepared query(database_,
                   fmt::format("SELECT {} FROM sessions WHERE tenant_id = ? AND id = ?", kColumns));
    query.bind(1, std::string(tenant_id));
    query.bind(2, std::string(id));
    if (!query.executeStep()) return std::nullopt;
    return read_row(query);
}

std::vector<SessionRow> Sessions::living(std::string_view owner_id,
                                         const std::optional<std::string>& tenant_id,
                                         base::Time now) {
    Prepared query(database_, fmt::format("SELECT {} FROM sessions WHERE owner_id = ?1 AND "
                                          "(?2 IS NULL OR +tenant_id = ?2) AND ended = 0 AND "
                                          "expires_at > ?3 AND last_activity > ?4 "
                                          "ORDER BY last_activity DESC, tenant_id, id",
                                          kColumns));
    query.bind(1, std::string(owner_id));
    bind_optional(query, 2, tenant_id);
    query.bind(3, base::to_millis(now));
    query.bind(4, base::to_millis(now - policy::kSessionIdle));
    return read_rows(query);
}

std::vector<SessionRow> Sessions::with_id(std::string_view owner_id, std::string_view id) {
    Prepared query(database_, fmt::format("SELECT {} FROM sessions WHERE tenant_id IN (SELECT id "
                                          "FROM tenants WHERE owner_id = ?) AND id = ?",
                                          kColumns));
    query.bind(1, std::string(owner_id));
    query.bind(2, std::string(id));
    return read_rows(query);
}

std::vector<std::string> Sessions::altered(const SessionRow& row) {
    const auto event = Ledger(database_).at(row.owner_id, row.ledger_seq);
    const bool its_own =
        event && event->tenant_id == row.tenant_id && event->action.starts_with("session.") &&
        event->detail.contains("policy") && event->detail.value("session_id", "") == row.id;
    // An earlier event would bring back what was narrowed or revoked since.
    if (!its_own || Ledger(database_).has_later(row.tenant_id, row.id, event->seq))
        return {"approval"};
    std::vector<std::string> out;
    const base::Json approved = event->detail.at("policy");
    const base::Json stored = policy::stored_json(row.session.policy);
    for (const auto& [name, value] : stored.items())
        if (!approved.contains(name) || approved.at(name) != value) out.push_back(name);
    for (const auto& [name, value] : approved.items())
        if (!stored.contains(name)) out.push_back(name);
    if (event->detail.value("expires_at", std::int64_t{0}) !=
        base::to_millis(row.session.expires_at))
        out.push_back("expires_at");
    return out;
}

void Sessions::put(Transaction& tx, const SessionRow& row) {
    Prepared insert(tx.database(), fmt::format("INSERT OR REPLACE INTO sessions ({}) "
                                               "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
                                               kColumns));
    SQLite::bind(
        insert, row.tenant_id, row.id, row.owner_id,
        base::dump_json(policy::stored_json(row.session.policy)),
        base::to_millis(row.session.created_at), base::to_millis(row.session.last_activity),
        base::to_millis(row.session.expires_at), row.session.ended ? 1 : 0, row.session.runs_used);
    bind_optional(insert, 10, row.ended_at);
    bind_optional(insert, 11, row.ended_reason);
    insert.bind(12, row.ledger_seq);
    insert.bind(13, base::dump_json(policy::to_json(row.session.used)));
    insert.exec();
}

void Sessions::put_approved(Transaction& tx, const SessionRow& row, Growth growth,
                            const std::string& request_id, const std::string& actor,
                            base::Time now) {
    const char* action = growth == Growth::widened ? "session.widened" : "session.created";
    put_after(tx, row,
              {now, row.owner_id, actor, action, row.tenant_id, request_id, with_policy(row)});
}

void Sessions::put_narrowed(Transaction& tx, const SessionRow& row, const std::string& actor,
                            base::Time now) {
    put_after(tx, row,
              {now, row.owner_id, actor, "session.narrowed", row.tenant_id, std::nullopt,
               with_policy(row)});
}

void Sessions::revoke(Transaction& tx, SessionRow& row, const std::string& actor,
                      const std::string& reason, base::Time now) {
    row.session.ended = true;
    row.ended_at = now;
    row.ended_reason = reason;
    put(tx, row);
    Ledger::append(tx, {now,
                        row.owner_id,
                        actor,
                        "session.revoked",
                        row.tenant_id,
                        std::nullopt,
                        {{"session_id", row.id}, {"reason", reason}}});
}

void Sessions::touch(Transaction& tx, const SessionRow& row, base::Time now) {
    Prepared update(tx.database(),
                    "UPDATE sessions SET last_activity = max(last_activity, ?) WHERE tenant_id = ? "
                    "AND id = ?");
    update.bind(1, base::to_millis(now));
    update.bind(2, row.tenant_id);
    update.bind(3, row.id);
    update.exec();
}

}  // namespace oauth3::store
