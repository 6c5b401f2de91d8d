// Somebody writes into the database between an approval and its run: what is run is what was
// approved, or nothing, and the error says what differs.
#include "base/crypto.h"
#include "orchestrator/world.h"
#include "policy/grant.h"
#include "store/sessions.h"
#include "support/catch.h"

#include <SQLiteCpp/SQLiteCpp.h>

using namespace oauth3::test;
using namespace oauth3::orchestrator;
using oauth3::base::Json;
using oauth3::base::Seconds;
using oauth3::policy::Narrowing;
using oauth3::policy::Rule;
using oauth3::policy::Scope;
using oauth3::policy::Status;

namespace {

using Texts = std::vector<std::string>;

constexpr const char* kTenantId = "tenant_0000000000000001";
const std::string kDiffers = "approved grant no longer matches: ";
const std::string kEnded = "the session no longer allows this run: it has ended";
const std::string kAltered = "the session is not as it was approved";

Settings one_at_a_time() {
    Settings out;
    out.parallel_runs = 1;
    return out;
}

/// One statement, with $name for what is only known in the test.
struct Tampering {
    const char* sql;
    std::string error;
    Status end = Status::failed;
};

/// A server on which one run holds the only place, and another is approved and waits behind it.
struct Queued {
    World world{one_at_a_time()};
    std::string blocker;
    std::string id;

    Queued() {
        blocker = world.submit("hold").id;
        world.approve(blocker);
        world.wait_for(blocker, Status::executing);
    }

    void tamper(std::string sql) {
        for (const auto& [name, value] : std::map<std::string, std::string>{
                 {"$id", "'" + id + "'"},
                 {"$evil", "'" + oauth3::base::sha256_hex("evil") + "'"},
                 {"$zeros", "'" + std::string(64, '0') + "'"}})
            for (auto at = sql.find(name); at != std::string::npos; at = sql.find(name))
                sql.replace(at, name.size(), value);
        // Whoever does this does not care for foreign keys; the test's own checks do.
        world.sql(sql);
    }

    void check_refused(const Tampering& how) {
        world.outside.release();
        world.wait_for(id, how.end);
        CHECK(world.row(id).error.value_or("") == how.error);
        CHECK(world.outside.started() == Texts{"hold"});
        CHECK_FALSE(world.server->result(world.row(id)).has_value());
        int decided = 0, started = 0, refused = 0;
        for (const auto& event : world.events()) {
            if (event.request_id != id) continue;
            decided += event.action == "request.decided" ? 1 : 0;
            started += event.action == "request.started" ? 1 : 0;
            refused += event.action == "request.changed" ? 1 : 0;
        }
        CHECK(decided == 1);
        CHECK(started == 0);
        CHECK(refused == 1);
    }
};

Rule rule(const char* host, Texts methods) {
    Rule out = oauth3::policy::open_rule(*oauth3::base::parse_network(host).network);
    out.methods = oauth3::policy::Methods::only(std::move(methods));
    return out;
}

/// What a session can hold, so that every part of it can be changed. Its runs ask for nothing.
Scope rich_scope() {
    Scope out;
    out.description = "rich";
    out.secrets = {"A"};
    out.networks = {*oauth3::base::parse_network("a.example").network};
    out.rules = {rule("a.example", {"GET"})};
    out.constraints = {oauth3::policy::compile_constraint("be nice")};
    out.max_runs = 10;
    out.budgets.requests = 5;
    return out;
}

/// The stored grant of a request after `change`, and its digest.
std::pair<std::string, std::string> changed_grant(
    World& world, const std::string& id,
    const std::function<void(oauth3::policy::Grant&)>& change) {
    auto grant = oauth3::policy::grant_from_json(oauth3::base::parse_json(*world.row(id).granted));
    change(grant);
    return {oauth3::base::dump_json(oauth3::policy::to_json(grant)), oauth3::policy::digest(grant)};
}

}  // namespace

