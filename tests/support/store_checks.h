#pragma once

#include "ledger/chain.h"
#include "policy/status.h"
#include "store/database.h"
#include "store/ledger.h"
#include "store/requests.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <map>
#include <string>
#include <vector>

namespace oauth3::test {

/// The whole chain of an owner, oldest first.
inline std::vector<ledger::Event> chain_of(store::Database& database, const std::string& owner) {
    store::EventFilter all;
    all.after = 0;
    all.limit = 1'000'000;
    return store::Ledger(database).events(owner, all);
}

/// What in a database contradicts itself, one sentence each:
///   - SQLite's own checks, and the hash chain of every owner;
///   - each request went from pending by legal steps, each with one ledger row, to its status; a
///     grant may be replaced between its approval and its start, and a second opinion kept before;
///   - its times do not run backwards, and it has a result exactly if it ran to an end.
inline std::vector<std::string> contradictions(store::Database& database) {
    std::vector<std::string> out;
    SQLite::Database& sql = database.sqlite();
    if (sql.execAndGet("PRAGMA integrity_check").getString() != "ok") out.push_back("integrity");
    SQLite::Statement foreign(sql, "PRAGMA foreign_key_check");
    if (foreign.executeStep()) out.push_back("foreign keys");

    std::map<std::string, std::vector<ledger::Event>> told;
    SQLite::Statement owners(sql, "SELECT id FROM owners");
    while (owners.executeStep()) {
        const std::string owner = owners.getColumn(0).getString();
        const auto events = chain_of(database, owner);
        if (ledger::first_break(events)) out.push_back("the chain of " + owner);
        for (const auto& event : events)
            if (event.request_id && event.action.starts_with("request."))
                told[*event.request_id].push_back(event);
    }

    store::Requests requests(database);
    SQLite::Statement ids(sql, "SELECT id FROM requests");
    while (ids.executeStep()) {
        const auto row = *requests.find(ids.getColumn(0).getString());
        const auto& events = told[row.id];
        if (events.empty() || events[0].action != "request.created") {
            out.push_back(row.id + " was never created");
            continue;
        }
        policy::Status at = policy::Status::pending;
        for (std::size_t i = 1; i < events.size(); ++i) {
            const auto from = policy::parse_status(events[i].detail.at("from").get<std::string>());
            const auto to = policy::parse_status(events[i].detail.at("to").get<std::string>());
            // What a narrowed session has left of a grant replaces it, and a second opinion is kept
            // while a request is pending; it stays where it is.
            const bool stays =
                from && from == to && from == at && events[i].action == "request.changed";
            const bool regranted =
                stays && events[i].detail.contains("grant") &&
                (at == policy::Status::approved || at == policy::Status::awaiting_secrets);
            const bool reviewed =
                stays && events[i].detail.contains("review") && at == policy::Status::pending;
            if (!regranted && !reviewed &&
                (!from || !to || *from != at || !policy::may_become(row.kind, *from, *to)))
                out.push_back(row.id + " took an illegal step");
            at = to.value_or(at);
        }
        if (at != row.status) out.push_back(row.id + " is not where its last ledger row says");
        const base::Time approved = row.approved_at.value_or(row.created_at);
        const base::Time executed = row.executed_at.value_or(approved);
        const base::Time completed = row.completed_at.value_or(executed);
        if (row.created_at > approved || approved > executed || executed > completed)
            out.push_back(row.id + " has times that run backwards");
        if (policy::is_final(row.status) != row.completed_at.has_value())
            out.push_back(row.id + " has an end that does not match its status");
        const bool result = requests.result(row.id).has_value();
        const bool ran = row.kind == policy::Kind::execute && row.executed_at.has_value();
        if (result && !(ran && policy::is_final(row.status)))
            out.push_back(row.id + " has a result without having run");
        if (!result && ran && row.status == policy::Status::completed)
            out.push_back(row.id + " has lost its result");
    }
    // What was removed for its age has come to its end before.
    for (const auto& [id, events] : told) {
        if (requests.find(id)) continue;
        const auto last = policy::parse_status(events.back().detail.value("to", ""));
        if (!last || !policy::is_final(*last))
            out.push_back(id + " is gone without having come to its end");
    }
    return out;
}

}  // namespace oauth3::test
