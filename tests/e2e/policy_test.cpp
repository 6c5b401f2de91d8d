// What a session lets through by itself (wire 6.3 to 6.6): any code or known code only, phrases,
// typed arguments; what a human cuts from a request (7.4); and what an approval would have done.

#include "base/crypto.h"
#include "e2e/browser.h"
#include "e2e/database.h"
#include "e2e/harness.h"
#include "support/catch.h"

#include <barrier>
#include <thread>

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

constexpr const char* kNotApproved = "code not approved in this session";
constexpr const char* kKnown = "console.log('known')\n";
constexpr const char* kOther = "console.log('other')\n";

bool holds(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// An approved scope with known code, in the session "work".
Submitted open_session(const Server& server, const std::string& key, Json more = Json::object(),
                       Json decision = Json::object()) {
    Json body{{"description", "S"}, {"skill_code", kKnown}, {"session_id", "work"}};
    body.update(more);
    const Submitted out = server.submit_scope(key, body);
    REQUIRE(server.decide(out.id, "approve", std::move(decision)).status == 200);
    return out;
}

Json policy_of(const Server& server, const std::string& key) {
    return server.get("/sessions/work", key).json()["policy"];
}

Submitted execute(const Server& server, const std::string& key, const std::string& code,
                  Json args = Json::object()) {
    return server.submit(key, code, {{"session_id", "work"}, {"args", std::move(args)}});
}

const Json kRule{{"host", "a.example"}, {"methods", {"GET"}}, {"paths", {"/x/**"}}};

}  // namespace

TEST_CASE("conformance 25: other code is pending where nothing holds it, or not all of it") {
    const Json kScopes[] = {
        {{"constraints", {"be nice"}}},
        {{"constraints", {"No network access", "be nice"}}},
        {{"constraints", {"Only read issues"}}},
        {{"constraints", {"no destructive actions", "read only"}}},
        Json::object(),
        {{"networks", {"a.example"}}},
        {{"args", {{{"param", "A"}, {"pattern", "x"}}}}},
        {{"constraints", {{{"type", "predicate"}, {"param", "A"}, {"op", "=="}, {"value", "x"}}}}},
        {{"rules", {kRule}}, {"networks", {"a.example"}}, {"constraints", {"be nice"}}},
    };
    const Server server;
    for (const Json& scope : kScopes) {
        CAPTURE(scope.dump());
        const std::string key = server.sign_up();
        open_session(server, key, scope);
        CHECK(policy_of(server, key)["any_code"] == false);
        const Submitted other = execute(server, key, kOther, {{"A", "x"}});
        CHECK(other.reply["status"] == "pending");
        CHECK(other.reply["policy_violations"] == Json{kNotApproved});
        CHECK(other.reply.contains("approval_url"));
        CHECK(execute(server, key, kKnown, {{"A", "x"}}).reply["status"] == "approved");
    }
}

TEST_CASE("conformance 25: enforced constraints and rules let any code run, until taken away") {
    const Json kScopes[] = {
        {{"constraints", {"no network access"}}},
        {{"constraints", {"  No   Network ACCESS. "}}},
        {{"constraints", {"read only", "only access a.example"}}, {"networks", {"a.example"}}},
        {{"rules", {kRule}}, {"networks", {"a.example"}}},
        {{"allowMutating", false}},
        {{"constraints", {"no delete"}}, {"args", {{{"param", "A"}, {"pattern", "x"}}}}},
    };
    const Server server;
    for (const Json& scope : kScopes) {
        CAPTURE(scope.dump());
        const std::string key = server.sign_up();
        open_session(server, key, scope);
        CHECK(policy_of(server, key)["any_code"] == true);
        const Submitted other = execute(server, key, kOther, {{"A", "x"}});
        CHECK(other.reply["status"] == "approved");
        CHECK(server.poll(key, other.id)["result"]["stdout"] == "other");
        // Never beyond the session.
        CHECK(execute(server, key, "// @secrets NEW\n0", {{"A", "x"}}).reply["policy_violations"] ==
              Json{"new secret: NEW"});
        CHECK(execute(server, key, "// @network z.example\n0", {{"A", "x"}})
                  .reply["policy_violations"] == Json{"new network: z.example"});
        CHECK(execute(server, key, "// @timeout 61\n0", {{"A", "x"}}).reply["policy_violations"] ==
              Json{"timeout 61 > 60"});
    }
    const Json good{{"constraints", {"no network access"}}};
    const auto asks = [&](const std::string& key) {
        CHECK(policy_of(server, key)["any_code"] == false);
        return execute(server, key, kOther).reply["policy_violations"] == Json{kNotApproved} &&
               execute(server, key, kKnown).reply["status"] == "approved";
    };
    std::string key = server.sign_up();
    open_session(server, key, good, {{"any_code", false}});
    CHECK(asks(key));
    // A later yes does not bring back what an earlier no has taken.
    open_session(server, key, good, {{"any_code", true}});
    CHECK(asks(key));

    key = server.sign_up();
    open_session(server, key, good);
    const Submitted run = execute(server, key, "// @timeout 61\n0");
    REQUIRE(server.decide(run.id, "approve").status == 200);  // once: not into the session
    CHECK(policy_of(server, key)["any_code"] == true);
    const Submitted into = execute(server, key, "// @timeout 62\n0");
    REQUIRE(server.decide(into.id, "approve", {{"level", "session"}}).status == 200);
    CHECK(asks(key));

    key = server.sign_up();
    open_session(server, key, good);
    REQUIRE(server.post("/sessions/work/narrow", key, {{"any_code", false}}).status == 200);
    CHECK(asks(key));

    key = server.sign_up();
    open_session(server, key, good);
    open_session(server, key, {{"constraints", {"be nice"}}});  // widens, and only advises
    CHECK(asks(key));

    key = server.sign_up();
    open_session(server, key, good, {{"narrow", {{"any_code", false}}}});
    CHECK(asks(key));
}

