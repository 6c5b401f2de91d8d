#pragma once

#include "base/clock.h"
#include "base/json.h"
#include "policy/grant.h"
#include "policy/scope.h"
#include "policy/status.h"
#include "store/database.h"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace oauth3::store {

/// One submitted request, as it stands in the database.
struct RequestRow {
    std::int64_t seq = 0;  ///< order of arrival
    std::string id;
    policy::Kind kind = policy::Kind::execute;
    std::string owner_id;
    std::string tenant_id;
    std::string session_id;
    policy::Status status = policy::Status::pending;
    std::string skill_id;
    std::string description;
    std::optional<std::string> declared_id;  ///< @skill of the code, if it has one
    std::optional<std::string> code_hash;    ///< absent for a scope without code
    policy::Ask ask;                         ///< what an execution asks for
    std::optional<policy::Scope> scope;      ///< what a scope asks for
    std::vector<std::string> warnings;
    std::vector<std::string> violations;
    base::Time created_at;
    base::Time expires_at;
    std::optional<base::Time> approved_at;
    std::optional<base::Time> executed_at;
    std::optional<base::Time> completed_at;
    std::optional<std::string> authority;  ///< "session", "trust:<id>" or "owner:<id>"
    std::optional<std::string> level;
    std::optional<std::string> grant_digest;
    std::optional<std::string> error;
    std::optional<std::string> granted;    ///< the approved grant as JSON
    std::optional<std::string> narrowing;  ///< what the human cut from the request for it, as JSON
    std::optional<base::Json> review;      ///< the second opinion: {verdict, reason, failed}
};

/// What the history tells of a request: little, since there are many of them on a page.
struct HistoryRow {
    std::string id;
    policy::Kind kind = policy::Kind::execute;
    policy::Status status = policy::Status::pending;
    std::string session_id;
    std::string skill_id;
    std::optional<std::string> code_hash;
    base::Time created_at;
    std::optional<base::Time> approved_at;
    std::optional<base::Time> executed_at;
    std::optional<base::Time> completed_at;
    std::optional<std::string> error;  ///< the first 1024 characters of it
};

/// What a run left behind. Texts are valid UTF-8 within the limits of wire 5.7.
struct ResultRow {
    bool success = false;
    std::string out;
    std::string err;
    int exit_code = 0;
    base::Millis duration{0};
    bool timed_out = false;
    bool oom_killed = false;
    bool truncated = false;
    std::optional<std::string> signal;
    base::Json usage;  ///< an object, as the reply tells it; null if it is not known
};

/// What a transition writes beside the new status. Absent members stay as they are.
struct Change {
    std::string actor;
    base::Json detail = base::Json::object();
    std::optional<base::Time> approved_at;
    std::optional<base::Time> executed_at;
    std::optional<base::Time> completed_at;
    std::optional<std::string> authority;
    std::optional<std::string> level;
    std::optional<policy::Grant> grant;  ///< with its digest
    std::optional<std::string> narrowing;
    std::optional<std::string> error;
};

/// Which requests of an owner a list shows, newest first.
struct ListFilter {
    std::optional<policy::Status> status;
    std::optional<std::string> tenant_id;
    std::optional<std::string> session_id;
    /// Only rows older than the request with this id. If the list would not show that one, such as
    /// for an unknown or foreign id, nothing is older.
    std::optional<std::string> before;
    std::int64_t limit = 50;
};

class Requests {
  public:
    explicit Requests(Database& database) : database_(database) {}

    /// Stores a new pending request with its code (if any) and its ledger row.
    void insert(Transaction&, const RequestRow& row, std::string_view code);

    /// Compare-and-set: moves the request from `row.status` to `to`, with its ledger row. False
    /// if its status is no longer the one in `row`. Throws Error "illegal_transition" for one
    /// that the table does not have. On success `row` is as it now stands in the database.
    bool transition(Transaction&, RequestRow& row, policy::Status to, base::Time now,
                    const Change& change);

    /// Replaces the grant of a request that was approved and has not started, with the ledger row
    /// request.changed. False if its status is no longer the one in `row`.
    bool replace_grant(Transaction&, RequestRow& row, const policy::Grant& grant, base::Time now,
                       const Change& change);

    /// Keeps the second opinion on a request that is pending, with the ledger row request.changed.
    void put_review(Transaction&, RequestRow& row, const base::Json& review, base::Time now);

    void insert_result(Transaction&, std::string_view id, const ResultRow& result);

    std::optional<RequestRow> find(std::string_view id);
    std::optional<ResultRow> result(std::string_view id);
    /// The stored bytes of a program; throws Error "corrupt" if they are missing.
    std::string code(std::string_view hash);

    std::vector<RequestRow> list(std::string_view owner_id, const ListFilter& filter);
    /// The same list, of rows that hold nothing long.
    std::vector<HistoryRow> history(std::string_view owner_id, const ListFilter& filter);
    /// All requests with this status, oldest first.
    std::vector<RequestRow> with_status(policy::Status status);
    /// Requests of a session, by any status of these, oldest first.
    std::vector<RequestRow> in_session(std::string_view tenant_id, std::string_view session_id,
                                       std::span<const policy::Status> statuses);
    /// Requests that an authority such as "trust:<id>" has approved and that have not ended.
    std::vector<RequestRow> approved_by(std::string_view authority);
    /// The last execution requests of a tenant, newest first, that it made before the one with this
    /// number.
    std::vector<RequestRow> executions_before(std::string_view tenant_id, std::int64_t seq,
                                              std::int64_t limit);
    /// The program that was last approved for the same tenant and skill_id before this request, by
    /// an execution or with a scope: its hash. nullopt without a skill_id.
    std::optional<std::string> last_approved_hash(const RequestRow& row);
    /// Ids of requests whose time is over: undecided ones, and those that wait for secrets as long
    /// after their approval.
    std::vector<std::string> overdue(base::Time now);
    std::int64_t count_pending(std::string_view tenant_id);
    /// How many requests of all owners have each status that is not final.
    std::map<policy::Status, std::int64_t> count_alive();

  private:
    template <typename Row>
    std::vector<Row> select(const char* columns, Row (*read)(SQLite::Statement&),
                            std::string_view owner_id, const ListFilter& filter);

    Database& database_;
};

}  // namespace oauth3::store
