// Code that a human trusts beyond a session (wire 6.2), over HTTP and on the pages.

#include "base/crypto.h"
#include "e2e/browser.h"
#include "e2e/database.h"
#include "e2e/harness.h"
#include "support/catch.h"

#include <set>

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

constexpr const char* kNothingYet = "this server cannot give a run secrets or network access yet";

bool holds(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

Reply remove(const Server& server, const std::string& key, const std::string& id) {
    return server.call({.method = "DELETE", .path = "/trust/" + id, .key = key});
}

Json trust(const Server& server, const std::string& key, const std::string& query = "") {
    return server.get("/trust" + query, key).json()["trust"];
}

}  // namespace

TEST_CASE("conformance 24: 24h trust approves the same code, and nothing beyond it") {
    const Server server;
    const std::string key = server.sign_up();
    const std::string code = "console.log('trusted', Deno.env.get('N') ?? '')\n";
    const Submitted first = server.submit(key, code, {{"session_id", "first"}});
    CHECK(server.decide(first.id, "approve", {{"level", "24h"}}).json() ==
          Json{{"id", first.id}, {"status", "approved"}, {"executing", true}});
    CHECK(server.poll(key, first.id)["result"]["stdout"] == "trusted");

    for (const char* session : {"first", "second"}) {
        const Submitted again = server.submit(key, code, {{"session_id", session}});
        CHECK(again.reply["status"] == "approved");
        CHECK_FALSE(again.reply.contains("approval_url"));
        CHECK(server.poll(key, again.id)["result"]["stdout"] == "trusted");
    }
    CHECK(
        server.poll(key, server.submit(key, code, {{"args", {{"N", 7}}}}).id)["result"]["stdout"] ==
        "trusted 7");
    const Json dry =
        server
            .post("/execute", key, {{"skill_id", "test"}, {"skill_code", code}, {"dry_run", true}})
            .json();
    CHECK(dry["would_auto_approve"] == true);
    CHECK(dry["reason"] == "trusted_code");

    // One more secret, one more network, other code.
    CHECK(server.submit(key, code, {{"secrets", {"A"}}}).reply["status"] == "pending");
    CHECK(server.submit(key, "// @network a.example\n" + code).reply["status"] == "pending");
    CHECK(server.submit(key, code + "\n").reply["status"] == "pending");

    const Json rows = trust(server, key);
    REQUIRE(rows.size() == 1);
    const Json& row = rows[0];
    CHECK(base::is_id(row["id"].get<std::string>(), "trust_"));
    CHECK(row["code_hash"] == base::sha256_hex(code));
    CHECK(row["skill_id"] == "test");
    CHECK(row["secrets"] == Json::array());
    CHECK(row["networks"] == Json::array());
    CHECK(row["level"] == "24h");
    CHECK(row["pin_args"] == false);
    CHECK(row["uses"] == 3);
    const auto created = row["created_at"].get<std::int64_t>();
    CHECK(row["expires_at"] == created + 24 * 3600 * 1000);
    CHECK(row["last_used_at"].get<std::int64_t>() >= created);
    CHECK(trust(server, server.owner_key()) == rows);

    const std::string id = row["id"];
    CHECK(remove(server, key, id).json() == Json{{"deleted", true}, {"id", id}});
    CHECK(remove(server, key, id).status == 404);
    CHECK(trust(server, key).empty());
    CHECK(server.submit(key, code).reply["status"] == "pending");
    // The session that the approval began goes on by itself.
    CHECK(server.submit(key, code, {{"session_id", "first"}}).reply["status"] == "approved");
    Database database(server.data());
    CHECK(database.number("SELECT count(*) FROM ledger WHERE action = 'trust.created'") == 1);
    CHECK(database.number("SELECT count(*) FROM ledger WHERE action = 'trust.revoked'") == 1);
    CHECK(ledger::first_break(database.events()) == std::nullopt);
}