TEST_CASE(
    "conformance 25: the page asks about any code only where it may run, and its form counts") {
    const Server server;
    Browser human(server);
    REQUIRE(human.log_in_by_key(server.owner_key()).status == 303);
    const auto page = [&](const Submitted& scope) {
        return human.get("/approve/" + scope.id).body;
    };
    for (const char* choice : {"0", "1", ""}) {
        CAPTURE(choice);
        const std::string key = server.sign_up();
        const Submitted scope = server.submit_scope(
            key, {{"description", "S"}, {"session_id", "work"}, {"constraints", {"read only"}}});
        CHECK(holds(page(scope), "name=\"any_code\" value=\"1\" checked"));
        CHECK(holds(page(scope), "name=\"any_code\" value=\"0\""));
        Form form{{"csrf", human.csrf()}, {"action", "approve"}};
        if (*choice != '\0') form.emplace_back("any_code", choice);
        CHECK(human.post("/approve/" + scope.id, form).status == 200);
        const bool any = std::string(choice) != "0";
        CHECK(policy_of(server, key)["any_code"] == any);
        CHECK(execute(server, key, kOther).reply["status"] == (any ? "approved" : "pending"));
    }
    const std::string key = server.sign_up();
    const Submitted vague = server.submit_scope(
        key, {{"description", "S"}, {"session_id", "work"}, {"constraints", {"be nice"}}});
    CHECK_FALSE(holds(page(vague), "name=\"any_code\""));
    CHECK(holds(page(vague), "Code that was not approved in the session still asks each time."));
    // Sent all the same, it has no effect.
    CHECK(human
              .post("/approve/" + vague.id,
                    {{"csrf", human.csrf()}, {"action", "approve"}, {"any_code", "1"}})
              .status == 200);
    CHECK(policy_of(server, key)["any_code"] == false);
}

TEST_CASE("conformance 27: what is enforced partly, and what not at all, is said everywhere") {
    const Server server;
    const std::string key = server.sign_up();
    Browser human(server);
    REQUIRE(human.log_in_by_key(server.owner_key()).status == 303);
    const auto check = [&](const Json& constraints) {
        REQUIRE(constraints.size() == 3);
        CHECK(constraints[0]["text"] == "Only read issues");
        CHECK(constraints[0]["class"] == "partly");
        CHECK(constraints[0]["compiled"] == "methods GET, HEAD");
        CHECK(constraints[1]["text"] == "be nice");
        CHECK(constraints[1]["class"] == "advisory");
        CHECK(constraints[1]["compiled"] == "");
        CHECK(constraints[2]["class"] == "enforced");
    };
    const Submitted scope =
        server.submit_scope(key, {{"description", "S"},
                                  {"session_id", "work"},
                                  {"constraints", {"Only read issues", "be nice", "no delete"}}});
    check(scope.reply["constraints"]);
    check(server.get("/requests/" + scope.id, server.owner_key())
              .json()["scope_request"]["structured_constraints"]);
    for (const std::string& page :
         {human.get("/approve/" + scope.id).body,
          server.get("/approve/" + scope.id + "?token=" + scope.token).body}) {
        const std::size_t partly = page.find("PARTLY");
        const std::size_t advisory = page.find("ADVISORY");
        REQUIRE(partly != std::string::npos);
        REQUIRE(advisory != std::string::npos);
        CHECK(partly < advisory);
        CHECK(holds(page, "oauth3 cannot check this"));
        CHECK(holds(page, "oauth3 holds it to: methods GET, HEAD. Not checked: the other words"));
        CHECK(holds(page, "ENFORCED"));
        CHECK_FALSE(holds(page, "name=\"any_code\""));
    }
    REQUIRE(server.decide(scope.id, "approve", {{"any_code", true}}).status == 200);
    check(policy_of(server, key)["constraints"]);
    CHECK(policy_of(server, key)["any_code"] == false);
    const std::string session = human.get("/dashboard/session/work").body;
    CHECK(holds(session, "(partly enforced)"));
    CHECK(holds(session, "(oauth3 cannot check this)"));
    CHECK(execute(server, key, kOther).reply["policy_violations"] == Json{kNotApproved});
}

