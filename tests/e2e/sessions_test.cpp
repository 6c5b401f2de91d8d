// Sessions over HTTP: list, show, narrow, revoke, and what is run in them.

#include "e2e/database.h"
#include "e2e/harness.h"
#include "support/catch.h"

#include <set>
#include <thread>

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

constexpr const char* kPrint = "console.log(Deno.env.get('TEXT') ?? 'nothing')";

/// An approved scope with this code: a living session.
Submitted open_session(const Server& server, const std::string& key, Json more = Json::object()) {
    Json body{{"description", "run it"}, {"skill_code", kPrint}, {"session_id", "work"}};
    body.update(more);
    const Submitted out = server.submit_scope(key, body);
    REQUIRE(server.decide(out.id, "approve").status == 200);
    return out;
}

Reply narrow(const Server& server, const std::string& key, const Json& body,
             const std::string& id = "work") {
    return server.post("/sessions/" + id + "/narrow", key, body);
}

Reply revoke(const Server& server, const std::string& key, const std::string& path,
             const Json& body = Json()) {
    return server.call({.method = "DELETE",
                        .path = path,
                        .key = key,
                        .body = body.is_null() ? "" : base::dump_json(body)});
}

std::set<std::string> members(const Json& object) {
    std::set<std::string> out;
    for (const auto& [name, value] : object.items()) out.insert(name);
    return out;
}

}  // namespace

TEST_CASE("a session is listed and shown as the contract has it") {
    const Server server;
    const std::string key = server.sign_up();
    CHECK(server.get("/sessions", key).json() == Json{{"sessions", Json::array()}});
    open_session(server, key, {{"constraints", {"No network access"}}, {"max_runs", 5}});
    const Json done = [&] {
        const Submitted run =
            server.submit(key, kPrint, {{"session_id", "work"}, {"args", {{"TEXT", "seen"}}}});
        CHECK(run.reply["status"] == "approved");
        CHECK_FALSE(run.reply.contains("approval_url"));
        return server.poll(key, run.id);
    }();
    CHECK(done["result"]["stdout"] == "seen");

    const Json list = server.get("/sessions", key).json();
    REQUIRE(list["sessions"].size() == 1);
    const Json shown = server.get("/sessions/work", key).json();
    CHECK(shown == list["sessions"][0]);
    CHECK(shown == server.get("/sessions/work", server.owner_key()).json());
    for (const char* name : {"session_id", "created_at", "last_activity", "age_minutes",
                             "idle_minutes", "expires_at", "runs_used", "policy"})
        CHECK(members(shown).count(name) == 1);
    CHECK(shown["session_id"] == "work");
    CHECK(shown["runs_used"] == 1);
    CHECK(shown["age_minutes"] == 0);
    CHECK(shown["idle_minutes"] == 0);
    CHECK(shown["expires_at"].get<std::int64_t>() ==
          shown["created_at"].get<std::int64_t>() + 24 * 3600 * 1000);
    // The start of the run moved it.
    CHECK(shown["last_activity"] == done["executed_at"]);
    const Json& policy = shown["policy"];
    CHECK(members(policy) == std::set<std::string>{"description", "allowedSecrets",
                                                   "allowedNetworks", "constraints", "rules",
                                                   "args", "code_hashes", "secret_hosts",
                                                   "any_code", "max_timeout", "max_runs"});
    CHECK(policy["max_runs"] == 5);
    CHECK(policy["any_code"] == true);
    CHECK(policy["constraints"][0]["text"] == "No network access");
    CHECK(policy["constraints"][0]["class"] == "enforced");
    CHECK(policy["constraints"][0]["compiled"] == "no networks");
}

