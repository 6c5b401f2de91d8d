#include "store/requests.h"

#include "base/error.h"
#include "policy/sets.h"
#include "store/columns.h"
#include "store/ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace oauth3::store {
namespace {

using Texts = std::vector<std::string>;

constexpr const char* kColumns =
    "seq, id, kind, owner_id, tenant_id, session_id, status, skill_id, description, declared_id, "
    "code_hash, args, secrets, networks, timeout, scope, warnings, violations, created_at, "
    "expires_at, approved_at, executed_at, completed_at, authority, level, grant_digest, error, "
    "granted, narrowing, review";

/// The condition of the index requests_alive, word for word: without it SQLite does not see that
/// the index serves, and reads the whole table.
constexpr const char* kAlive = "status IN ('pending', 'approved', 'awaiting_secrets', 'executing')";

/// The condition of the index requests_of_skill, word for word. An approved scope is completed at
/// once and has no moment of approval.
constexpr const char* kApproved =
    "approved_at IS NOT NULL OR (kind = 'scope' AND status = 'completed')";

/// A condition on the status, as text and not bound, for the same reason.
std::string has_status(policy::Status status) {
    std::string out = fmt::format("status = '{}'", policy::to_string(status));
    if (!policy::is_final(status)) out += fmt::format(" AND {}", kAlive);
    return out;
}

Texts texts(SQLite::Statement& row, int column) {
    return base::parse_json(text(row, column)).get<Texts>();
}

std::pair<policy::Kind, policy::Status> read_state(SQLite::Statement& row, int kind, int status) {
    const auto read_kind = policy::parse_kind(text(row, kind));
    const auto read_status = policy::parse_status(text(row, status));
    if (!read_kind || !read_status) throw base::Error("corrupt", "a stored request cannot be read");
    return {*read_kind, *read_status};
}

RequestRow read_row(SQLite::Statement& query) {
    RequestRow out;
    out.seq = query.getColumn(0).getInt64();
    out.id = text(query, 1);
    std::tie(out.kind, out.status) = read_state(query, 2, 6);
    out.owner_id = text(query, 3);
    out.tenant_id = text(query, 4);
    out.session_id = text(query, 5);
    out.skill_id = text(query, 7);
    out.description = text(query, 8);
    out.declared_id = optional_text(query, 9);
    out.code_hash = optional_text(query, 10);
    out.ask.code_hash = out.code_hash.value_or("");
    out.ask.args = base::parse_json(text(query, 11));
    out.ask.secrets = texts(query, 12);
    out.ask.networks = policy::networks_from(texts(query, 13));
    out.ask.timeout = base::Seconds(query.getColumn(14).getInt64());
    if (!query.isColumnNull(15))
        out.scope = policy::scope_from_json(base::parse_json(text(query, 15)));
    out.warnings = texts(query, 16);
    out.violations = texts(query, 17);
    out.created_at = time(query, 18);
    out.expires_at = time(query, 19);
    out.approved_at = optional_time(query, 20);
    out.executed_at = optional_time(query, 21);
    out.completed_at = optional_time(query, 22);
    out.authority = optional_text(query, 23);
    out.level = optional_text(query, 24);
    out.grant_digest = optional_text(query, 25);
    out.error = optional_text(query, 26);
    out.granted = optional_text(query, 27);
    out.narrowing = optional_text(query, 28);
    if (const auto review = optional_text(query, 29)) out.review = base::parse_json(*review);
    return out;
}

std::vector<RequestRow> read_rows(Prepared& query) {
    std::vector<RequestRow> out;
    while (query.executeStep()) out.push_back(read_row(query));
    return out;
}

constexpr const char* kHistoryColumns =
    "id, kind, status, session_id, skill_id, code_hash, created_at, approved_at, executed_at, "
    "completed_at, substr(error, 1, 1024)";

HistoryRow read_history_row(SQLite::Statement& query) {
    HistoryRow out;
    out.id = text(query, 0);
    std::tie(out.kind, out.status) = read_state(query, 1, 2);
    out.session_id = text(query, 3);
    out.skill_id = text(query, 4);
    out.code_hash = optional_text(query, 5);
    out.created_at = time(query, 6);
    out.approved_at = optional_time(query, 7);
    out.executed_at = optional_time(query, 8);
    out.completed_at = optional_time(query, 9);
    out.error = optional_text(query, 10);
    return out;
}

/// The audited action of a transition (wire 9).
std::string action_of(policy::Status from, policy::Status to) {
    using enum policy::Status;
    if (from == pending && (to == approved || to == denied || to == completed))
        return "request.decided";
    if (to == executing) return "request.started";
    if (from == executing) return "request.finished";
    return "request.changed";
}

Entry entry_of(const RequestRow& row, base::Time at, const Change& change, std::string action) {
    return {at,     row.owner_id, change.actor, std::move(action), row.tenant_id,
            row.id, change.detail};
}

template <typename T>
void keep(std::optional<T>& into, const std::optional<T>& value) {
    if (value) into = value;
}

}  // namespace

