#include "store/ledger.h"

#include "store/columns.h"

#include <fmt/format.h>

namespace oauth3::store {
namespace {

constexpr const char* kColumns =
    "seq, at, actor, action, tenant_id, request_id, detail, prev, hash";

ledger::Event read_event(SQLite::Statement& query) {
    ledger::Event out;
    out.seq = query.getColumn(0).getInt64();
    out.at = query.getColumn(1).getInt64();
    out.actor = text(query, 2);
    out.action = text(query, 3);
    out.tenant_id = optional_text(query, 4);
    out.request_id = optional_text(query, 5);
    out.detail = base::parse_json(text(query, 6));
    out.prev = text(query, 7);
    out.hash = text(query, 8);
    return out;
}

/// The session, or the trust, that an event tells of.
std::optional<std::string> subject_of(const ledger::Event& event) {
    const char* member = event.action.starts_with("session.") ? "session_id"
                         : event.action.starts_with("trust.") ? "trust_id"
                                                              : nullptr;
    if (member == nullptr) return std::nullopt;
    return event.detail.at(member).get<std::string>();
}

}  // namespace

std::int64_t Ledger::append(Transaction& tx, const Entry& entry) {
    ledger::Event event;
    event.at = base::to_millis(entry.at);
    event.actor = entry.actor;
    event.action = entry.action;
    event.tenant_id = entry.tenant_id;
    event.request_id = entry.request_id;
    event.detail = entry.detail;

    Prepared last(tx.database(),
                  "SELECT seq, hash FROM ledger WHERE owner_id = ? ORDER BY seq DESC LIMIT 1");
    last.bind(1, entry.owner_id);
    if (last.executeStep())
        ledger::link(event, last.getColumn(0).getInt64(), text(last, 1));
    else
        ledger::link(event, 0, ledger::first_prev());

    Prepared insert(tx.database(), "INSERT INTO ledger VALUES (?,?,?,?,?,?,?,?,?,?,?)");
    SQLite::bind(insert, entry.owner_id, event.seq, event.at, event.actor, event.action);
    bind_optional(insert, 6, event.tenant_id);
    bind_optional(insert, 7, event.request_id);
    insert.bind(8, base::dump_json(event.detail));
    insert.bind(9, event.prev);
    insert.bind(10, event.hash);
    bind_optional(insert, 11, subject_of(event));
    insert.exec();
    return event.seq;
}

std::optional<ledger::Event> Ledger::at(const std::string& owner_id, std::int64_t seq) {
    Prepared query(database_,
                   fmt::format("SELECT {} FROM ledger WHERE owner_id = ? AND seq = ?", kColumns));
    query.bind(1, owner_id);
    query.bind(2, seq);
    if (!query.executeStep()) return std::nullopt;
    ledger::Event out = read_event(query);
    if (ledger::hash_of(out) != out.hash) return std::nullopt;
    return out;
}

bool Ledger::has_later(const std::string& tenant_id, const std::string& subject, std::int64_t seq) {
    Prepared query(database_,
                   "SELECT 1 FROM ledger WHERE tenant_id = ? AND subject = ? AND seq > ? LIMIT 1");
    query.bind(1, tenant_id);
    query.bind(2, subject);
    query.bind(3, seq);
    if (query.executeStep()) return true;
    // The condition of the index ledger_hidden, word for word: the column is in no event's hash.
    Prepared hidden(database_,
                    "SELECT 1 FROM ledger WHERE tenant_id = ? AND action IN "
                    "('session.created', 'session.widened', 'session.narrowed', 'session.revoked', "
                    "'trust.created', 'trust.revoked') AND "
                    "coalesce(instr(detail, '_id\":\"' || subject || '\"'), 0) = 0 LIMIT 1");
    hidden.bind(1, tenant_id);
    return hidden.executeStep();
}

std::vector<ledger::Event> Ledger::events(const std::string& owner_id, const EventFilter& filter) {
    std::string sql = fmt::format("SELECT {} FROM ledger WHERE ", kColumns);
    // A "+" keeps SQLite to the index of a request's or a tenant's events, which are fewer.
    sql += filter.request_id || filter.tenant_id ? "+owner_id = ?1" : "owner_id = ?1";
    if (filter.request_id) sql += " AND request_id = ?2";
    if (filter.tenant_id) sql += " AND tenant_id = ?3";
    if (filter.before) sql += " AND seq < ?4";
    if (filter.after) sql += " AND seq > ?5";
    sql += filter.after || filter.request_id ? " ORDER BY seq" : " ORDER BY seq DESC";
    sql += " LIMIT ?6";
    Prepared query(database_, sql);
    query.bind(1, owner_id);
    if (filter.request_id) query.bind(2, *filter.request_id);
    if (filter.tenant_id) query.bind(3, *filter.tenant_id);
    if (filter.before) query.bind(4, *filter.before);
    if (filter.after) query.bind(5, *filter.after);
    query.bind(6, filter.limit);
    std::vector<ledger::Event> out;
    while (query.executeStep()) out.push_back(read_event(query));
    return out;
}

}  // namespace oauth3::store
