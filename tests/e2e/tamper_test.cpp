// Somebody writes into the database between an approval and its run, beside a server that runs or
// before one that starts: what a session or trust has approved is refused, and it is said why. What
// the human or the agent changes lawfully meanwhile is another matter.

#include "base/crypto.h"
#include "e2e/database.h"
#include "e2e/harness.h"
#include "support/catch.h"

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

const std::string kDiffers = "approved grant no longer matches: ";
constexpr const char* kAltered = "the session is not as it was approved";

/// A server with one place, which an endless run of the human's takes until release().
struct Occupied {
    Server server{{"--parallel", "1"}};
    std::string key = server.sign_up();
    std::string running;

    void occupy() {
        const Submitted made = server.submit(key, kEndless);
        REQUIRE(server.decide(made.id, "approve").status == 200);
        server.wait_state(key, made.id, "executing");
        running = made.id;
    }
    void release() const {
        REQUIRE(server.post("/execute/" + running + "/cancel", key, Json::object()).status == 200);
    }
    Json end(const std::string& id, bool restart) {
        if (restart) {
            server.kill9();
            server.start();
        } else {
            release();
        }
        return server.poll(key, id);
    }
    Submitted open(const std::string& session, const std::string& code, Json more = {}) const {
        Json body{{"description", "S"}, {"skill_code", code}, {"session_id", session}};
        if (more.is_object()) body.update(more);
        const Submitted out = server.submit_scope(key, body);
        REQUIRE(server.decide(out.id, "approve").status == 200);
        return out;
    }
};

std::string code_of(int number) {
    return "console.log('ran') // " + std::to_string(number) + "\n";
}

}  // namespace