TEST_CASE(
    "conformance 28: typed arguments hold in a dry run and in an execution, without coercion") {
    const Server server;
    const std::string key = server.sign_up();
    open_session(server, key,
                 {{"args",
                   {{{"param", "REPO"}, {"pattern", "acme/[a-z]+"}},
                    {{"param", "COUNT"}, {"op", ">="}, {"value", 3}}}}});
    CHECK(policy_of(server, key)["args"].size() == 2);
    const std::string no_match = "arg REPO: does not match acme/[a-z]+";
    const std::string no_number = "arg COUNT: is not >= 3";
    struct Case {
        Json args;
        Json violations;
    };
    const Case kCases[] = {
        {{{"REPO", "acme/site"}, {"COUNT", 3}}, Json::array()},
        {{{"REPO", "acme/site"}, {"COUNT", 3.5}, {"MORE", true}}, Json::array()},
        // Only a part of it matches.
        {{{"REPO", "acme/site2"}, {"COUNT", 3}}, {no_match}},
        {{{"REPO", "xacme/site"}, {"COUNT", 3}}, {no_match}},
        {{{"REPO", "acme/site\n"}, {"COUNT", 3}}, {no_match}},
        {{{"REPO", "ACME/site"}, {"COUNT", 3}}, {no_match}},
        {{{"REPO", {"acme/site"}}, {"COUNT", 3}}, {no_match}},
        {{{"COUNT", 3}}, {"arg REPO: missing"}},
        {{{"REPO", nullptr}, {"COUNT", 3}}, {"arg REPO: missing"}},
        {{{"REPO", "acme/site"}}, {"arg COUNT: missing"}},
        {{{"REPO", "acme/site"}, {"COUNT", "5"}}, {no_number}},
        {{{"REPO", "acme/site"}, {"COUNT", 2}}, {no_number}},
        {{{"REPO", "acme/site"}, {"COUNT", true}}, {no_number}},
        {{{"REPO", "acme/site"}, {"COUNT", {3}}}, {no_number}},
        {Json::object(), {"arg REPO: missing", "arg COUNT: missing"}},
        {{{"repo", "acme/site"}, {"COUNT", "5"}}, {"arg REPO: missing", no_number}},
    };
    for (const Case& each : kCases) {
        CAPTURE(each.args.dump());
        const bool fits = each.violations.empty();
        const Json dry = server
                             .post("/execute", key,
                                   {{"skill_id", "x"},
                                    {"skill_code", kKnown},
                                    {"session_id", "work"},
                                    {"args", each.args},
                                    {"dry_run", true}})
                             .json();
        CHECK(dry["would_auto_approve"] == fits);
        CHECK(dry["reason"] == (fits ? "session_policy" : "policy_violation"));
        CHECK(dry.value("policy_violations", Json::array()) == each.violations);
        const Submitted made = execute(server, key, kKnown, each.args);
        CHECK(made.reply["status"] == (fits ? "approved" : "pending"));
        CHECK(made.reply.value("policy_violations", Json::array()) == each.violations);
    }
    // They can only become more.
    const Json more{{"param", "COUNT"}, {"op", "<"}, {"value", 10}};
    const Reply fewer = server.post("/sessions/work/narrow", key, {{"args", {more}}});
    CHECK(fewer.status == 400);
    CHECK(fewer.text("code") == "not_narrower");
    CHECK(fewer.text("field") == "args");
    Json all = policy_of(server, key)["args"];
    all.push_back(more);
    CHECK(server.post("/sessions/work/narrow", key, {{"args", all}}).status == 200);
    CHECK(execute(server, key, kKnown, {{"REPO", "acme/site"}, {"COUNT", 10}})
              .reply["policy_violations"] == Json{"arg COUNT: is not < 10"});
}