TEST_CASE("what a human approved and somebody changed since does not run, and it is said what") {
    const Tampering kCases[] = {
        {"UPDATE programs SET code = CAST('evil' AS BLOB) WHERE hash = (SELECT code_hash FROM "
         "requests WHERE id = $id)",
         kDiffers + "the code differs"},
        {"UPDATE requests SET args = '{\"n\":2}' WHERE id = $id", kDiffers + "args differs"},
        {"UPDATE requests SET args = '{\"n\":1.0}' WHERE id = $id", kDiffers + "args differs"},
        {"UPDATE requests SET secrets = '[\"A\"]' WHERE id = $id",
         kDiffers + "secret_hosts, secrets differ"},
        {"UPDATE requests SET networks = '[\"evil.example\"]' WHERE id = $id",
         kDiffers + "networks, rules differ"},
        {"UPDATE requests SET timeout = 3600 WHERE id = $id", kDiffers + "timeout differs"},
        {"INSERT INTO programs VALUES ($evil, CAST('evil' AS BLOB)); UPDATE requests SET code_hash "
         "= $evil WHERE id = $id",
         kDiffers + "code_hash differs"},
        {"UPDATE requests SET granted = json_set(granted, '$.timeout', 3600) WHERE id = $id",
         kDiffers + "it is not the one in the ledger"},
        {"UPDATE requests SET granted = json_set(granted, '$.args', '{\"n\":2}'), args = "
         "'{\"n\":2}' WHERE id = $id",
         kDiffers + "it is not the one in the ledger"},
        {"UPDATE requests SET granted = '{}' WHERE id = $id", kDiffers + "it cannot be read"},
        {"UPDATE requests SET granted = 'x' WHERE id = $id", kDiffers + "it cannot be read"},
        {"UPDATE requests SET granted = NULL WHERE id = $id", kDiffers + "it was not stored"},
        {"UPDATE requests SET grant_digest = $zeros WHERE id = $id",
         kDiffers + "it is not the one in the ledger"},
        {"UPDATE requests SET grant_digest = NULL WHERE id = $id", kDiffers + "it was not stored"},
        {"UPDATE requests SET authority = 'session' WHERE id = $id",
         kDiffers + "authority differs"},
        {"UPDATE requests SET authority = 'trust:x' WHERE id = $id",
         kDiffers + "authority differs"},
        {"UPDATE requests SET authority = NULL WHERE id = $id", kDiffers + "authority differs"},
        {"UPDATE requests SET narrowing = '{\"max_timeout\":1}' WHERE id = $id",
         kDiffers + "timeout differs"},
        {"UPDATE requests SET narrowing = '{\"surprise\":1}' WHERE id = $id",
         kDiffers + "it cannot be read"},
        {"UPDATE requests SET narrowing = 'x' WHERE id = $id", kDiffers + "it cannot be read"},
    };
    for (const Tampering& how : kCases) {
        CAPTURE(how.sql);
        Queued queued;
        queued.id = queued.world.submit("print", "", {{"n", 1}}).id;
        queued.world.approve(queued.id);
        queued.tamper(how.sql);
        queued.check_refused(how);
    }
}

TEST_CASE("a grant and its digest that are changed together are not those of the ledger") {
    Queued queued;
    World& world = queued.world;
    queued.id = world.submit("print", "", {{"n", 1}}).id;
    world.approve(queued.id);
    const auto [granted, digest] =
        changed_grant(world, queued.id, [](auto& grant) { grant.timeout = Seconds(3600); });
    // All of it: the request, its grant and the digest agree with each other.
    queued.tamper("UPDATE requests SET timeout = 3600, granted = '" + granted +
                  "', grant_digest = '" + digest + "' WHERE id = $id");
    const bool ledger_too = GENERATE(false, true);
    const std::string old = "json_extract(detail, '$.grant')";
    if (ledger_too)
        queued.tamper("UPDATE ledger SET detail = json_set(detail, '$.grant', '" + digest +
                      "', '$.was', " + old +
                      ") WHERE request_id = $id AND action = 'request.decided'");
    queued.check_refused({"", kDiffers + "it is not the one in the ledger"});
    if (ledger_too)
        queued.tamper(
            "UPDATE ledger SET detail = json_remove(json_set(detail, '$.grant', "
            "json_extract(detail, '$.was')), '$.was') WHERE request_id = $id AND action "
            "= 'request.decided'");
}