TEST_CASE("an implicit session is exactly what was approved") {
    const Server server;
    const std::string key = server.sign_up();
    const Submitted run = server.submit(key, kPrint);
    REQUIRE(server.decide(run.id, "approve", {{"level", "session"}}).status == 200);
    server.poll(key, run.id);
    const Json shown = server.get("/sessions/" + run.session, key).json();
    CHECK(shown["policy"]["code_hashes"].size() == 1);
    CHECK(shown["policy"]["max_timeout"] == 30);
    CHECK(shown["policy"]["max_runs"].is_null());
    CHECK(shown["runs_used"] == 0);
    // Once is not a session.
    const Submitted once = server.submit(key, kPrint);
    REQUIRE(server.decide(once.id, "approve").status == 200);
    CHECK(server.get("/sessions/" + once.session, key).status == 404);
}

TEST_CASE("conformance 4: a foreign session is an unknown one, for every call and caller") {
    const Server server;
    const std::string key = server.sign_up();
    open_session(server, key);
    const Json made =
        server.post("/owners", server.owner_key(), {{"name", "somebody else"}}).json();
    const std::string other_owner = made["api_key"];
    const std::string other_agent =
        server.post("/tenants", other_owner, {{"name", "theirs"}}).json()["api_key"];
    const std::string mine = server.get("/me", key).text("tenant_id");
    for (const std::string& who : {server.sign_up(), other_agent, other_owner}) {
        CHECK(server.get("/sessions", who).json()["sessions"].empty());
        CHECK(server.get("/sessions?tenant=" + mine, who).json()["sessions"].empty());
        for (const char* query : {"", "?tenant="}) {
            const std::string more = *query == '\0' ? "" : query + mine;
            for (const char* method : {"GET", "DELETE", "POST"}) {
                const auto call = [&](const std::string& id) {
                    const bool narrowing = std::string(method) == "POST";
                    return server.call(
                        {.method = method,
                         .path = "/sessions/" + id + (narrowing ? "/narrow" : "") + more,
                         .key = who,
                         .body = narrowing ? R"({"max_runs":0})" : ""});
                };
                const Reply foreign = call("work");
                CHECK(foreign.status == 404);
                CHECK(foreign.body == call("unknown").body);
            }
        }
    }
    CHECK(server.get("/sessions/work", key).status == 200);
}

TEST_CASE("an owner names the agent only where the id does not decide") {
    const Server server;
    const std::string one = server.sign_up();
    const std::string two = server.sign_up();
    const std::string& owner = server.owner_key();
    open_session(server, one);
    CHECK(server.get("/sessions/work", owner).status == 200);
    open_session(server, two);
    CHECK(server.get("/sessions", owner).json()["sessions"].size() == 2);
    const std::string tenant = server.get("/me", one).text("tenant_id");
    const std::string other = server.get("/me", two).text("tenant_id");
    CHECK(server.get("/sessions?tenant=" + tenant, owner).json()["sessions"].size() == 1);
    for (const Reply& reply :
         {server.get("/sessions/work", owner), revoke(server, owner, "/sessions/work"),
          narrow(server, owner, {{"max_runs", 1}})}) {
        CHECK(reply.status == 400);
        CHECK(reply.text("code") == "tenant_required");
    }
    CHECK(server.get("/sessions/work?tenant=" + tenant, owner).json()["tenant_id"] == tenant);
    CHECK(narrow(server, owner, {{"max_runs", 1}, {"tenant", tenant}}).status == 200);
    CHECK(server.get("/sessions/work", two).json()["policy"]["max_runs"].is_null());
    CHECK(revoke(server, owner, "/sessions/work", {{"tenant", other}, {"reason", "done"}}).status ==
          200);
    CHECK(server.get("/sessions/work", two).status == 404);
    CHECK(server.get("/sessions/work", owner).json()["tenant_id"] == tenant);  // now it decides
    const Json events = server.get("/audit?limit=5", owner).json()["events"];
    CHECK(events[0]["action"] == "session.revoked");
    CHECK(events[0]["detail"] == Json{{"session_id", "work"}, {"reason", "done"}});
    CHECK(events[1]["action"] == "session.narrowed");
    // An agent cannot choose another tenant.
    CHECK(server.get("/sessions/work?tenant=" + tenant, two).status == 404);
}