TEST_CASE("conformance 29: ten clients at once, max_runs 2: two runs, two approvals, one count") {
    const Server server;
    const std::string key = server.sign_up();
    open_session(server, key, {{"max_runs", 2}});
    std::vector<Reply> replies(10);
    std::vector<std::thread> clients;
    std::barrier start(10);
    for (Reply& reply : replies)
        clients.emplace_back([&] {
            start.arrive_and_wait();
            reply =
                server.post("/execute", key,
                            {{"skill_id", "x"}, {"skill_code", kKnown}, {"session_id", "work"}});
        });
    for (std::thread& client : clients) client.join();
    int approved = 0;
    for (const Reply& reply : replies) {
        REQUIRE(reply.status == 200);
        if (reply.text("status") == "approved") {
            ++approved;
            CHECK(server.poll(key, reply.text("request_id"))["status"] == "completed");
        } else {
            CHECK(reply.json()["policy_violations"] == Json{"no runs left (2/2)"});
        }
    }
    CHECK(approved == 2);
    CHECK(server.get("/sessions/work", key).json()["runs_used"] == 2);
    Database database(server.data());
    CHECK(database.number("SELECT count(*) FROM ledger WHERE action = 'request.decided' AND "
                          "json_extract(detail, '$.by') = 'session'") == 2);
    CHECK(database.number("SELECT count(*) FROM ledger WHERE action = 'request.started'") == 2);
    CHECK(ledger::first_break(database.events()) == std::nullopt);
}

TEST_CASE("conformance 30: narrowing cannot add anything, in any part") {
    const Server server;
    const std::string key = server.sign_up();
    open_session(server, key,
                 {{"secrets", {"A", "B"}},
                  {"networks", {"a.example", "*.b.example"}},
                  {"rules", {kRule, {{"host", "*.b.example"}, {"methods", {"GET", "PUT"}}}}},
                  {"args", {{{"param", "P"}, {"pattern", "x"}}}},
                  {"max_runs", 5},
                  {"max_timeout", 120},
                  {"expires_in", 3600},
                  {"constraints", {"no delete"}}});
    const Json before = server.get("/sessions/work", key).json();
    struct Case {
        const char* field;
        Json value;
    };
    const Case kCases[] = {
        {"secrets", {"A", "C"}},
        {"secrets", {"a_", "A"}},
        {"networks", {"c.example"}},
        {"networks", {"a.example", "b.example"}},
        {"networks", {"*.example.org"}},
        {"networks", {"a.example:8443"}},
        {"rules", {{{"host", "a.example"}}}},
        {"rules", {{{"host", "a.example"}, {"methods", {"GET"}}, {"paths", {"/**"}}}}},
        {"rules", {{{"host", "a.example"}, {"methods", {"GET", "POST"}}, {"paths", {"/x/**"}}}}},
        {"rules", {{{"host", "c.example"}, {"methods", {"GET"}}, {"paths", {"/x/**"}}}}},
        {"rules", {kRule, {{"host", "x.b.example"}, {"methods", {"*"}}}}},
        {"args", Json::array()},
        {"args", {{{"param", "P"}, {"pattern", "y"}}}},
        {"max_runs", 6},
        {"max_timeout", 121},
        {"expires_in", 3601},
        {"code_hashes", {base::sha256_hex(kOther)}},
        {"any_code", true},
    };
    for (const Case& each : kCases) {
        for (const std::string& who : {key, server.owner_key()}) {
            // Together with what would be lawful, and alone.
            for (const bool together : {false, true}) {
                Json body{{each.field, each.value}};
                if (together && std::string(each.field) != "max_runs") body["max_runs"] = 1;
                CAPTURE(body.dump());
                const Reply reply = server.post("/sessions/work/narrow", who, body);
                CHECK(reply.status == 400);
                const std::string code = reply.text("code");
                CHECK(code == (each.value == Json{"a_", "A"} ? "bad_request" : "not_narrower"));
                CHECK(reply.text("field") == each.field);
            }
        }
    }
    Json after = server.get("/sessions/work", key).json();
    CHECK(after["policy"] == before["policy"]);
    CHECK(after["expires_at"] == before["expires_at"]);
    const Json narrower{
        {"secrets", {"B"}},
        {"networks", {"a.example", "x.b.example"}},
        {"rules", {{{"host", "a.example"}, {"methods", {"GET"}}, {"paths", {"/x/y/*"}}}}},
        {"max_runs", 4},
        {"max_timeout", 60},
        {"expires_in", 600},
        {"code_hashes", Json::array()},
        {"any_code", false}};
    REQUIRE(server.post("/sessions/work/narrow", key, narrower).status == 200);
    after = server.get("/sessions/work", key).json();
    CHECK(after["policy"]["allowedSecrets"] == Json{"B"});
    CHECK(after["policy"]["allowedNetworks"].size() == 2);
    CHECK(after["policy"]["rules"] == narrower["rules"]);
    CHECK(after["policy"]["secret_hosts"].contains("B"));
    CHECK_FALSE(after["policy"]["secret_hosts"].contains("A"));
    CHECK(after["policy"]["any_code"] == false);
    CHECK(after["expires_at"].get<std::int64_t>() < before["expires_at"].get<std::int64_t>());
    Database database(server.data());
    CHECK(database.number("SELECT count(*) FROM ledger WHERE action = 'session.narrowed'") == 1);
}