void Requests::insert(Transaction& tx, const RequestRow& row, std::string_view code) {
    if (row.code_hash) {
        Prepared program(tx.database(), "INSERT OR IGNORE INTO programs VALUES (?,?)");
        program.bind(1, *row.code_hash);
        bind_blob(program, 2, code);
        program.exec();
    }
    Prepared insert(
        tx.database(),
        "INSERT INTO requests (id, kind, owner_id, tenant_id, session_id, status, skill_id, "
        "description, declared_id, code_hash, args, secrets, networks, timeout, scope, warnings, "
        "violations, created_at, expires_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
    SQLite::bind(insert, row.id, std::string(policy::to_string(row.kind)), row.owner_id,
                 row.tenant_id, row.session_id, std::string(policy::to_string(row.status)),
                 row.skill_id, row.description);
    bind_optional(insert, 9, row.declared_id);
    bind_optional(insert, 10, row.code_hash);
    insert.bind(11, base::dump_json(row.ask.args));
    insert.bind(12, base::dump_json(row.ask.secrets));
    insert.bind(13, base::dump_json(policy::texts_of(row.ask.networks)));
    insert.bind(14, static_cast<std::int64_t>(row.ask.timeout.count()));
    if (row.scope) insert.bind(15, base::dump_json(policy::to_json(*row.scope)));
    insert.bind(16, base::dump_json(row.warnings));
    insert.bind(17, base::dump_json(row.violations));
    insert.bind(18, base::to_millis(row.created_at));
    insert.bind(19, base::to_millis(row.expires_at));
    insert.exec();

    Change created;
    created.actor = "agent:" + row.tenant_id;
    created.detail = {{"kind", policy::to_string(row.kind)}, {"skill_id", row.skill_id}};
    if (row.code_hash) created.detail["code_hash"] = *row.code_hash;
    Ledger::append(tx, entry_of(row, row.created_at, created, "request.created"));
}

bool Requests::transition(Transaction& tx, RequestRow& row, policy::Status to, base::Time now,
                          const Change& change) {
    if (!policy::may_become(row.kind, row.status, to))
        throw base::Error("illegal_transition",
                          fmt::format("a request cannot go from {} to {}",
                                      policy::to_string(row.status), policy::to_string(to)));
    Prepared update(
        tx.database(),
        "UPDATE requests SET status = ?1, approved_at = coalesce(?2, approved_at), "
        "executed_at = coalesce(?3, executed_at), completed_at = coalesce(?4, completed_at), "
        "authority = coalesce(?5, authority), level = coalesce(?6, level), "
        "grant_digest = coalesce(?7, grant_digest), error = coalesce(?8, error), "
        "granted = coalesce(?9, granted), narrowing = coalesce(?10, narrowing) "
        "WHERE id = ?11 AND status = ?12");
    std::optional<std::string> digest, granted;
    if (change.grant) {
        digest = policy::digest(*change.grant);
        granted = base::dump_json(policy::to_json(*change.grant));
    }
    update.bind(1, std::string(policy::to_string(to)));
    bind_optional(update, 2, change.approved_at);
    bind_optional(update, 3, change.executed_at);
    bind_optional(update, 4, change.completed_at);
    bind_optional(update, 5, change.authority);
    bind_optional(update, 6, change.level);
    bind_optional(update, 7, digest);
    bind_optional(update, 8, change.error);
    bind_optional(update, 9, granted);
    bind_optional(update, 10, change.narrowing);
    update.bind(11, row.id);
    update.bind(12, std::string(policy::to_string(row.status)));
    if (update.exec() != 1) return false;

    Change told = change;
    if (digest) told.detail["grant"] = *digest;
    told.detail["from"] = policy::to_string(row.status);
    told.detail["to"] = policy::to_string(to);
    Ledger::append(tx, entry_of(row, now, told, action_of(row.status, to)));

    row.status = to;
    keep(row.approved_at, change.approved_at);
    keep(row.executed_at, change.executed_at);
    keep(row.completed_at, change.completed_at);
    keep(row.authority, change.authority);
    keep(row.level, change.level);
    keep(row.grant_digest, digest);
    keep(row.error, change.error);
    keep(row.granted, granted);
    keep(row.narrowing, change.narrowing);
    return true;
}

bool Requests::replace_grant(Transaction& tx, RequestRow& row, const policy::Grant& grant,
                             base::Time now, const Change& change) {
    const std::string digest = policy::digest(grant);
    const std::string granted = base::dump_json(policy::to_json(grant));
    const std::string status(policy::to_string(row.status));
    Prepared update(
        tx.database(),
        "UPDATE requests SET grant_digest = ?, granted = ? WHERE id = ? AND status = ?");
    SQLite::bind(update, digest, granted, row.id, status);
    if (update.exec() != 1) return false;
    Change told = change;
    told.detail["grant"] = digest;
    told.detail["from"] = status;
    told.detail["to"] = status;
    Ledger::append(tx, entry_of(row, now, told, "request.changed"));
    row.grant_digest = digest;
    row.granted = granted;
    return true;
}

void Requests::put_review(Transaction& tx, RequestRow& row, const base::Json& review,
                          base::Time now) {
    const std::string status(policy::to_string(row.status));
    Prepared update(tx.database(), "UPDATE requests SET review = ? WHERE id = ? AND status = ?");
    SQLite::bind(update, base::dump_json(review), row.id, status);
    if (update.exec() != 1) return;
    Change told;
    told.actor = "review";
    told.detail = {{"review", review}, {"from", status}, {"to", status}};
    Ledger::append(tx, entry_of(row, now, told, "request.changed"));
    row.review = review;
}

void Requests::insert_result(Transaction& tx, std::string_view id, const ResultRow& result) {
    Prepared insert(tx.database(), "INSERT INTO results VALUES (?,?,?,?,?,?,?,?,?,?,?)");
    insert.bind(1, std::string(id));
    insert.bind(2, result.success ? 1 : 0);
    bind_blob(insert, 3, result.out);
    bind_blob(insert, 4, result.err);
    insert.bind(5, result.exit_code);
    insert.bind(6, static_cast<std::int64_t>(result.duration.count()));
    insert.bind(7, result.timed_out ? 1 : 0);
    insert.bind(8, result.oom_killed ? 1 : 0);
    insert.bind(9, result.truncated ? 1 : 0);
    bind_optional(insert, 10, result.signal);
    if (!result.usage.is_null()) insert.bind(11, base::dump_json(result.usage));
    insert.exec();
}

std::optional<RequestRow> Requests::find(std::string_view id) {
    Prepared query(database_, fmt::format("SELECT {} FROM requests WHERE id = ?", kColumns));
    query.bind(1, std::string(id));
    if (!query.executeStep()) return std::nullopt;
    return read_row(query);
}

std::optional<ResultRow> Requests::result(std::string_view id) {
    Prepared query(
        database_,
        "SELECT success, stdout, stderr, exit_code, duration, timed_out, oom_killed, truncated, "
        "signal, usage FROM results WHERE request_id = ?");
    query.bind(1, std::string(id));
    if (!query.executeStep()) return std::nullopt;
    ResultRow out;
    out.success = query.getColumn(0).getInt() != 0;
    out.out = text(query, 1);
    out.err = text(query, 2);
    out.exit_code = query.getColumn(3).getInt();
    out.duration = base::Millis(query.getColumn(4).getInt64());
    out.timed_out = query.getColumn(5).getInt() != 0;
    out.oom_killed = query.getColumn(6).getInt() != 0;
    out.truncated = query.getColumn(7).getInt() != 0;
    out.signal = optional_text(query, 8);
    if (const auto usage = optional_text(query, 9)) out.usage = base::parse_json(*usage);
    return out;
}

std::string Requests::code(std::string_view hash) {
    Prepared query(database_, "SELECT code FROM programs WHERE hash = ?");
    query.bind(1, std::string(hash));
    if (!query.executeStep()) throw base::Error("corrupt", "a stored program is missing");
    return text(query, 0);
}

template <typename Row>
std::vector<Row> Requests::select(const char* columns, Row (*read)(SQLite::Statement&),
                                  std::string_view owner_id, const ListFilter& filter) {
    std::string sql = fmt::format("SELECT {} FROM requests WHERE ", columns);
    // A "+" keeps SQLite from an index that serves less well than the one of another condition.
    const bool alive = filter.status && !policy::is_final(*filter.status);
    sql += alive || filter.tenant_id ? "+owner_id = ?1" : "owner_id = ?1";
    if (filter.status) sql += " AND " + has_status(*filter.status);
    if (filter.tenant_id) sql += alive ? " AND +tenant_id = ?2" : " AND tenant_id = ?2";
    if (filter.session_id) sql += alive ? " AND +session_id = ?3" : " AND session_id = ?3";
    if (filter.before) sql += " AND seq < ?4";
    sql += " ORDER BY seq DESC LIMIT ?5";

    std::int64_t before = 0;
    if (filter.before) {
        Prepared cursor(database_, "SELECT seq, owner_id, tenant_id FROM requests WHERE id = ?");
        cursor.bind(1, *filter.before);
        if (!cursor.executeStep() || text(cursor, 1) != owner_id ||
            (filter.tenant_id && text(cursor, 2) != *filter.tenant_id))
            return {};
        before = cursor.getColumn(0).getInt64();
    }
    Prepared query(database_, sql);
    query.bind(1, std::string(owner_id));
    if (filter.tenant_id) query.bind(2, *filter.tenant_id);
    if (filter.session_id) query.bind(3, *filter.session_id);
    if (filter.before) query.bind(4, before);
    query.bind(5, filter.limit);
    std::vector<Row> out;
    while (query.executeStep()) out.push_back(read(query));
    return out;
}

std::vector<RequestRow> Requests::list(std::string_view owner_id, const ListFilter& filter) {
    return select(kColumns, &read_row, owner_id, filter);
}

std::vector<HistoryRow> Requests::history(std::string_view owner_id, const ListFilter& filter) {
    return select(kHistoryColumns, &read_history_row, owner_id, filter);
}

std::vector<RequestRow> Requests::with_status(policy::Status status) {
    Prepared query(database_, fmt::format("SELECT {} FROM requests WHERE {} ORDER BY seq", kColumns,
                                          has_status(status)));
    return read_rows(query);
}

std::vector<RequestRow> Requests::in_session(std::string_view tenant_id,
                                             std::string_view session_id,
                                             std::span<const policy::Status> statuses) {
    std::vector<RequestRow> out;
    for (const policy::Status status : statuses) {
        Prepared query(database_, fmt::format("SELECT {} FROM requests WHERE +tenant_id = ? AND "
                                              "+session_id = ? AND {} ORDER BY seq",
                                              kColumns, has_status(status)));
        query.bind(1, std::string(tenant_id));
        query.bind(2, std::string(session_id));
        for (RequestRow& row : read_rows(query)) out.push_back(std::move(row));
    }
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.seq < b.seq; });
    return out;
}