TEST_CASE("what a session approved and somebody changed since does not run") {
    struct Change {
        const char* sql;  ///< the first "?" is the request's id, or the session's
        bool of_session;
        std::string error;
        const char* status = "failed";
    };
    const std::string session = kDiffers + "the session's ";
    const Change changes[] = {
        {R"(UPDATE sessions SET policy = json_set(policy, '$.rules', json('[{"host":"evil.example","methods":["*"],"paths":["/**"]}]')) WHERE id = ?)",
         true, session + "rules differs"},
        {R"(UPDATE sessions SET policy = json_set(policy, '$.allowedNetworks', json('["evil.example"]')) WHERE id = ?)",
         true, session + "allowedNetworks differs"},
        {"UPDATE sessions SET policy = json_set(policy, '$.max_runs', 1000) WHERE id = ?", true,
         session + "max_runs differs"},
        {"UPDATE sessions SET policy = json_set(policy, '$.constraints', json('[]')) WHERE id = ?",
         true, session + "constraints differs"},
        {"UPDATE sessions SET expires_at = expires_at + 3600000 WHERE id = ?", true,
         session + "expires_at differs"},
        {"DELETE FROM sessions WHERE id = ?", true,
         "the session no longer allows this run: it has ended", "denied"},
        {"UPDATE ledger SET detail = replace(detail, '\"max_runs\":5', '\"max_runs\":6') WHERE "
         "action = 'session.created' AND json_extract(detail, '$.session_id') = ?",
         true, session + "approval differs"},
        {R"(UPDATE requests SET args = '{"A":"evil"}' WHERE id = ?)", false,
         kDiffers + "args differs"},
        {"UPDATE requests SET timeout = 31 WHERE id = ?", false, kDiffers + "timeout differs"},
        {"UPDATE requests SET authority = 'owner:' || owner_id WHERE id = ?", false,
         kDiffers + "authority differs"},
        {"UPDATE requests SET session_id = 'other' WHERE id = ?", false,
         kDiffers + "session_id differs"},
        {"UPDATE requests SET granted = json_set(granted, '$.timeout', 3600) WHERE id = ?", false,
         kDiffers + "it is not the one in the ledger"},
        {"UPDATE requests SET grant_digest = hex(zeroblob(32)) WHERE id = ?", false,
         kDiffers + "it is not the one in the ledger"},
        {"UPDATE programs SET code = CAST('evil' AS BLOB) WHERE hash = (SELECT code_hash FROM "
         "requests WHERE id = ?)",
         false, kDiffers + "the code differs"},
        {"UPDATE ledger SET detail = json_set(detail, '$.by', 'x') WHERE action = "
         "'request.decided' AND request_id = ?",
         false, kDiffers + "it is not the one in the ledger"},
    };
    Occupied at;
    at.open("other", code_of(0));
    int number = 0;
    for (const Change& change : changes) {
        CAPTURE(change.sql);
        const std::string id = "s" + std::to_string(++number);
        const std::string code = code_of(number);
        at.open(id, code, {{"max_runs", 5}, {"constraints", {"be nice"}}});
        at.occupy();
        const Submitted queued =
            at.server.submit(at.key, code, {{"session_id", id}, {"args", {{"A", "good"}}}});
        REQUIRE(queued.reply["status"] == "approved");
        Database database(at.server.data());
        REQUIRE(database.change(change.sql, {change.of_session ? id : queued.id}) == 1);
        const Json end = at.end(queued.id, number % 2 == 0);
        CHECK(end["status"] == change.status);
        CHECK(end["error"] == change.error);
        CHECK_FALSE(end.contains("result"));
        CHECK_FALSE(end.contains("executed_at"));
        CHECK(database.count("request.started", queued.id) == 0);
        CHECK(database.count("request.changed", queued.id) == 1);
    }
}

TEST_CASE("what trust approved and somebody changed since does not run") {
    struct Change {
        const char* sql;  ///< the "?" is the hash of the code
        std::string error;
        const char* status = "failed";
    };
    const Change changes[] = {
        {"DELETE FROM trust WHERE code_hash = ?", "trust revoked", "denied"},
        {"UPDATE trust SET expires_at = NULL WHERE code_hash = ?", kDiffers + "the trust differs"},
        {R"(UPDATE trust SET secrets = '["A"]' WHERE code_hash = ?)",
         kDiffers + "the trust differs"},
        {"UPDATE ledger SET detail = replace(detail, '24h', 'forever') WHERE action = "
         "'trust.created' AND json_extract(detail, '$.code_hash') = ?",
         kDiffers + "the trust differs"},
    };
    Occupied at;
    int number = 0;
    for (const Change& change : changes) {
        CAPTURE(change.sql);
        const std::string code = code_of(++number);
        const Submitted first = at.server.submit(at.key, code);
        REQUIRE(at.server.decide(first.id, "approve", {{"level", "24h"}}).status == 200);
        at.server.poll(at.key, first.id);
        at.occupy();
        const Submitted queued = at.server.submit(at.key, code);
        REQUIRE(queued.reply["status"] == "approved");
        Database database(at.server.data());
        REQUIRE(database.change(change.sql, {base::sha256_hex(code)}) == 1);
        CHECK(at.server.submit(at.key, code).reply["status"] == "pending");
        const Json end = at.end(queued.id, number % 2 == 0);
        CHECK(end["status"] == change.status);
        CHECK(end["error"] == change.error);
        CHECK(database.count("request.started", queued.id) == 0);
    }
}

TEST_CASE("a session that somebody changed approves nothing, and no call makes it lawful") {
    const Server server;
    const std::string key = server.sign_up();
    const Submitted scope = server.submit_scope(
        key, {{"description", "S"}, {"session_id", "work"}, {"skill_code", "console.log(1)"}});
    REQUIRE(server.decide(scope.id, "approve").status == 200);
    const std::string evil = "console.log('evil')\n";
    REQUIRE(Database(server.data())
                .change("UPDATE sessions SET policy = json_set(policy, '$.code_hashes', "
                        "json_array(?)) WHERE id = 'work'",
                        {base::sha256_hex(evil)}) == 1);
    const auto check = [&] {
        for (const std::string& code : {evil, std::string("console.log(1)")}) {
            const Submitted made = server.submit(key, code, {{"session_id", "work"}});
            CHECK(made.reply["status"] == "pending");
            CHECK(made.reply["policy_violations"] == Json{kAltered});
            const Json dry = server
                                 .post("/execute", key,
                                       {{"skill_id", "x"},
                                        {"skill_code", code},
                                        {"session_id", "work"},
                                        {"dry_run", true}})
                                 .json();
            CHECK(dry["would_auto_approve"] == false);
        }
    };
    check();
    CHECK(server.post("/sessions/work/narrow", key, {{"max_timeout", 1}}).status == 404);
    CHECK(server.post("/sessions/work/narrow", server.owner_key(), {{"max_runs", 9}}).status ==
          404);
    check();
    // It can be ended, and an approval begins it anew.
    const Submitted other = server.submit(key, "console.log(2)", {{"session_id", "work"}});
    REQUIRE(server.decide(other.id, "approve", {{"level", "session"}}).status == 200);
    CHECK(server.submit(key, evil, {{"session_id", "work"}}).reply["status"] == "pending");
    CHECK(server.submit(key, "console.log(2)", {{"session_id", "work"}}).reply["status"] ==
          "approved");
}

TEST_CASE("a lawful change of the session between approval and run: wider nothing, narrower less") {
    Occupied at;
    const Server& server = at.server;
    const std::string asks = "// @network a.example b.example\n0";
    const Json rule{{"host", "a.example"}, {"methods", {"GET"}}, {"paths", {"/x"}}};
    const Json other{{"host", "b.example"}, {"methods", {"GET"}}, {"paths", {"/**"}}};
    at.open("wide", code_of(1));
    at.open("cut", code_of(2), {{"max_timeout", 60}});
    at.open("less", asks, {{"networks", {"a.example", "b.example"}}, {"rules", {rule, other}}});
    at.open("kept", code_of(3), {{"networks", {"a.example"}}, {"rules", {rule}}});
    at.occupy();
    const auto queue = [&](const char* session, const std::string& code) {
        const Submitted out = server.submit(at.key, code, {{"session_id", session}});
        REQUIRE(out.reply["status"] == "approved");
        return out.id;
    };
    const std::string wide = queue("wide", code_of(1));
    const std::string cut = queue("cut", code_of(2));
    const std::string less = queue("less", asks);
    const std::string kept = queue("kept", code_of(3));
    Database database(server.data());
    const auto digest_is_told = [&](const std::string& id) {
        return database.number(
            "SELECT count(*) FROM requests r WHERE r.id = ? AND r.grant_digest = (SELECT "
            "json_extract(detail, '$.grant') FROM ledger WHERE request_id = r.id AND action IN "
            "('request.decided', 'request.changed') ORDER BY seq DESC LIMIT 1)",
            {id});
    };
    const auto narrow = [&](const char* session, const Json& body) {
        REQUIRE(server.post(std::string("/sessions/") + session + "/narrow", at.key, body).status ==
                200);
    };
    at.open("wide", code_of(9), {{"constraints", {"read only"}}, {"max_timeout", 600}});
    narrow("cut", {{"max_timeout", 20}});
    narrow("less", {{"rules", {rule}}});
    narrow("kept", {{"rules", Json::array()}, {"max_timeout", 40}});

    const Json denied = server.poll(at.key, cut);
    CHECK(denied["status"] == "denied");
    CHECK(denied["error"] == "the session was narrowed: timeout 30 > 20");
    CHECK(server.state(less) == "approved");
    CHECK(database.count("request.changed", less) == 1);
    CHECK(database.number("SELECT json_array_length(granted, '$.rules') FROM requests WHERE id = ?",
                          {less}) == 1);
    CHECK(database.count("request.changed", kept) == 0);
    CHECK(database.count("request.changed", wide) == 0);
    for (const std::string& id : {wide, less, kept}) CHECK(digest_is_told(id) == 1);

    const bool restart = GENERATE(false, true);
    CHECK(at.end(wide, restart)["result"]["stdout"] == "ran");
    CHECK(server.poll(at.key, kept)["result"]["stdout"] == "ran");
    // It passes the last check with what is left of its grant, and fails for another reason.
    CHECK(server.poll(at.key, less)["error"] ==
          "this server cannot give a run secrets or network access yet");
    CHECK(ledger::first_break(database.events()) == std::nullopt);
}

TEST_CASE("kill -9 between an approval and its run: one decision, one run, one row each") {
    Occupied at;
    at.open("work", code_of(1), {{"max_runs", 2}});
    at.open("gone", code_of(1));
    const Submitted trusted = at.server.submit(at.key, code_of(2));
    REQUIRE(at.server.decide(trusted.id, "approve", {{"level", "forever"}}).status == 200);
    at.server.poll(at.key, trusted.id);
    at.occupy();
    const Json work{{"session_id", "work"}};
    const std::string by_session = at.server.submit(at.key, code_of(1), work).id;
    const std::string by_trust = at.server.submit(at.key, code_of(2)).id;
    const std::string by_human = at.server.submit(at.key, code_of(3)).id;
    REQUIRE(at.server.decide(by_human, "approve", {{"level", "session"}}).status == 200);
    const std::string revoked = at.server.submit(at.key, code_of(1), {{"session_id", "gone"}}).id;
    REQUIRE(at.server.state(revoked) == "approved");
    REQUIRE(at.server.call({.method = "DELETE", .path = "/sessions/gone", .key = at.key}).status ==
            200);
    at.server.kill9();
    at.server.start();
    Database database(at.server.data());
    for (const std::string& id : {by_session, by_trust, by_human}) {
        CHECK(at.server.poll(at.key, id)["result"]["stdout"] == "ran");
        for (const char* action : {"request.decided", "request.started", "request.finished"})
            CHECK(database.count(action, id) == 1);
    }
    CHECK(at.server.poll(at.key, revoked)["error"] == "session revoked");
    CHECK(database.count("request.started", revoked) == 0);
    // Nothing is counted twice: one run is left.
    CHECK(at.server.get("/sessions/work", at.key).json()["runs_used"] == 1);
    CHECK(at.server.get("/trust", at.key).json()["trust"][0]["uses"] == 1);
    CHECK(at.server.submit(at.key, code_of(1), work).reply["status"] == "approved");
    CHECK(at.server.submit(at.key, code_of(1), work).reply["status"] == "pending");
    CHECK(ledger::first_break(database.events()) == std::nullopt);
}