TEST_CASE("conformance 30: revoking a session kills its running skill at once") {
    Server server({"--parallel", "1"});
    const std::string key = server.sign_up();
    const std::string sleeper =
        "// @timeout 600\nawait new Promise((done) => setTimeout(done, 500_000));\n";
    open_session(server, key, {{"skill_code", sleeper}, {"max_timeout", 600}});
    const Submitted running = execute(server, key, sleeper);
    const Submitted queued = execute(server, key, sleeper);
    REQUIRE(queued.reply["status"] == "approved");
    server.wait_running();
    const Family family(server.process().pid());
    const std::size_t before = family.programs();
    REQUIRE(before >= 1);
    const auto start = std::chrono::steady_clock::now();
    REQUIRE(server.call({.method = "DELETE", .path = "/sessions/work", .key = key}).status == 200);
    const Json killed = server.poll(key, running.id);
    CHECK(killed["status"] == "failed");
    CHECK(killed["error"] == "session revoked");
    // The watchdog of a poll is longer than this, the sleep longer still.
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(30));
    const Json denied = server.poll(key, queued.id);
    CHECK(denied["status"] == "denied");
    CHECK(denied["error"] == "session revoked");
    CHECK_FALSE(denied.contains("executed_at"));
    CHECK(Family(server.process().pid()).programs() < before);
    Database database(server.data());
    CHECK(database.count("request.started", queued.id) == 0);
    CHECK(database.count("request.finished", running.id) == 1);
    server.stop();
    CHECK(family.all_gone());
}

TEST_CASE("conformance 36: a dry run changes no history and no ledger, whatever it asks") {
    const Server server;
    const std::string key = server.sign_up();
    open_session(server, key,
                 {{"secrets", {"KNOWN"}},
                  {"skill_code", "// @secrets KNOWN\n0"},
                  {"max_runs", 1},
                  {"constraints", {"read only"}}});
    const Submitted trusted = server.submit(key, "// @secrets OURS\n1");
    REQUIRE(server.decide(trusted.id, "approve", {{"level", "forever"}}).status == 200);
    server.poll(key, trusted.id);
    const auto audit = [&] { return server.get("/audit?limit=500", server.owner_key()).body; };
    const auto state = [&] {
        return server.get("/history?limit=500", key).body + audit() +
               server.get("/trust", key).body + server.get("/sessions", key).body +
               server.get("/requests", server.owner_key()).body;
    };
    const std::string before = state();
    const auto dry = [&](const std::string& code, Json more = Json::object()) {
        Json body{{"skill_id", "x"}, {"skill_code", code}, {"dry_run", true}};
        body.update(more);
        const Reply reply = server.post("/execute", key, body);
        CHECK(reply.status == 200);
        return reply.json();
    };
    const Json work{{"session_id", "work"}};
    CHECK(dry("// @secrets KNOWN\n0", work)["missing_secrets"] == Json{"KNOWN"});
    CHECK(dry("// @secrets OURS\n1")["reason"] == "trusted_code");
    CHECK(dry("// @secrets OURS\n1")["missing_secrets"] == Json{"OURS"});
    // Before a human has approved a request that names it, nothing is told of a secret.
    for (const Json& refused : {dry("// @secrets OTHER\n0", work), dry("// @secrets OTHER\n0"),
                                dry("// @secrets KNOWN\n0"), dry("// @secrets OURS\n2")}) {
        CHECK(refused["would_auto_approve"] == false);
        CHECK_FALSE(refused.contains("missing_secrets"));
    }
    // Nor is a run used up, however often it is asked.
    for (int i = 0; i < 3; ++i)
        CHECK(dry("// @secrets KNOWN\n0", work)["would_auto_approve"] == true);
    CHECK(state() == before);
    const Submitted run = server.submit(key, "// @secrets KNOWN\n0", work);
    CHECK(run.reply["status"] == "approved");
    CHECK(dry("// @secrets KNOWN\n0", work)["policy_violations"] == Json{"no runs left (1/1)"});
}

