#include "base/error.h"
#include "base/files.h"
#include "fixture.h"
#include "store/ledger.h"
#include "store/schema.h"
#include "store/sessions.h"
#include "support/catch.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace oauth3::store;
using namespace oauth3::test;
using oauth3::base::Error;
using oauth3::base::from_millis;
using oauth3::base::Json;
using oauth3::base::Seconds;
using oauth3::policy::Kind;
using oauth3::policy::Status;

namespace {

using Texts = std::vector<std::string>;

struct Fixture {
    TemporaryFolder folder;
    Database database{folder.path() / "data"};
    Requests requests{database};
    Ledger ledger{database};

    Fixture() { add_principals(database); }

    RequestRow inserted(RequestRow row, std::string_view code = "code()") {
        Transaction tx(database);
        requests.insert(tx, row, code);
        tx.commit();
        return row;
    }
    bool move(RequestRow& row, Status to) {
        Transaction tx(database);
        const bool moved = requests.transition(tx, row, to, kNow, change_to(to));
        tx.commit();
        return moved;
    }
    std::size_t events() { return chain_of(database, kOwner).size(); }
};

const std::string kNasty("a\0b\xFF\xC0\r\n'; DROP TABLE requests; --", 33);

}  // namespace

TEST_CASE_METHOD(Fixture, "of two copies of a row one wins") {
    RequestRow first = inserted(new_request());
    RequestRow second = first;
    CHECK(move(first, Status::approved));
    const std::size_t before = events();
    CHECK_FALSE(move(second, Status::denied));
    CHECK_FALSE(move(second, Status::approved));
    CHECK(second.status == Status::pending);
    CHECK(events() == before);
    CHECK(requests.find(first.id)->status == Status::approved);
    CHECK(requests.find(first.id)->approved_at == kNow);
    // One that lies about where it stands, and one that does not exist.
    second.status = Status::executing;
    CHECK_FALSE(move(second, Status::completed));
    RequestRow stranger = new_request();
    CHECK_FALSE(move(stranger, Status::approved));
    CHECK(events() == before);
    CHECK(contradictions(database) == Texts{});
}

TEST_CASE_METHOD(Fixture, "an illegal transition throws and changes nothing") {
    const Kind kind = GENERATE(Kind::execute, Kind::scope);
    const RequestRow row = inserted(new_request(kind));
    const std::size_t before = events();
    int refused = 0;
    for (const Status from : oauth3::policy::kAllStatuses)
        for (const Status to : oauth3::policy::kAllStatuses) {
            if (oauth3::policy::may_become(kind, from, to)) continue;
            RequestRow copy = row;
            copy.status = from;
            Transaction tx(database);
            try {
                requests.transition(tx, copy, to, kNow, change_to(to));
                FAIL("it was allowed");
            } catch (const Error& error) {
                CHECK(error.code() == "illegal_transition");
            }
            CHECK(copy.status == from);
            tx.commit();
            ++refused;
        }
    CHECK(refused == (kind == Kind::execute ? 65 : 77));
    CHECK(events() == before);
    CHECK(requests.find(row.id)->status == Status::pending);
}

TEST_CASE_METHOD(Fixture, "a rollback leaves neither the status nor the ledger row") {
    const RequestRow row = inserted(new_request());
    const std::size_t before = events();
    {
        RequestRow copy = row;
        Transaction tx(database);
        REQUIRE(requests.transition(tx, copy, Status::approved, kNow, change_to(Status::approved)));
        requests.insert(tx, new_request(Kind::execute, "other"), "other");
    }
    CHECK(requests.find(row.id)->status == Status::pending);
    CHECK(events() == before);
    CHECK(requests.list(kOwner, {}).size() == 1);
    CHECK_THROWS_AS(requests.code(oauth3::base::sha256_hex("other")), Error);
    // The row of a caller that goes on after a rollback still says what the store says.
    RequestRow again = *requests.find(row.id);
    CHECK(move(again, Status::denied));
    CHECK(contradictions(database) == Texts{});
}

TEST_CASE_METHOD(Fixture, "what cannot be put into the ledger does not happen") {
    RequestRow row = inserted(new_request());
    const std::size_t before = events();
    Change change = change_to(Status::denied);
    change.detail = {{"reason", "not UTF-8: \xFF"}};
    {
        Transaction tx(database);
        CHECK_THROWS(requests.transition(tx, row, Status::denied, kNow, change));
    }
    CHECK(requests.find(row.id)->status == Status::pending);
    CHECK(events() == before);
    RequestRow bad = new_request();
    bad.skill_id = "\xFF";
    CHECK_THROWS(inserted(bad));
    CHECK_FALSE(requests.find(bad.id));
    CHECK(contradictions(database) == Texts{});
}