TEST_CASE("conformance 24: trust with secrets and networks is for exactly these") {
    const Server server;
    const std::string key = server.sign_up();
    const std::string code = "// @network a.example *.b.example\nconsole.log(1)\n";
    const Submitted first = server.submit(key, code, {{"secrets", {"B", "A"}}});
    REQUIRE(server.decide(first.id, "approve", {{"level", "forever"}}).status == 200);
    CHECK(server.poll(key, first.id)["error"] == kNothingYet);
    const auto status = [&](const Json& secrets) {
        const Submitted made = server.submit(key, code, {{"secrets", secrets}});
        const bool approved = made.reply["status"] == "approved";
        if (approved) CHECK(server.poll(key, made.id)["error"] == kNothingYet);
        return made.reply["status"];
    };
    CHECK(status({"A", "B"}) == "approved");
    CHECK(status({{"A", "x"}, {"B", "y"}}) == "approved");
    CHECK(status({"A", "B", "C"}) == "pending");
    CHECK(status({"A"}) == "pending");
    CHECK(status(Json::array()) == "pending");
    const Json row = trust(server, key)[0];
    CHECK(row["secrets"] == Json{"A", "B"});
    CHECK(std::set<std::string>(row["networks"].begin(), row["networks"].end()) ==
          std::set<std::string>{"a.example", "*.b.example"});
    CHECK(row["level"] == "forever");
    CHECK(row["expires_at"].is_null());
}

TEST_CASE("conformance 24: pinned arguments, and trust_code, over HTTP") {
    const Server server;
    const std::string key = server.sign_up();
    const std::string code = "console.log(Deno.env.get('SKILL_ARGS'))\n";
    const Submitted first = server.submit(key, code, {{"args", {{"b", 1}, {"a", {1, 2}}}}});
    REQUIRE(
        server.decide(first.id, "approve", {{"level", "trust_code"}, {"pin_args", true}}).status ==
        200);
    const auto status = [&](const Json& args) {
        return server.submit(key, code, {{"args", args}}).reply["status"];
    };
    CHECK(status({{"b", 1}, {"a", {1, 2}}}) == "approved");
    CHECK(status({{"b", 1}, {"a", {2, 1}}}) == "pending");
    CHECK(status({{"b", 1}}) == "pending");
    CHECK(status(Json::object()) == "pending");
    // Nor do other arguments run in the session of that request: it was not begun.
    CHECK(server.submit(key, code, {{"args", {{"b", 2}}}, {"session_id", first.session}})
              .reply["status"] == "pending");
    const Json rows = trust(server, key);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0]["pin_args"] == true);
    CHECK(rows[0]["level"] == "forever");
    CHECK(rows[0]["last_used_at"].is_number());
}

TEST_CASE("conformance 4: foreign trust is unknown trust") {
    const Server server;
    const std::string key = server.sign_up();
    const Submitted first = server.submit(key, "1\n");
    REQUIRE(server.decide(first.id, "approve", {{"level", "forever"}}).status == 200);
    const std::string id = trust(server, key)[0]["id"];
    const std::string mine = server.get("/me", key).text("tenant_id");
    const Json made = server.post("/owners", server.owner_key(), {{"name", "other"}}).json();
    const std::string other_owner = made["api_key"];
    const std::string other_agent =
        server.post("/tenants", other_owner, {{"name", "theirs"}}).json()["api_key"];
    for (const std::string& who : {server.sign_up(), other_agent, other_owner}) {
        CHECK(trust(server, who).empty());
        CHECK(trust(server, who, "?tenant=" + mine).empty());
        for (const char* query : {"", "?tenant="}) {
            const std::string more = *query == '\0' ? "" : query + mine;
            const Reply foreign = remove(server, who, id + more);
            CHECK(foreign.status == 404);
            CHECK(foreign.body == remove(server, who, "trust_0123456789abcdef" + more).body);
        }
    }
    CHECK(trust(server, server.owner_key(), "?tenant=" + mine).size() == 1);
    CHECK(server.call({.method = "DELETE", .path = "/trust/" + id}).status == 401);
    CHECK(trust(server, key).size() == 1);
}

TEST_CASE("ending trust kills what it runs, and denies what it has queued") {
    const Server server({"--parallel", "1"});
    const std::string key = server.sign_up();
    const Submitted first = server.submit(key, kEndless);
    REQUIRE(server.decide(first.id, "approve", {{"level", "forever"}}).status == 200);
    server.wait_running();
    REQUIRE(server.post("/execute/" + first.id + "/cancel", key, Json::object()).status == 200);
    const Submitted running = server.submit(key, kEndless);
    const Submitted queued = server.submit(key, kEndless);
    REQUIRE(queued.reply["status"] == "approved");
    server.wait_state(key, running.id, "executing");
    REQUIRE(remove(server, server.owner_key(), trust(server, key)[0]["id"]).status == 200);
    const Json killed = server.poll(key, running.id);
    CHECK(killed["status"] == "failed");
    CHECK(killed["error"] == "trust revoked");
    const Json denied = server.poll(key, queued.id);
    CHECK(denied["status"] == "denied");
    CHECK(denied["error"] == "trust revoked");
    CHECK_FALSE(denied.contains("executed_at"));
    CHECK(server.run(key, "console.log('well')")["result"]["stdout"] == "well");
}