TEST_CASE(
    "a back-test tells what an approval would have let through, and what a human denied of it") {
    const Server server;
    const std::string key = server.sign_up();
    const std::string neighbour = server.sign_up();
    server.submit(neighbour, kKnown);
    const Submitted ran = server.submit(key, kKnown);
    REQUIRE(server.decide(ran.id, "approve").status == 200);
    server.poll(key, ran.id);
    const Submitted denied = server.submit(key, kOther);
    REQUIRE(server.decide(denied.id, "deny").status == 200);
    const Submitted wants = server.submit(key, "// @network z.example\n0");
    const Submitted cancelled = server.submit(key, kKnown);
    REQUIRE(server.post("/execute/" + cancelled.id + "/cancel", key, Json::object()).status == 200);
    const Submitted scope = server.submit_scope(
        key, {{"description", "S"}, {"constraints", {"no network access"}}, {"max_runs", 1}});
    const auto backtest = [&](const std::string& who, const std::string& id,
                              const Json& body = Json::object()) {
        return server.post("/requests/" + id + "/backtest", who, body);
    };
    Database database(server.data());
    const auto events = database.number("SELECT count(*) FROM ledger");
    const Json told = backtest(server.owner_key(), scope.id).json();
    CHECK(told["request_id"] == scope.id);
    CHECK(told["considered"] == 4);
    REQUIRE(told["would_allow"].size() == 3);
    CHECK(told["would_allow"][0]["request_id"] == cancelled.id);
    CHECK(told["would_allow"][0]["denied_by_human"] == false);
    CHECK(told["would_allow"][1]["request_id"] == denied.id);
    CHECK(told["would_allow"][1]["denied_by_human"] == true);
    CHECK(told["would_allow"][1]["status"] == "denied");
    CHECK(told["would_allow"][2]["request_id"] == ran.id);
    CHECK(told["would_allow"][2]["code_hash"] == base::sha256_hex(kKnown));
    CHECK(told["would_allow_denied"] == 1);
    REQUIRE(told["would_refuse"].size() == 1);
    CHECK(told["would_refuse"][0]["request_id"] == wants.id);
    CHECK(told["would_refuse"][0]["policy_violations"] == Json{"new network: z.example"});

    const Json last = backtest(server.owner_key(), scope.id, {{"limit", 1}}).json();
    CHECK(last["considered"] == 1);
    CHECK(last["would_allow"][0]["request_id"] == cancelled.id);
    // Of an execution: what is the same code.
    const Json of_run = backtest(server.owner_key(), wants.id).json();
    CHECK(of_run["considered"] == 2);
    CHECK(of_run["would_allow"].empty());
    for (const Json& bad : {Json{{"limit", 0}}, Json{{"limit", "5"}}, Json{{"limit", 1.5}}})
        CHECK(backtest(server.owner_key(), scope.id, bad).status == 400);
    // Owners only, and only of their own.
    CHECK(backtest(key, scope.id).status == 403);
    CHECK(backtest("", scope.id).status == 401);
    const Json other = server.post("/owners", server.owner_key(), {{"name", "other"}}).json();
    const Reply foreign = backtest(other["api_key"], scope.id);
    CHECK(foreign.status == 404);
    CHECK(foreign.body == backtest(other["api_key"], "scope_0123456789abcdef").body);
    CHECK(server.state(scope.id) == "pending");
    CHECK(database.number("SELECT count(*) FROM requests WHERE status = 'approved'") == 0);
    CHECK(
        database.number("SELECT count(*) FROM ledger WHERE action LIKE 'request.%' OR action LIKE "
                        "'session.%'") <= events);
}