TEST_CASE_METHOD(Fixture, "each transition has exactly one ledger row with its audited action") {
    struct Step {
        Status to;
        const char* action;
    };
    const auto walk = [this](Kind kind, const std::vector<Step>& steps) {
        RequestRow row = inserted(new_request(kind));
        auto last = chain_of(database, kOwner).back();
        CHECK(last.action == "request.created");
        CHECK(last.request_id == row.id);
        CHECK(last.tenant_id == kTenant);
        CHECK(last.actor == "agent:" + kTenant);
        for (const Step& step : steps) {
            const auto from = row.status;
            const std::size_t before = events();
            REQUIRE(move(row, step.to));
            CHECK(events() == before + 1);
            last = chain_of(database, kOwner).back();
            CHECK(last.action == step.action);
            CHECK(last.request_id == row.id);
            CHECK(last.detail["from"] == oauth3::policy::to_string(from));
            CHECK(last.detail["to"] == oauth3::policy::to_string(step.to));
        }
    };
    using enum Status;
    walk(Kind::execute, {{approved, "request.decided"},
                         {awaiting_secrets, "request.changed"},
                         {approved, "request.changed"},
                         {cancelled, "request.changed"}});
    walk(Kind::execute, {{approved, "request.decided"},
                         {executing, "request.started"},
                         {failed, "request.finished"}});
    walk(Kind::execute, {{denied, "request.decided"}});
    walk(Kind::execute, {{expired, "request.changed"}});
    walk(Kind::execute, {{approved, "request.decided"}, {denied, "request.changed"}});
    walk(Kind::scope, {{completed, "request.decided"}});
    walk(Kind::scope, {{cancelled, "request.changed"}});
    CHECK(contradictions(database) == Texts{});
}

TEST_CASE_METHOD(Fixture, "a stored event that was changed, or taken out, is found") {
    for (int i = 0; i < 5; ++i) inserted(new_request());
    const char* sql =
        GENERATE("UPDATE ledger SET actor = 'x' WHERE seq = 3",
                 "UPDATE ledger SET detail = '{}' WHERE seq = 3",
                 "DELETE FROM ledger WHERE seq = 3", "UPDATE ledger SET at = at + 1 WHERE seq = 3",
                 "UPDATE ledger SET request_id = NULL WHERE seq = 3",
                 "UPDATE ledger SET seq = 30 WHERE seq = 5");
    REQUIRE_FALSE(oauth3::ledger::first_break(chain_of(database, kOwner)));
    REQUIRE(database.sqlite().exec(sql) == 1);
    CHECK(oauth3::ledger::first_break(chain_of(database, kOwner)).has_value());
}

TEST_CASE_METHOD(Fixture, "bytes come back as they went, NUL and invalid UTF-8 too") {
    RequestRow row = new_request(Kind::execute, kNasty);
    row.description = kNasty;
    row.declared_id = kNasty;
    row.session_id = kNasty;
    row.skill_id = std::string("a\0'b", 4);
    row.ask.args = {{"x", std::string("a\0b", 3)}, {"n", 18446744073709551615ULL}};
    row.ask.secrets = {"A", "B"};
    row.ask.networks = oauth3::policy::networks_from({"*.d.org:443", "[::1]"});
    row.ask.timeout = Seconds(77);
    row.warnings = {"w1", "w\n2"};
    row.violations = {"v"};
    inserted(row, kNasty);
    CHECK(requests.code(*row.code_hash) == kNasty);
    RequestRow read = *requests.find(row.id);
    CHECK(read.description == kNasty);
    CHECK(read.declared_id == kNasty);
    CHECK(read.session_id == kNasty);
    CHECK(read.skill_id == row.skill_id);
    CHECK(read.ask.args == row.ask.args);
    CHECK(read.ask.secrets == row.ask.secrets);
    CHECK(read.ask.networks == row.ask.networks);
    CHECK(read.ask.timeout == row.ask.timeout);
    CHECK(read.ask.code_hash == row.ask.code_hash);
    CHECK(read.warnings == row.warnings);
    CHECK(read.violations == row.violations);
    CHECK(digest(grant_of(read.ask)) == digest(grant_of(row.ask)));
    CHECK(read.created_at == row.created_at);
    CHECK(read.expires_at == row.expires_at);
    CHECK_FALSE(read.approved_at.has_value());
    CHECK_FALSE(read.error.has_value());

    move(read, Status::approved);
    move(read, Status::executing);
    ResultRow result;
    result.out = kNasty + std::string(1 << 20, '\0');
    result.err = "";
    result.exit_code = 137;
    result.duration = oauth3::base::Millis(731);
    result.timed_out = true;
    result.signal = "SIGKILL";
    result.usage = {{"cpu_ms", 12}, {"limits", {{"memory", "kernel"}}}};
    {
        Transaction tx(database);
        Change change = change_to(Status::failed);
        change.error = kNasty;
        REQUIRE(requests.transition(tx, read, Status::failed, kNow, change));
        requests.insert_result(tx, read.id, result);
        tx.commit();
    }
    const ResultRow stored = *requests.result(row.id);
    CHECK(stored.out == result.out);
    CHECK(stored.err.empty());
    CHECK(stored.exit_code == 137);
    CHECK(stored.duration == result.duration);
    CHECK(stored.timed_out);
    CHECK_FALSE(stored.oom_killed);
    CHECK_FALSE(stored.success);
    CHECK(stored.signal == "SIGKILL");
    CHECK(stored.usage == result.usage);
    CHECK(requests.find(row.id)->error == kNasty);
    CHECK_FALSE(requests.result("exec_0000000000000000"));
    CHECK(contradictions(database) == Texts{});
}

