#include "store/ledger.h"

#include "store/columns.h"

namespace oauth3::store {

void Ledger::append(Transaction& tx, const Entry& entry) {
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

    Prepared insert(tx.database(), "INSERT INTO ledger VALUES (?,?,?,?,?,?,?,?,?,?)");
    SQLite::bind(insert, entry.owner_id, event.seq, event.at, event.actor, event.action);
    bind_optional(insert, 6, event.tenant_id);
    bind_optional(insert, 7, event.request_id);
    insert.bind(8, base::dump_json(event.detail));
    insert.bind(9, event.prev);
    insert.bind(10, event.hash);
    insert.exec();
}

std::vector<ledger::Event> Ledger::events(const std::string& owner_id, std::int64_t after,
                                          std::int64_t limit) {
    Prepared query(
        database_,
        "SELECT seq, at, actor, action, tenant_id, request_id, detail, prev, hash FROM ledger "
        "WHERE owner_id = ? AND seq > ? ORDER BY seq LIMIT ?");
    SQLite::bind(query, owner_id, after, limit);
    std::vector<ledger::Event> out;
    while (query.executeStep()) {
        ledger::Event event;
        event.seq = query.getColumn(0).getInt64();
        event.at = query.getColumn(1).getInt64();
        event.actor = text(query, 2);
        event.action = text(query, 3);
        event.tenant_id = optional_text(query, 4);
        event.request_id = optional_text(query, 5);
        event.detail = base::parse_json(text(query, 6));
        event.prev = text(query, 7);
        event.hash = text(query, 8);
        out.push_back(std::move(event));
    }
    return out;
}

}  // namespace oauth3::store