TEST_CASE("what a human cuts from an execution holds for its run, its session and the ledger") {
    const Server server;
    const std::string key = server.sign_up();
    const std::string code =
        "// @timeout 50\nawait new Promise((done) => setTimeout(done, 40_000));\n";
    const Submitted made = server.submit(key, code, {{"session_id", "work"}});
    REQUIRE(
        server.decide(made.id, "approve", {{"level", "session"}, {"narrow", {{"max_timeout", 1}}}})
            .status == 200);
    const Json end = server.poll(key, made.id);
    CHECK(end["status"] == "failed");
    CHECK(end["error"] == "timed out after 1 s");
    CHECK(end["result"]["timed_out"] == true);
    CHECK(end["result"]["exitCode"] == 124);
    CHECK(policy_of(server, key)["max_timeout"] == 1);
    CHECK(execute(server, key, code).reply["policy_violations"] == Json{"timeout 50 > 1"});

    const Submitted more = server.submit(key, "// @secrets A B\n// @network a.example b.example\n0",
                                         {{"session_id", "cut"}});
    const Json cut{{"secrets", {"A"}},
                   {"networks", {"a.example"}},
                   {"rules", {{{"host", "a.example"}, {"methods", {"GET"}}, {"paths", {"/x"}}}}},
                   {"max_timeout", 9}};
    REQUIRE(server.decide(more.id, "approve", {{"level", "session"}, {"narrow", cut}}).status ==
            200);
    CHECK(server.poll(key, more.id)["error"] ==
          "this server cannot give a run secrets or network access yet");
    const Json policy = server.get("/sessions/cut", key).json()["policy"];
    CHECK(policy["allowedSecrets"] == cut["secrets"]);
    CHECK(policy["allowedNetworks"] == cut["networks"]);
    CHECK(policy["rules"] == cut["rules"]);
    CHECK(policy["max_timeout"] == 9);
    CHECK(policy["secret_hosts"] == Json{{"A", {"a.example"}}});
    // The ledger's digest is that of the grant that was cut.
    Database database(server.data());
    CHECK(database.number(
              "SELECT count(*) FROM ledger l JOIN requests r ON r.id = l.request_id WHERE l.action "
              "= 'request.decided' AND r.id = ? AND json_extract(l.detail, '$.grant') = "
              "r.grant_digest AND json_extract(r.granted, '$.timeout') = 9 AND "
              "json_extract(r.granted, '$.secrets') = '[\"A\"]'",
              {more.id}) == 1);
}