std::vector<RequestRow> Requests::approved_by(std::string_view authority) {
    // The condition of the index requests_of_authority, word for word.
    Prepared query(database_,
                   fmt::format("SELECT {} FROM requests WHERE authority = ? AND status IN "
                               "('approved', 'awaiting_secrets', 'executing') ORDER BY seq",
                               kColumns));
    query.bind(1, std::string(authority));
    return read_rows(query);
}

std::vector<RequestRow> Requests::executions_before(std::string_view tenant_id, std::int64_t seq,
                                                    std::int64_t limit) {
    Prepared query(database_, fmt::format("SELECT {} FROM requests WHERE tenant_id = ? AND "
                                          "seq < ? AND kind = 'execute' ORDER BY seq DESC LIMIT ?",
                                          kColumns));
    query.bind(1, std::string(tenant_id));
    query.bind(2, seq);
    query.bind(3, limit);
    return read_rows(query);
}

std::optional<std::string> Requests::last_approved_hash(const RequestRow& row) {
    if (row.skill_id.empty()) return std::nullopt;
    Prepared query(database_, fmt::format("SELECT code_hash FROM requests WHERE tenant_id = ? AND "
                                          "skill_id = ? AND seq < ? AND ({}) "
                                          "ORDER BY seq DESC LIMIT 1",
                                          kApproved));
    query.bind(1, row.tenant_id);
    query.bind(2, row.skill_id);
    query.bind(3, row.seq);
    if (!query.executeStep()) return std::nullopt;
    return optional_text(query, 0);
}