TEST_CASE("the page of a request offers trust, and its form gives it") {
    const Server server;
    const std::string key = server.sign_up();
    Browser human(server);
    REQUIRE(human.log_in_by_key(server.owner_key()).status == 303);
    struct Case {
        const char* level;
        bool pinned;
    };
    int number = 0;
    for (const auto& [level, pinned] :
         {Case{"24h", false}, {"24h", true}, {"forever", false}, {"forever", true}}) {
        CAPTURE(level, pinned);
        const std::string code = "console.log(" + std::to_string(++number) + ")\n";
        const Submitted made = server.submit(key, code, {{"args", {{"A", 1}}}});
        Form form{{"csrf", human.csrf()}, {"action", "approve"}, {"level", level}};
        if (pinned) form.emplace_back("pin_args", "1");
        CHECK(human.post("/approve/" + made.id, form).status == 200);
        const Json row = trust(server, key)[0];
        CHECK(row["code_hash"] == base::sha256_hex(code));
        CHECK(row["level"] == level);
        CHECK(row["pin_args"] == pinned);
        CHECK(server.submit(key, code, {{"args", {{"A", 1}}}}).reply["status"] == "approved");
        CHECK(server.submit(key, code).reply["status"] == (pinned ? "pending" : "approved"));
        server.poll(key, made.id);
        CHECK(holds(human.get("/approve/" + made.id).body, level));
    }
    CHECK(trust(server, key).size() == 4);
}

TEST_CASE("the dashboard lists trust and ends it") {
    const Server server;
    const std::string key = server.sign_up();
    Browser human(server);
    REQUIRE(human.log_in_by_key(server.owner_key()).status == 303);
    CHECK(holds(human.get("/dashboard").body, "No code is trusted."));
    const std::string code = "console.log('<b>')\n";
    const Submitted made =
        server.submit(key, code, {{"skill_id", "<i>trusted"}, {"args", {{"A", 1}}}});
    REQUIRE(server.decide(made.id, "approve", {{"level", "forever"}, {"pin_args", true}}).status ==
            200);
    const std::string page = human.get("/dashboard").body;
    const std::size_t at = page.find("<section id=\"trust\"");
    REQUIRE(at != std::string::npos);
    const std::string part = page.substr(at, page.find("<section id=", at + 1) - at);
    CHECK(holds(part, "&lt;i&gt;trusted"));
    CHECK_FALSE(holds(part, "<i>trusted"));
    CHECK(holds(part, base::sha256_hex(code)));
    CHECK(holds(part, "only those that it was approved with"));
    CHECK(holds(part, "when it is revoked"));
    CHECK(holds(part, server.get("/me", key).text("tenant_id")));
    const std::string id = input_value(part, "trust_id");
    CHECK(id == trust(server, key)[0]["id"]);

    CHECK(human.post("/dashboard/revoke", {{"trust_id", id}}).status == 403);
    // Another owner's browser does not reach it.
    const Reply other = server.post("/owners", server.owner_key(), {{"name", "other"}});
    Browser stranger(server);
    REQUIRE(stranger.log_in_by_key(other.text("api_key")).status == 303);
    CHECK_FALSE(holds(stranger.get("/dashboard").body, id));
    CHECK(
        stranger.post("/dashboard/revoke", {{"csrf", stranger.csrf()}, {"trust_id", id}}).status ==
        404);
    CHECK(trust(server, key).size() == 1);

    const Reply gone = human.post("/dashboard/revoke", {{"csrf", human.csrf()}, {"trust_id", id}});
    CHECK(gone.status == 303);
    CHECK(trust(server, key).empty());
    const std::string after = human.get("/dashboard").body;
    CHECK(holds(after, "No code is trusted."));
    CHECK(holds(after, "Trust revoked"));
}
