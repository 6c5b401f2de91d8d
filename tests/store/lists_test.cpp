// Lists and what they cost: no call that the server makes again and again reads a whole table.
#include "store/fixture.h"
#include "store/ledger.h"
#include "store/retention.h"
#include "store/sessions.h"
#include "support/catch.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <algorithm>

using namespace oauth3::test;
using namespace oauth3::store;
using oauth3::base::Seconds;
using oauth3::policy::Kind;
using oauth3::policy::Status;
using std::chrono::hours;

namespace {

using Texts = std::vector<std::string>;

struct Fixture {
    Fixture() { add_principals(database); }

    RequestRow insert(RequestRow row, const std::string& code = "code()") {
        Transaction tx(database);
        requests.insert(tx, row, code);
        tx.commit();
        return *requests.find(row.id);
    }

    void move(RequestRow& row, Status to) {
        Transaction tx(database);
        REQUIRE(requests.transition(tx, row, to, kNow, change_to(to)));
        tx.commit();
    }

    SessionRow session(const std::string& id, oauth3::base::Time activity) {
        SessionRow row{kTenant, id, kOwner, {}};
        row.session.created_at = kNow;
        row.session.last_activity = activity;
        row.session.expires_at = kNow + hours(24);
        Transaction tx(database);
        sessions.put(tx, row);
        tx.commit();
        return row;
    }

    /// How SQLite finds the rows of the one statement made so far that contains `part`.
    std::string plan(const std::string& part) {
        sqlite3* handle = database.sqlite().getHandle();
        for (sqlite3_stmt* s = sqlite3_next_stmt(handle, nullptr); s != nullptr;
             s = sqlite3_next_stmt(handle, s)) {
            const std::string sql = sqlite3_sql(s);
            if (sql.find(part) == std::string::npos) continue;
            SQLite::Statement query(database.sqlite(), "EXPLAIN QUERY PLAN " + sql);
            query.executeStep();
            return query.getColumn(3).getString();
        }
        return "no such statement";
    }

    /// Rows that the statements made so far have stepped over in tables without an index.
    int scanned() {
        int out = 0;
        sqlite3* handle = database.sqlite().getHandle();
        for (sqlite3_stmt* s = sqlite3_next_stmt(handle, nullptr); s != nullptr;
             s = sqlite3_next_stmt(handle, s))
            if (const int steps = sqlite3_stmt_status(s, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0);
                steps > 0) {
                UNSCOPED_INFO(steps << " steps: " << sqlite3_sql(s));
                out += steps;
            }
        return out;
    }