TEST_CASE_METHOD(Fixture, "the row in hand is the row in the store after every transition") {
    RequestRow row = inserted(new_request());
    Change change = change_to(Status::approved);
    change.authority = "owner:x";
    change.level = "once";
    change.grant = oauth3::policy::grant_of(row.ask);
    change.narrowing = "{}";
    {
        Transaction tx(database);
        REQUIRE(requests.transition(tx, row, Status::approved, kNow, change));
        tx.commit();
    }
    move(row, Status::executing);  // leaves alone what it does not name
    const RequestRow read = *requests.find(row.id);
    for (const RequestRow* r : {&read, static_cast<const RequestRow*>(&row)}) {
        CHECK(r->status == Status::executing);
        CHECK(r->authority == "owner:x");
        CHECK(r->level == "once");
        CHECK(r->grant_digest == oauth3::policy::digest(*change.grant));
        CHECK(r->granted == oauth3::base::dump_json(oauth3::policy::to_json(*change.grant)));
        CHECK(r->narrowing == "{}");
        CHECK(r->approved_at == kNow);
        CHECK(r->executed_at == kNow);
        CHECK_FALSE(r->completed_at.has_value());
    }
}

TEST_CASE_METHOD(Fixture, "empty code, and a scope without code, are stored") {
    inserted(new_request(Kind::execute, ""), "");
    CHECK(requests.code(oauth3::base::sha256_hex("")).empty());
    const RequestRow scope = inserted(new_request(Kind::scope), {});
    CHECK_FALSE(requests.find(scope.id)->code_hash.has_value());
    CHECK(requests.find(scope.id)->scope.has_value());
    CHECK_THROWS_AS(requests.code("nothing"), Error);
}

TEST_CASE_METHOD(Fixture, "lists are newest first, of one owner, and page without gap or repeat") {
    const std::string other_owner = "owner_0000000000000002", other = "tenant_0000000000000002";
    Principals principals(database);
    {
        Transaction tx(database);
        principals.add_owner(tx, {other_owner, "o", false, kNow});
        principals.add_tenant(tx, {other, other_owner, "a", "mail@x.example", kNow});
        tx.commit();
    }
    Texts ids;
    for (int i = 0; i < 25; ++i) {
        RequestRow row = new_request();
        inserted(row);
        ids.insert(ids.begin(), row.id);
        row = new_request();
        row.owner_id = other_owner;
        row.tenant_id = other;
        inserted(row);
    }
    Texts paged;
    ListFilter filter;
    filter.limit = 7;
    for (auto page = requests.list(kOwner, filter); !page.empty();
         page = requests.list(kOwner, filter)) {
        CHECK(page.size() <= 7);
        for (const RequestRow& row : page) paged.push_back(row.id);
        filter.before = page.back().id;
    }
    CHECK(paged == ids);
    CHECK(requests.list("", {}).empty());
    CHECK(requests.list("%", {}).empty());
    filter = {};
    filter.tenant_id = other;
    CHECK(requests.list(kOwner, filter).empty());
    RequestRow one = *requests.find(ids[3]);
    move(one, Status::denied);
    filter = {};
    filter.status = Status::denied;
    CHECK(requests.list(kOwner, filter).size() == 1);
    filter.tenant_id = kTenant;
    filter.before = one.id;
    CHECK(requests.list(kOwner, filter).empty());
    CHECK(requests.count_pending(kTenant) == 24);
    CHECK(requests.count_pending(other) == 25);
    CHECK(requests.count_pending("") == 0);
    CHECK(requests.with_status(Status::pending).size() == 49);
    CHECK(principals.tenant(other)->email == "mail@x.example");
    CHECK_FALSE(principals.tenant(kTenant)->email.has_value());
    // Each owner's chain is its own.
    CHECK(chain_of(database, other_owner).size() == 25);
    CHECK(contradictions(database) == Texts{});
}