TEST_CASE("a decision that would widen a request is refused, and nothing changes") {
    const Server server;
    const std::string key = server.sign_up();
    const Submitted run = server.submit(
        key, "// @secrets A\n// @network a.example\n// @timeout 20\n0", {{"session_id", "work"}});
    const Submitted scope =
        server.submit_scope(key, {{"description", "S"},
                                  {"session_id", "work"},
                                  {"secrets", {"A"}},
                                  {"networks", {"a.example"}},
                                  {"rules", {kRule}},
                                  {"skill_code", kKnown},
                                  {"max_runs", 5},
                                  {"max_timeout", 60},
                                  {"expires_in", 600},
                                  {"args", {{{"param", "P"}, {"pattern", "x"}}}}});
    const auto refused = [&](const Submitted& of, const char* field, const Json& value,
                             const char* code = "not_narrower") {
        for (const std::string& path : {"/requests/" + of.id + "/decision", "/approve/" + of.id}) {
            const Reply reply = server.post(
                path, server.owner_key(),
                {{"action", "approve"}, {"level", "session"}, {"narrow", {{field, value}}}});
            CAPTURE(path, field, value.dump(), reply.body);
            CHECK(reply.status == 400);
            CHECK(reply.text("code") == code);
            if (std::string(code) == "not_narrower") CHECK(reply.text("field") == field);
        }
    };
    for (const Submitted& of : {run, scope}) {
        refused(of, "secrets", {"A", "B"});
        refused(of, "networks", {"*.example.org"});
        refused(of, "networks", {"a.example", "b.example"});
        refused(of, "rules", {{{"host", "b.example"}}});
        refused(of, "max_timeout", 61);
        refused(of, "max_timeout", 0, "bad_request");
        refused(of, "surprise", 1, "bad_request");
    }
    refused(scope, "rules", {{{"host", "a.example"}}});
    refused(scope, "max_runs", 6);
    refused(scope, "expires_in", 601);
    refused(scope, "code_hashes", {std::string(64, 'a')});
    refused(scope, "args", Json::array());
    refused(scope, "any_code", true);
    // What an execution does not have.
    refused(run, "max_runs", 1, "bad_request");
    refused(run, "code_hashes", Json::array(), "bad_request");
    // Trust is not by rules or time.
    for (const Json& narrow : {Json{{"max_timeout", 1}}, Json{{"rules", Json::array()}}}) {
        const Reply reply =
            server.decide(run.id, "approve", {{"level", "24h"}, {"narrow", narrow}});
        CHECK(reply.status == 400);
        CHECK(reply.text("field") == "narrow");
    }
    const Reply pinned =
        server.decide(run.id, "approve", {{"level", "session"}, {"pin_args", true}});
    CHECK(pinned.status == 400);
    CHECK(pinned.text("field") == "pin_args");
    CHECK(server.state(run.id) == "pending");
    CHECK(server.state(scope.id) == "pending");
    CHECK(server.get("/sessions/work", key).status == 404);
    Database database(server.data());
    CHECK(database.number("SELECT count(*) FROM ledger WHERE action = 'request.decided'") == 0);

    // Each part of a scope, cut.
    const Json cut{
        {"secrets", Json::array()},
        {"networks", {"a.example"}},
        {"rules", {{{"host", "a.example"}, {"methods", {"GET"}}, {"paths", {"/x/1"}}}}},
        {"max_runs", 2},
        {"max_timeout", 30},
        {"expires_in", 120},
        {"code_hashes", Json::array()},
        {"args",
         {{{"param", "P"}, {"pattern", "x"}}, {{"param", "Q"}, {"op", "=="}, {"value", 1}}}},
        {"any_code", false}};
    REQUIRE(server.decide(scope.id, "approve", {{"narrow", cut}}).status == 200);
    const Json session = server.get("/sessions/work", key).json();
    const Json& policy = session["policy"];
    CHECK(policy["allowedSecrets"].empty());
    CHECK(policy["rules"] == cut["rules"]);
    CHECK(policy["args"] == cut["args"]);
    CHECK(policy["code_hashes"].empty());
    CHECK(policy["max_runs"] == 2);
    CHECK(policy["max_timeout"] == 30);
    CHECK(policy["any_code"] == false);
    CHECK(session["expires_at"].get<std::int64_t>() ==
          session["created_at"].get<std::int64_t>() + 120'000);
}

TEST_CASE("two humans and their double clicks: one decision, one session, one trust, one run") {
    const Server server;
    const std::string key = server.sign_up();
    Browser first(server);
    Browser second(server);
    REQUIRE(first.log_in_by_key(server.owner_key()).status == 303);
    REQUIRE(second.log_in_by_key(server.owner_key()).status == 303);
    Database database(server.data());
    for (const char* level : {"once", "session", "24h", "forever"}) {
        CAPTURE(level);
        const std::string code = std::string("console.log('") + level + "')\n";
        const Submitted made = server.submit(key, code);
        std::vector<std::thread> clicks;
        std::vector<Reply> replies(6);
        std::barrier start(6);
        for (std::size_t i = 0; i < replies.size(); ++i) {
            Browser& who = i % 2 == 0 ? first : second;
            Call call{
                .method = "POST",
                .path = "/approve/" + made.id,
                .body = encode_form({{"csrf", who.csrf()},
                                     {"action", i == 5 ? "deny" : "approve"},
                                     {"level", level}}),
                .headers = {who.cookie_line(), "Content-Type: application/x-www-form-urlencoded"}};
            clicks.emplace_back([&, i, call] {
                start.arrive_and_wait();
                replies[i] = server.call(call);
            });
        }
        for (std::thread& click : clicks) click.join();
        int made_it = 0;
        for (const Reply& reply : replies) {
            made_it += reply.status == 200 ? 1 : 0;
            CHECK((reply.status == 200 || reply.status == 302));
        }
        CHECK(made_it == 1);
        const bool approved = replies[5].status != 200;
        CHECK(server.poll(key, made.id)["status"] == (approved ? "completed" : "denied"));
        CHECK(database.count("request.decided", made.id) == 1);
        CHECK(database.count("request.started", made.id) == (approved ? 1 : 0));
        const bool more = approved && std::string(level) != "once";
        CHECK(database.count("session.created", made.id) == (more ? 1 : 0));
        CHECK(database.count("trust.created", made.id) ==
              (more && std::string(level) != "session" ? 1 : 0));
    }
    CHECK(ledger::first_break(database.events()) == std::nullopt);
}
