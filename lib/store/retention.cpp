#include "store/retention.h"

#include "policy/session.h"
#include "store/columns.h"

#include <set>
#include <string>
#include <vector>

namespace oauth3::store {
namespace {

constexpr std::int64_t kMostRequests = 20;
constexpr std::int64_t kMostSessions = 10;
/// Results and programs of one batch, in bytes: SQLite has to walk through all the pages it frees.
constexpr std::int64_t kMostBytes = 1 << 18;

struct Old {
    std::string id;
    std::optional<std::string> code_hash;
};

std::vector<Old> old_requests(Database& database, base::Time before) {
    Prepared query(database,
                   "SELECT id, code_hash, coalesce(length(stdout) + length(stderr), 0) + "
                   "coalesce(length(code), 0) FROM requests "
                   "LEFT JOIN results ON request_id = id LEFT JOIN programs ON hash = code_hash "
                   "WHERE completed_at IS NOT NULL AND completed_at <= ? "
                   "ORDER BY completed_at LIMIT ?");
    query.bind(1, base::to_millis(before));
    query.bind(2, kMostRequests);
    std::vector<Old> out;
    std::int64_t bytes = 0;
    while (bytes < kMostBytes && query.executeStep()) {
        out.push_back({text(query, 0), optional_text(query, 1)});
        bytes += query.getColumn(2).getInt64();
    }
    return out;
}

struct OldSession {
    std::string tenant_id;
    std::string id;
    std::vector<std::string> code_hashes;
};

std::vector<OldSession> old_sessions(Database& database, base::Time before) {
    // By owner, because so the index by owner and activity serves.
    Prepared query(
        database,
        "SELECT tenant_id, id, policy FROM sessions WHERE owner_id IN (SELECT id FROM owners) "
        "AND last_activity <= ? LIMIT ?");
    query.bind(1, base::to_millis(before));
    query.bind(2, kMostSessions);
    std::vector<OldSession> out;
    while (query.executeStep())
        out.push_back(
            {text(query, 0), text(query, 1),
             policy::session_policy_from_json(base::parse_json(text(query, 2))).code_hashes});
    return out;
}

void remove(Transaction& tx, const Old& request) {
    // Its result goes with it (ON DELETE CASCADE).
    Prepared remove(tx.database(), "DELETE FROM requests WHERE id = ?");
    remove.bind(1, request.id);
    remove.exec();
}

void remove(Transaction& tx, const OldSession& session) {
    Prepared remove(tx.database(), "DELETE FROM sessions WHERE tenant_id = ? AND id = ?");
    remove.bind(1, session.tenant_id);
    remove.bind(2, session.id);
    remove.exec();
}

bool is_requested(Database& database, const std::string& hash) {
    Prepared query(database, "SELECT 1 FROM requests WHERE code_hash = ?");
    query.bind(1, hash);
    return query.executeStep();
}

/// Trust that ended so long ago that no request can stand for it.
void remove_ended_trust(Transaction& tx, base::Time before) {
    Prepared remove(tx.database(),
                    "DELETE FROM trust WHERE expires_at IS NOT NULL AND expires_at <= ?");
    remove.bind(1, base::to_millis(before));
    remove.exec();
}

bool has_ended_trust(Database& database, base::Time before) {
    Prepared query(database,
                   "SELECT 1 FROM trust WHERE expires_at IS NOT NULL AND expires_at <= ?");
    query.bind(1, base::to_millis(before));
    return query.executeStep();
}

/// The code of living sessions that have outlived the requests they began with. Younger ones need
/// no look: what was approved in them is younger than they are.
std::set<std::string> hashes_in_use(Database& database, base::Time now, base::Time before) {
    Prepared query(database,
                   "SELECT policy FROM sessions WHERE owner_id IN (SELECT id FROM owners) AND "
                   "last_activity > ? AND created_at <= ? AND expires_at > ? AND ended = 0");
    query.bind(1, base::to_millis(now - policy::kSessionIdle));
    query.bind(2, base::to_millis(before));
    query.bind(3, base::to_millis(now));
    std::set<std::string> out;
    while (query.executeStep()) {
        const auto policy = policy::session_policy_from_json(base::parse_json(text(query, 0)));
        out.insert(policy.code_hashes.begin(), policy.code_hashes.end());
    }
    return out;
}

/// Removes those programs to which neither a request nor a living session refers; how many.
std::size_t remove_unused(Transaction& tx, std::set<std::string> hashes, base::Time now,
                          base::Time before) {
    for (auto it = hashes.begin(); it != hashes.end();)
        it = is_requested(tx.database(), *it) ? hashes.erase(it) : std::next(it);
    if (hashes.empty()) return 0;
    const auto in_use = hashes_in_use(tx.database(), now, before);
    std::size_t out = 0;
    for (const std::string& hash : hashes) {
        if (in_use.count(hash) > 0) continue;
        Prepared remove(tx.database(), "DELETE FROM programs WHERE hash = ?");
        remove.bind(1, hash);
        out += static_cast<std::size_t>(remove.exec());
    }
    return out;
}

}  // namespace

Purged Retention::purge(base::Time now, base::Seconds keep) {
    const auto requests = old_requests(database_, now - keep);
    const auto sessions = old_sessions(database_, now - keep - policy::kSessionIdle);
    const bool trust = has_ended_trust(database_, now - keep);
    if (requests.empty() && sessions.empty() && !trust) return {};

    Purged out;
    Transaction tx(database_);
    if (trust) remove_ended_trust(tx, now - keep);
    std::set<std::string> hashes;
    for (const Old& request : requests) {
        remove(tx, request);
        if (request.code_hash) hashes.insert(*request.code_hash);
    }
    for (const OldSession& session : sessions) {
        remove(tx, session);
        hashes.insert(session.code_hashes.begin(), session.code_hashes.end());
    }
    out.programs = remove_unused(tx, std::move(hashes), now, now - keep);
    tx.commit();
    out.requests = requests.size();
    out.sessions = sessions.size();
    return out;
}

}  // namespace oauth3::store