TEST_CASE_METHOD(Fixture, "overdue is what is undecided when its time comes, not before") {
    const RequestRow waiting = inserted(new_request());
    RequestRow decided = inserted(new_request());
    move(decided, Status::approved);
    CHECK(requests.overdue(waiting.expires_at - oauth3::base::Millis(1)).empty());
    CHECK(requests.overdue(waiting.expires_at) == Texts{waiting.id});
}

namespace {

KeyRow key(const std::string& id, const std::string& hash, const std::string& owner,
           const std::optional<std::string>& tenant) {
    KeyRow out;
    out.id = id;
    out.hash = hash;
    out.owner_id = owner;
    out.tenant_id = tenant;
    return out;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "keys are found by their hash until they are revoked") {
    Principals principals(database);
    {
        Transaction tx(database);
        principals.add_key(tx, key("key_1", "hash1", kOwner, kTenant), kNow);
        principals.add_key(tx, key("key_2", "hash2", kOwner, std::nullopt), kNow);
        tx.commit();
    }
    CHECK(principals.key_by_hash("hash1")->tenant_id == kTenant);
    CHECK_FALSE(principals.key_by_hash("hash2")->tenant_id.has_value());
    CHECK_FALSE(principals.key_by_hash(""));
    CHECK_FALSE(principals.key_by_hash("hash1' OR '1'='1"));
    CHECK_FALSE(principals.key_by_hash("HASH1"));
    database.sqlite().exec("UPDATE keys SET revoked_at = 1 WHERE id = 'key_1'");
    CHECK_FALSE(principals.key_by_hash("hash1"));
    CHECK(principals.first_owner()->id == kOwner);
    Transaction tx(database);
    CHECK_THROWS(principals.add_key(tx, key("key_3", "hash2", kOwner, std::nullopt), kNow));
    CHECK_THROWS(principals.add_key(tx, key("key_4", "hash4", "owner_x", std::nullopt), kNow));
    CHECK_THROWS(principals.add_tenant(tx, {"t", "owner_x", "n", std::nullopt, kNow}));
}

TEST_CASE_METHOD(Fixture, "a session id means nothing to another tenant") {
    Sessions sessions(database);
    SessionRow row{kTenant, "s", kOwner, {}};
    row.session.policy.description = "d";
    row.session.created_at = kNow;
    row.session.last_activity = kNow + Seconds(1);
    row.session.expires_at = kNow + Seconds(2);
    {
        Transaction tx(database);
        sessions.put(tx, row);
        row.session.ended = true;
        row.session.runs_used = 4;
        sessions.put(tx, row);
        tx.commit();
    }
    const SessionRow read = *sessions.find(kTenant, "s");
    CHECK(read.session.ended);
    CHECK(read.session.runs_used == 4);
    CHECK(read.session.policy.description == "d");
    CHECK(read.session.created_at == row.session.created_at);
    CHECK(read.session.last_activity == row.session.last_activity);
    CHECK(read.session.expires_at == row.session.expires_at);
    CHECK_FALSE(sessions.find("tenant_0000000000000002", "s"));
    CHECK_FALSE(sessions.find(kTenant, "S"));
}

TEST_CASE_METHOD(Fixture, "foreign keys hold") {
    RequestRow row = new_request();
    row.tenant_id = "tenant_ffffffffffffffff";
    CHECK_THROWS(inserted(row));
    row = new_request();
    row.owner_id = "owner_ffffffffffffffff";
    CHECK_THROWS(inserted(row));
    CHECK_THROWS(database.sqlite().exec("DELETE FROM owners"));
    inserted(new_request());
    CHECK_THROWS(database.sqlite().exec("DELETE FROM programs"));
    CHECK(requests.list(kOwner, {}).size() == 1);
}