TEST_CASE("conformance 30: narrowing cannot add anything; revoking kills what runs") {
    Server server;
    const std::string key = server.sign_up();
    open_session(server, key, {{"skill_code", kEndless}, {"max_timeout", 600}});
    const auto refused = [&](const Json& body, const char* code, const char* field) {
        for (const std::string& who : {key, server.owner_key()}) {
            const Reply reply = narrow(server, who, body);
            CAPTURE(body.dump(), reply.body);
            CHECK(reply.status == 400);
            CHECK(reply.text("code") == code);
            CHECK(reply.text("field") == field);
        }
    };
    const std::string hash(64, 'a');
    refused({{"secrets", {"NEW"}}}, "not_narrower", "secrets");
    refused({{"networks", {"x.org"}}}, "not_narrower", "networks");
    refused({{"code_hashes", {hash}}}, "not_narrower", "code_hashes");
    refused({{"max_timeout", 601}}, "not_narrower", "max_timeout");
    refused({{"expires_in", 1'000'000}}, "not_narrower", "expires_in");
    refused({{"any_code", true}}, "not_narrower", "any_code");
    refused({{"rules", {{{"host", "x.org"}}}}}, "not_narrower", "rules");
    refused({{"rules", "GET"}}, "bad_request", "rules");
    refused({{"args", {{{"param", "A"}}}}}, "invalid_constraint", "args");
    refused({{"max_runs", 0}}, "bad_request", "max_runs");
    refused({{"max_runs", "5"}}, "bad_request", "max_runs");
    refused({{"code_hashes", {"A"}}}, "bad_request", "code_hashes");
    refused({{"networks", {"https://x.org/"}}}, "bad_request", "networks");
    refused({{"secrets", {{{"a", 1}}}}}, "bad_request", "secrets");
    // What is misspelt would else look as if it were cut.
    refused({{"max_timeuot", 1}}, "bad_request", "max_timeuot");
    refused({{"allowedSecrets", Json::array()}}, "bad_request", "allowedSecrets");

    const Json before = server.get("/sessions/work", key).json()["policy"];
    const Json after =
        narrow(server, key,
               {{"any_code", false}, {"max_timeout", 599}, {"max_runs", 2}, {"rules", Json::array()}})
            .json();
    CHECK(after["policy"]["max_timeout"] == 599);
    CHECK(after["policy"]["code_hashes"] == before["code_hashes"]);
    refused({{"max_runs", 3}}, "not_narrower", "max_runs");

    // The program asks for 600 seconds, which the session no longer allows.
    const Submitted misfit = server.submit(key, kEndless, {{"session_id", "work"}});
    CHECK(misfit.reply["policy_violations"] == Json{"timeout 600 > 599"});
    open_session(server, key, {{"skill_code", kEndless}, {"max_timeout", 600}});
    const Submitted run = server.submit(key, kEndless, {{"session_id", "work"}});
    REQUIRE(run.reply["status"] == "approved");
    server.wait_running();
    const Family family(server.process().pid());
    CHECK(revoke(server, key, "/sessions/work").json() ==
          Json{{"deleted", true}, {"session_id", "work"}});
    const Json end = server.poll(key, run.id);
    CHECK(end["status"] == "failed");
    CHECK(end["state"] == "failed");
    CHECK(end["error"] == "session revoked");
    CHECK(revoke(server, key, "/sessions/work").status == 404);
    CHECK(server.get("/sessions", key).json()["sessions"].empty());
    // The jail is dead: nothing is left below the server when it stops.
    server.stop();
    CHECK(family.all_gone());
}