TEST_CASE("without the ledger's word nothing runs, however the rows agree") {
    Queued queued;
    World& world = queued.world;
    queued.id = world.submit("print").id;
    world.approve(queued.id);
    // Moved away from the request, and back in the end, for the other checks of this test.
    queued.tamper(
        "UPDATE ledger SET request_id = 'gone' WHERE request_id = $id AND action = "
        "'request.decided'");
    world.outside.release();
    world.wait_for(queued.id, Status::failed);
    CHECK(world.row(queued.id).error == kDiffers + "it is not the one in the ledger");
    CHECK(world.outside.started() == Texts{"hold"});
    queued.tamper("UPDATE ledger SET request_id = $id WHERE request_id = 'gone'");
}

TEST_CASE(
    "a session that somebody changed neither approves nor runs, and it is said what differs") {
    const auto set = [](const std::string& path, const std::string& value) {
        return "UPDATE sessions SET policy = json_set(policy, '$." + path + "', json('" + value +
               "')) WHERE id = 's'";
    };
    struct Case {
        std::string sql;
        std::string names;
    };
    const Case kCases[] = {
        {set("rules", R"([{"host":"a.example","methods":["*"],"paths":["/**"]}])"),
         "rules differs"},
        {set("rules", "[]"), "rules differs"},
        {set("allowedNetworks", R"(["*.example.com"])"), "allowedNetworks differs"},
        {set("allowedSecrets", R"(["A","B"])"), "allowedSecrets differs"},
        {set("secret_hosts", R"({"A":["evil.example"]})"), "secret_hosts differs"},
        {set("max_runs", "99"), "max_runs differs"},
        {set("max_runs", "null"), "max_runs differs"},
        {set("max_timeout", "3600"), "max_timeout differs"},
        {set("description", "\"other\""), "description differs"},
        {set("code_hashes", "[]"), "code_hashes differs"},
        {set("args", R"([{"param":"A","pattern":"x"}])"), "args differs"},
        // Without its only constraint, an advisory one, the session's rule allows any code.
        {set("constraints", "[]"), "any_code, constraints differ"},
        {set("constraints[0].class", "\"enforced\""), "any_code, constraints differ"},
        {set("any_code_kept", "false"), "any_code_kept differs"},
        {set("only_scopes", "false"), "only_scopes differs"},
        {set("has_own_rules", "false"), "has_own_rules differs"},
        {set("budgets.requests", "1000"), "budgets differs"},
        {"UPDATE sessions SET policy = json_remove(policy, '$.budgets') WHERE id = 's'",
         "budgets differs"},
        {"UPDATE sessions SET expires_at = expires_at + 1 WHERE id = 's'", "expires_at differs"},
        {"UPDATE sessions SET ledger_seq = ledger_seq - 1 WHERE id = 's'", "approval differs"},
        {"UPDATE sessions SET ledger_seq = NULL WHERE id = 's'", "approval differs"},
    };
    for (const Case& how : kCases) {
        CAPTURE(how.sql);
        Queued queued;
        World& world = queued.world;
        world.approve(world.submit_scope(rich_scope(), "s", "print").id);
        queued.id = world.submit("print", "s").id;
        REQUIRE(world.status(queued.id) == Status::approved);
        queued.tamper(how.sql);
        // It no longer approves anything by itself,
        for (const char* code : {"print", "evil"}) {
            const auto late = world.submit(code, "s");
            CHECK(late.status == Status::pending);
            CHECK(late.violations == Texts{kAltered});
        }
        ExecuteSubmission dry;
        dry.code = "print";
        dry.session_id = "s";
        CHECK_FALSE(world.server->would(world.agent(), dry).fits);
        // cannot be made lawful by cutting it a little,
        Narrowing to;
        to.max_timeout = Seconds(1);
        CHECK_FALSE(world.server->narrow_session(world.agent(), kTenantId, "s", to).has_value());
        // and what it has queued is refused.
        queued.check_refused({"", kDiffers + "the session's " + how.names});
    }
}

TEST_CASE("a session whose row is gone, ended, unreadable or not in the ledger runs nothing") {
    const Tampering kCases[] = {
        {"DELETE FROM sessions WHERE id = 's'", kEnded, Status::denied},
        {"UPDATE sessions SET ended = 1 WHERE id = 's'", kEnded, Status::denied},
        {"UPDATE sessions SET id = 't' WHERE id = 's'", kEnded, Status::denied},
        {"UPDATE sessions SET policy = '{}' WHERE id = 's'",
         kDiffers + "the session cannot be read"},
        {"UPDATE sessions SET policy = 'x' WHERE id = 's'",
         kDiffers + "the session cannot be read"},
        {"UPDATE requests SET authority = 'owner:owner_0000000000000001' WHERE id = $id",
         kDiffers + "authority differs"},
        {"UPDATE requests SET session_id = 'other' WHERE id = $id",
         kDiffers + "session_id differs"},
        {"UPDATE requests SET args = '{\"n\":2}' WHERE id = $id", kDiffers + "args differs"},
        {"UPDATE requests SET timeout = 31 WHERE id = $id", kDiffers + "timeout differs"},
        {"UPDATE requests SET granted = json_set(granted, '$.limits', json('[{}]')) WHERE id = "
         "$id",
         kDiffers + "it is not the one in the ledger"},
    };
    for (const Tampering& how : kCases) {
        CAPTURE(how.sql);
        Queued queued;
        World& world = queued.world;
        world.approve(world.submit_scope(rich_scope(), "s", "print").id);
        world.approve(world.submit_scope(rich_scope(), "other", "print").id);
        queued.id = world.submit("print", "s").id;
        REQUIRE(world.status(queued.id) == Status::approved);
        queued.tamper(how.sql);
        queued.check_refused(how);
    }
}

TEST_CASE("a session's event that somebody edited in the ledger approves nothing") {
    Queued queued;
    World& world = queued.world;
    world.approve(world.submit_scope(rich_scope(), "s", "print").id);
    queued.id = world.submit("print", "s").id;
    const auto edit = [&](const char* runs) {
        for (const char* where : {"sessions SET policy = json_set(policy, '$.max_runs', ",
                                  "ledger SET detail = json_set(detail, '$.policy.max_runs', "})
            queued.tamper(
                std::string("UPDATE ") + where + runs +
                (*where == 's' ? ") WHERE id = 's'" : ") WHERE action = 'session.created'"));
    };
    edit("99");
    CHECK(world.submit("print", "s").violations == Texts{kAltered});
    queued.check_refused({"", kDiffers + "the session's approval differs"});
    edit("10");
}

TEST_CASE("a session cannot be put back to what it allowed before it was narrowed or revoked") {
    World world;
    world.approve(world.submit_scope(rich_scope(), "s", "print").id);
    world.sql("CREATE TEMP TABLE kept AS SELECT * FROM sessions");
    const bool revoked = GENERATE(false, true);
    Narrowing to;
    to.code_hashes = Texts{};
    if (revoked)
        REQUIRE(world.server->revoke_session(world.owner(), kTenantId, "s", "").has_value());
    else
        REQUIRE(world.server->narrow_session(world.owner(), kTenantId, "s", to).has_value());
    REQUIRE(world.submit("print", "s").status == Status::pending);
    world.sql("DELETE FROM sessions; INSERT INTO sessions SELECT * FROM kept");
    const auto late = world.submit("print", "s");
    CHECK(late.status == Status::pending);
    CHECK(late.violations == Texts{kAltered});
    if (!revoked) return;
    // Nor by the flag alone.
    world.sql("UPDATE sessions SET ended = 0, ended_at = NULL, ended_reason = NULL");
    CHECK(world.submit("print", "s").violations == Texts{kAltered});
}

// The column by which an event is found is in no event's hash.
TEST_CASE("a session cannot be put back by hiding the event that ended it") {
    for (const char* hidden : {"NULL", "'other'", "''", "'rev'"}) {
        INFO(hidden);
        World world;
        world.approve(world.submit_scope(rich_scope(), "s", "print").id);
        world.sql("CREATE TEMP TABLE kept AS SELECT * FROM sessions");
        REQUIRE(world.server->revoke_session(world.owner(), kTenantId, "s", "rev").has_value());
        world.sql("DELETE FROM sessions; INSERT INTO sessions SELECT * FROM kept");
        world.sql(std::string("UPDATE ledger SET subject = ") + hidden +
                  " WHERE action = 'session.revoked'");
        CHECK(world.submit("print", "s").status == Status::pending);
    }
}

TEST_CASE("an approval does not take over what somebody wrote into the session") {
    World world;
    world.approve(world.submit_scope(rich_scope(), "s", "print").id);
    const auto run = world.submit("other", "s");
    const std::string seen = world.server->session_digest(run);
    REQUIRE(seen != "none");
    world.sql("UPDATE sessions SET policy = json_set(policy, '$.code_hashes', json_array('" +
              oauth3::base::sha256_hex("evil") + "')) WHERE id = 's'");
    Decision decision{true, Level::session, ""};
    decision.session_digest = seen;
    CHECK(world.server->decide(world.owner(), run.id, decision)->session_changed);
    CHECK(world.server->session_digest(run) == "none");
    const auto decided = world.approve(run.id, Level::session);
    CHECK(decided.made);
    CHECK_FALSE(decided.expanded);
    const auto anew = world.server->session(world.owner(), kTenantId, "s");
    REQUIRE(anew.has_value());
    CHECK(anew->session.policy.code_hashes == Texts{oauth3::base::sha256_hex("other")});
    CHECK(world.submit("evil", "s").status == Status::pending);
    CHECK(world.submit("other", "s").status == Status::approved);
}

TEST_CASE("narrowing a session does not approve what somebody changed in a queued run") {
    Queued queued;
    World& world = queued.world;
    world.approve(world.submit_scope(rich_scope(), "s", "print").id);
    queued.id = world.submit("print", "s", {{"n", 1}}).id;
    queued.tamper("UPDATE requests SET args = '{\"n\":2}' WHERE id = $id");
    Narrowing to;
    to.max_timeout = Seconds(45);
    REQUIRE(world.server->narrow_session(world.agent(), kTenantId, "s", to).has_value());
    queued.check_refused({"", kDiffers + "args differs"});
}

TEST_CASE("trust that is gone or changed when its run starts refuses it") {
    const Tampering kCases[] = {
        {"DELETE FROM trust", "trust revoked", Status::denied},
        {"UPDATE trust SET id = 'trust_x'", "trust revoked", Status::denied},
        {"UPDATE trust SET expires_at = NULL", kDiffers + "the trust differs"},
        {"UPDATE trust SET secrets = '[\"A\"]'", kDiffers + "the trust differs"},
        {"UPDATE trust SET args_hash = 'x'", kDiffers + "the trust differs"},
        {"UPDATE trust SET secrets = 'x'", kDiffers + "the trust cannot be read"},
        {"UPDATE requests SET authority = 'session' WHERE id = $id",
         kDiffers + "authority differs"},
        {"UPDATE requests SET authority = 'owner:owner_0000000000000001' WHERE id = $id",
         kDiffers + "authority differs"},
    };
    for (const Tampering& how : kCases) {
        CAPTURE(how.sql);
        Queued queued;
        World& world = queued.world;
        const auto first = world.submit("print").id;
        world.approve(first, Level::day);
        REQUIRE(world.server->cancel(world.owner(), first).has_value());
        queued.id = world.submit("print").id;
        REQUIRE(world.status(queued.id) == Status::approved);
        queued.tamper(how.sql);
        queued.check_refused(how);
    }
}