    TemporaryFolder folder;
    Database database{folder.path() / "data"};
    Requests requests{database};
    Sessions sessions{database};
    Ledger ledger{database};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "no list and no count reads a whole table") {
    std::vector<RequestRow> rows;
    for (int i = 0; i < 60; ++i) {
        RequestRow row = new_request(i % 5 == 0 ? Kind::scope : Kind::execute);
        row.session_id = "s" + std::to_string(i % 3);
        rows.push_back(insert(row));
        if (i % 2 == 0) move(rows.back(), Status::denied);
    }
    for (int i = 0; i < 20; ++i) session("s" + std::to_string(i), kNow + Seconds(i));
    CHECK(scanned() == 0);

    ListFilter filter;
    filter.limit = 5;
    for (const auto& status :
         {std::optional<Status>(), std::optional(Status::pending), std::optional(Status::denied)})
        for (const auto& tenant : {std::optional<std::string>(), std::optional(kTenant)})
            for (const auto& before : {std::optional<std::string>(), std::optional(rows[50].id)})
                for (const auto& in :
                     {std::optional<std::string>(), std::optional<std::string>("s1")}) {
                    filter.status = status;
                    filter.tenant_id = tenant;
                    filter.before = before;
                    filter.session_id = in;
                    const auto page = requests.list(kOwner, filter);
                    CHECK(page.size() == 5);
                    const auto lines = requests.history(kOwner, filter);
                    CHECK(std::equal(page.begin(), page.end(), lines.begin(), lines.end(),
                                     [](const auto& row, const auto& line) {
                                         return row.id == line.id && row.kind == line.kind &&
                                                row.status == line.status &&
                                                row.session_id == line.session_id &&
                                                row.skill_id == line.skill_id &&
                                                row.code_hash == line.code_hash &&
                                                row.created_at == line.created_at &&
                                                row.completed_at == line.completed_at;
                                     }));
                    CHECK(scanned() == 0);
                }
    const Status alive[] = {Status::pending, Status::approved, Status::executing};
    CHECK(requests.in_session(kTenant, "s1", alive).size() == 10);
    CHECK(requests.with_status(Status::pending).size() == 30);
    CHECK(requests.count_pending(kTenant) == 30);
    CHECK(requests.count_alive()[Status::pending] == 30);
    CHECK(requests.count_alive()[Status::executing] == 0);
    CHECK(requests.overdue(kNow).empty());
    for (const char* part : {"AND expires_at <= ?", "AND approved_at + (expires_at"})
        CHECK(plan(part).find("COVERING INDEX requests_deadlines") != std::string::npos);
    CHECK_FALSE(requests.last_approved_hash(rows[50]).has_value());
    CHECK(plan("skill_id = ?").find("INDEX requests_of_skill") != std::string::npos);
    CHECK(scanned() == 0);

    CHECK(sessions.living(kOwner, std::nullopt, kNow).size() == 20);
    CHECK(sessions.living(kOwner, kTenant, kNow + hours(2) + Seconds(10)).size() == 9);
    CHECK(sessions.with_id(kOwner, "s7").size() == 1);
    CHECK(scanned() == 0);

    EventFilter events;
    events.limit = 5;
    CHECK(ledger.events(kOwner, events).size() == 5);
    events.before = 10;
    CHECK(ledger.events(kOwner, events).front().seq == 9);
    events.tenant_id = kTenant;
    CHECK(ledger.events(kOwner, events).size() == 5);
    events = {};
    events.request_id = rows[50].id;
    CHECK(ledger.events(kOwner, events).size() == 2);
    events.tenant_id = kTenant;
    CHECK(ledger.events(kOwner, events).size() == 2);
    CHECK(scanned() == 0);

    Retention retention(database);
    CHECK(retention.purge(kNow + hours(24), hours(25)).requests == 0);
    CHECK(retention.purge(kNow + hours(24), hours(24)).requests == 20);
    CHECK(retention.purge(kNow + hours(24), hours(24)).requests == 10);
    // The owners are few, and are asked for one by one.
    CHECK(retention.purge(kNow + hours(48), hours(24)).sessions == 10);
    CHECK(scanned() <= 3 * 10);
    // The counter counts.
    SQLite::Statement scan(database.sqlite(), "SELECT count(*) FROM ledger WHERE actor = ''");
    scan.executeStep();
    CHECK(scanned() > 60);
}

TEST_CASE_METHOD(Fixture, "the history holds how an error begins, not all of it") {
    RequestRow row = insert(new_request());
    Change change = change_to(Status::denied);
    change.error = std::string(100'000, 'x');
    {
        Transaction tx(database);
        requests.transition(tx, row, Status::denied, kNow, change);
        tx.commit();
    }
    const auto lines = requests.history(kOwner, {});
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].error == std::string(1024, 'x'));
    CHECK_FALSE(lines[0].approved_at.has_value());
}

TEST_CASE_METHOD(Fixture, "a session that is revoked says so until it is begun anew") {
    SessionRow row = session("s", kNow);
    {
        Transaction tx(database);
        sessions.revoke(tx, row, "owner:x", "enough", kNow + Seconds(1));
        tx.commit();
    }
    const SessionRow read = *sessions.find(kTenant, "s");
    CHECK(read.session.ended);
    CHECK(read.ended_at == kNow + Seconds(1));
    CHECK(read.ended_reason == "enough");
    CHECK(sessions.living(kOwner, std::nullopt, kNow).empty());
    session("s", kNow);
    CHECK_FALSE(sessions.find(kTenant, "s")->ended_at.has_value());
    CHECK(sessions.living(kOwner, std::nullopt, kNow).size() == 1);
    CHECK(sessions.living("owner_x", std::nullopt, kNow).empty());
    CHECK(sessions.with_id("owner_x", "s").empty());
}

TEST_CASE_METHOD(Fixture, "activity moves forward only") {
    const SessionRow row = session("s", kNow + Seconds(100));
    Transaction tx(database);
    sessions.touch(tx, row, kNow + Seconds(50));
    CHECK(sessions.find(kTenant, "s")->session.last_activity == kNow + Seconds(100));
    sessions.touch(tx, row, kNow + Seconds(150));
    CHECK(sessions.find(kTenant, "s")->session.last_activity == kNow + Seconds(150));
    tx.commit();
}

TEST_CASE_METHOD(Fixture, "what SQLite refuses comes as one kind of error") {
    RequestRow row = insert(new_request());
    database.sqlite().exec("PRAGMA query_only = ON");
    const auto code_of = [](const auto& action) {
        try {
            action();
        } catch (const oauth3::base::Error& e) {
            return e.code();
        }
        return std::string("nothing");
    };
    CHECK(code_of([&] {
              Transaction tx(database);
              requests.insert(tx, new_request(), "x");
          }) == "store");
    CHECK(code_of([&] {
              Transaction tx(database);
              requests.transition(tx, row, Status::denied, kNow, change_to(Status::denied));
          }) == "store");
    CHECK(code_of([&] { session("s", kNow); }) == "store");
    database.sqlite().exec("PRAGMA query_only = OFF");
    database.sqlite().exec("DROP TABLE results");
    CHECK(code_of([&] { requests.result(row.id); }) == "store");
    CHECK(requests.find(row.id)->status == Status::pending);
}