TEST_CASE("queued runs of a revoked session are denied") {
    const Server server({"--parallel", "1"});
    const std::string key = server.sign_up();
    open_session(server, key, {{"skill_code", kEndless}, {"max_timeout", 600}});
    const Submitted first = server.submit(key, kEndless, {{"session_id", "work"}});
    const Submitted second = server.submit(key, kEndless, {{"session_id", "work"}});
    REQUIRE(second.reply["status"] == "approved");
    server.wait_state(key, first.id, "executing");
    CHECK(revoke(server, server.owner_key(), "/sessions/work").status == 200);
    const Json denied = server.poll(key, second.id);
    CHECK(denied["status"] == "denied");
    CHECK(denied["error"] == "session revoked");
    CHECK_FALSE(denied.contains("result"));
    CHECK_FALSE(denied.contains("executed_at"));
    CHECK(server.poll(key, first.id)["error"] == "session revoked");
    CHECK(server.run(key, "console.log('well')")["result"]["stdout"] == "well");
}

TEST_CASE("conformance 29: of ten executions at once with max_runs 2, two are approved") {
    const Server server;
    const std::string key = server.sign_up();
    open_session(server, key, {{"max_runs", 2}});
    std::vector<Reply> replies(10);
    std::vector<std::thread> threads;
    for (Reply& reply : replies)
        threads.emplace_back([&] {
            reply =
                server.post("/execute", key,
                            {{"skill_id", "x"}, {"skill_code", kPrint}, {"session_id", "work"}});
        });
    for (std::thread& thread : threads) thread.join();
    int approved = 0;
    for (const Reply& reply : replies) {
        REQUIRE(reply.status == 200);
        const Json json = reply.json();
        if (json["status"] == "approved") {
            ++approved;
            CHECK(server.poll(key, json["request_id"])["status"] == "completed");
        } else {
            CHECK(json["policy_violations"] == Json{"no runs left (2/2)"});
        }
    }
    CHECK(approved == 2);
    CHECK(server.get("/sessions/work", key).json()["runs_used"] == 2);
}

TEST_CASE("conformance 36: a dry run answers as the contract has it, and makes no row") {
    const Server server;
    const std::string key = server.sign_up();
    open_session(server, key);
    Database database(server.data());
    const auto rows = [&] {
        std::int64_t out = 0;
        for (const char* table :
             {"requests", "programs", "sessions", "ledger", "results", "idempotent_replies"})
            out += database.number(std::string("SELECT count(*) FROM ") + table);
        return out;
    };
    const auto before = rows();
    const auto dry = [&](const std::string& code, Json more) {
        Json body{{"skill_id", "x"}, {"skill_code", code}, {"dry_run", true}};
        body.update(more);
        const Reply reply = server.call({.method = "POST",
                                         .path = "/execute",
                                         .key = key,
                                         .body = base::dump_json(body),
                                         .headers = {"Idempotency-Key: dry"}});
        CHECK(reply.status == 200);
        return reply.json();
    };
    CHECK(dry(kPrint, {{"session_id", "work"}}) == Json{{"dry_run", true},
                                                        {"would_auto_approve", true},
                                                        {"reason", "session_policy"},
                                                        {"session_id", "work"},
                                                        {"missing_secrets", Json::array()}});
    CHECK(dry("// @secrets KEY\n// @network x.org\n", {{"session_id", "work"}}) ==
          Json{{"dry_run", true},
               {"would_auto_approve", false},
               {"reason", "policy_violation"},
               {"session_id", "work"},
               {"session_exists", true},
               {"policy_violations",
                {"new secret: KEY", "new network: x.org", "code not approved in this session"}},
               {"policy_gaps",
                {{"new_secrets", {"KEY"}},
                 {"new_networks", {"x.org"}},
                 {"risk_escalation", false},
                 {"mutation_escalation", false}}}});
    CHECK(dry("// @secrets KEY\n", {{"session_id", "unknown"}}) ==
          Json{{"dry_run", true},
               {"would_auto_approve", false},
               {"reason", "needs_approval"},
               {"session_id", "unknown"},
               {"session_exists", false}});
    CHECK(dry(kPrint, Json::object())["session_id"].get<std::string>().starts_with("session_"));
    // What would be refused is refused.
    CHECK(server.post("/execute", key, {{"dry_run", true}, {"skill_id", "x"}}).status == 400);
    CHECK(rows() == before);
}