std::vector<std::string> Requests::overdue(base::Time now) {
    std::vector<std::string> out;
    for (const auto& [status, end] :
         {std::pair(policy::Status::pending, "expires_at"),
          std::pair(policy::Status::awaiting_secrets, "approved_at + (expires_at - created_at)")}) {
        Prepared query(database_, fmt::format("SELECT id FROM requests WHERE {} AND {} <= ?",
                                              has_status(status), end));
        query.bind(1, base::to_millis(now));
        while (query.executeStep()) out.push_back(text(query, 0));
    }
    return out;
}

std::int64_t Requests::count_pending(std::string_view tenant_id) {
    Prepared query(database_, fmt::format("SELECT count(*) FROM requests WHERE {} AND "
                                          "+tenant_id = ?",
                                          has_status(policy::Status::pending)));
    query.bind(1, std::string(tenant_id));
    query.executeStep();
    return query.getColumn(0).getInt64();
}

std::map<policy::Status, std::int64_t> Requests::count_alive() {
    std::map<policy::Status, std::int64_t> out;
    for (const policy::Status status : policy::kAllStatuses)
        if (!policy::is_final(status)) out[status] = 0;
    Prepared query(database_, fmt::format("SELECT status, count(*) FROM requests WHERE {} "
                                          "GROUP BY status",
                                          kAlive));
    while (query.executeStep())
        if (const auto status = policy::parse_status(text(query, 0)))
            out[*status] = query.getColumn(1).getInt64();
    return out;
}

}  // namespace oauth3::store
