#include "base/json.h"
#include "client_support.h"
#include "stand_in.h"

#include <functional>

// What each call sends, as the wire document says it, and what it makes of the answer.

using namespace oauth3;
using namespace oauth3::test;
using base::Json;

namespace {

struct Case {
    const char* name;
    std::function<void(Client&)> call;
    const char* method;
    std::string target;
    bool owner;
    const char* body = "";  ///< "": none
    const char* reply = "{}";
};

std::vector<Case> cases() {
    const char* const submitted = R"({"request_id":"exec_1","status":"pending"})";
    return {
        {"sessions", [](Client& c) { c.sessions(); }, "GET", "/sessions", false},
        {"sessions of an owner", [](Client& c) { c.sessions(as_owner()); }, "GET", "/sessions",
         true},
        {"sessions of a tenant", [](Client& c) { c.sessions(as_owner("tenant_1")); }, "GET",
         "/sessions?tenant=tenant_1", true},
        {"session", [](Client& c) { c.session("my.s-1_"); }, "GET", "/sessions/my.s-1_", false},
        {"session of a tenant", [](Client& c) { c.session("s", as_owner("t")); }, "GET",
         "/sessions/s?tenant=t", true},
        {"session ..", [](Client& c) { c.session(".."); }, "GET", "/sessions/%2E%2E", false},
        {"narrow", [](Client& c) { c.narrow_session("s", R"({"max_runs":1})"); }, "POST",
         "/sessions/s/narrow", false, R"({"max_runs":1})"},
        {"narrow of a tenant",
         [](Client& c) { c.narrow_session("s", R"({"secrets":[]})", as_owner("t")); }, "POST",
         "/sessions/s/narrow", true, R"({"secrets":[],"tenant":"t"})"},
        {"revoke", [](Client& c) { c.revoke_session("s"); }, "DELETE", "/sessions/s", false},
        {"revoke with a reason", [](Client& c) { c.revoke_session("s", "done", as_owner("t")); },
         "DELETE", "/sessions/s?tenant=t", true, R"({"reason":"done"})"},
        {"trust", [](Client& c) { c.trust(); }, "GET", "/trust", false},
        {"trust as owner", [](Client& c) { c.trust(as_owner("t")); }, "GET", "/trust?tenant=t",
         true},
        {"revoke trust", [](Client& c) { c.revoke_trust("trust_1"); }, "DELETE", "/trust/trust_1",
         false},
        {"revoke trust as owner", [](Client& c) { c.revoke_trust("trust_1", as_owner()); },
         "DELETE", "/trust/trust_1", true},
        {"backtest", [](Client& c) { c.backtest(kId); }, "POST",
         std::string("/requests/") + kId + "/backtest", true, "{}"},
        {"backtest of some", [](Client& c) { c.backtest(kId, 7); }, "POST",
         std::string("/requests/") + kId + "/backtest", true, R"({"limit":7})"},
        {"me", [](Client& c) { c.me(); }, "GET", "/me", false},
        {"me as owner", [](Client& c) { c.me(as_owner()); }, "GET", "/me", true},
        {"history", [](Client& c) { c.history(); }, "GET", "/history", false},
        {"a page of history", [](Client& c) { c.history(5, "a b&c", as_owner("t")); }, "GET",
         "/history?limit=5&before=a%20b%26c&tenant=t", true},
        {"pending", [](Client& c) { c.pending("x"); }, "GET",
         "/requests?status=pending&limit=100&before=x", true},
        {"requests",
         [](Client& c) {
             c.requests({.status = "failed", .tenant = "t", .limit = 2, .before = "b"});
         },
         "GET", "/requests?status=failed&limit=2&before=b&tenant=t", true},
        {"request", [](Client& c) { c.request(kId); }, "GET", std::string("/requests/") + kId,
         true},
        {"decide",
         [](Client& c) {
             c.decide(kId, {.approve = true,
                            .level = "session",
                            .pin_args = true,
                            .any_code = false,
                            .narrow_json = R"({"networks":[]})"});
         },
         "POST", std::string("/requests/") + kId + "/decision", true,
         R"({"action":"approve","level":"session","pin_args":true,"any_code":false,)"
         R"("narrow":{"networks":[]}})"},
        {"tenants", [](Client& c) { c.tenants(); }, "GET", "/tenants", true},
        {"create a tenant", [](Client& c) { c.create_tenant("\"n\""); }, "POST", "/tenants", true,
         R"({"name":"\"n\""})"},
        {"keys", [](Client& c) { c.keys("t"); }, "GET", "/keys?tenant=t", true},
        {"create a key", [](Client& c) { c.create_key(); }, "POST", "/keys", true, "{}"},
        {"create a tenant's key", [](Client& c) { c.create_key("t"); }, "POST", "/keys", true,
         R"({"tenant":"t"})"},
        {"create an owner's key", [](Client& c) { c.create_owner_key(); }, "POST", "/keys", true,
         R"({"role":"owner"})"},
        {"revoke a key", [](Client& c) { c.revoke_key("key_1"); }, "DELETE", "/keys/key_1", true},
        {"audit", [](Client& c) { c.audit(); }, "GET", "/audit", true},
        {"a page of the audit",
         [](Client& c) {
             c.audit(
                 {.limit = 9, .before = "7", .after = "3", .tenant = "t", .request_id = "exec_1"});
         },
         "GET", "/audit?limit=9&before=7&after=3&tenant=t&request=exec_1", true},
        {"owners", [](Client& c) { c.owners(); }, "GET", "/owners", true},
        {"create an owner", [](Client& c) { c.create_owner("o"); }, "POST", "/owners", true,
         R"({"name":"o"})"},
        {"invites", [](Client& c) { c.invites(); }, "GET", "/invites", true},
        {"create an invite", [](Client& c) { c.create_invite(); }, "POST", "/invites", true, "{}"},
        {"create many invites",
         [](Client& c) { c.create_invite(3, std::chrono::hours(1), "owner_1"); }, "POST",
         "/invites", true, R"({"max_uses":3,"expires_in":3600,"owner":"owner_1"})"},
        {"status as owner", [](Client& c) { c.status(kId, as_owner()); }, "GET", kStatusPath, true,
         "", R"({"status":"pending"})"},
        {"cancel", [](Client& c) { c.cancel(kId); }, "POST",
         std::string("/execute/") + kId + "/cancel", false, "{}"},
        {"cancel as owner", [](Client& c) { c.cancel(kId, as_owner()); }, "POST",
         std::string("/execute/") + kId + "/cancel", true, "{}"},
        {"execute by URL",
         [](Client& c) {
             c.execute(
                 {.skill_url = "https://github.com/a/b/blob/main/c.ts", .skill_sha256 = "9f"});
         },
         "POST", "/execute", false,
         R"({"skill_url":"https://github.com/a/b/blob/main/c.ts","skill_sha256":"9f"})", submitted},
        {"dry run", [](Client& c) { c.dry_run({.skill_code = "x", .session_id = "s"}); }, "POST",
         "/execute", false, R"({"skill_code":"x","session_id":"s","dry_run":true})",
         R"({"dry_run":true,"would_auto_approve":true,"reason":"session_policy"})"},
    };
}

}  // namespace

TEST_CASE("every call has the method, path, key and body of the wire document") {
    const char* reply = "{}";
    StandIn server([&](const HttpRequest&) { return HttpReply{.body = reply}; });
    Client client = client_of(server.url());
    for (const Case& one : cases()) {
        CAPTURE(one.name);
        reply = one.reply;
        one.call(client);
        REQUIRE(server.faults().empty());
        const HttpRequest got = server.requests().back();
        CHECK(got.method == one.method);
        CHECK(got.target == one.target);
        CHECK(got.header("authorization") ==
              (one.owner ? "Bearer oauth3_owner_key" : "Bearer oauth3_agent"));
        CHECK(got.headers.count("content-type") == (*one.body == '\0' ? 0 : 1));
        if (*one.body == '\0') {
            CHECK(got.body.empty());
        } else {
            CHECK(base::parse_json(got.body) == base::parse_json(one.body));
        }
    }
}

TEST_CASE("what could never work is refused before anything is sent") {
    StandIn server([](const HttpRequest&) { return HttpReply{}; });
    Client client = client_of(server.url());
    const std::string long_id(65, 'a');
    for (const std::string& bad :
         {std::string(), std::string("a/b"), std::string("a b"), long_id}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(client.session(bad), std::invalid_argument);
        CHECK_THROWS_AS(client.narrow_session(bad, "{}"), std::invalid_argument);
        CHECK_THROWS_AS(client.revoke_session(bad), std::invalid_argument);
        CHECK_THROWS_AS(client.revoke_key(bad), std::invalid_argument);
        CHECK_THROWS_AS(client.revoke_trust(bad), std::invalid_argument);
        CHECK_THROWS_AS(client.backtest(bad), std::invalid_argument);
    }
    for (const char* bad : {"", "[]", "{", "null", R"({"a":1,"a":2})"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(client.scope(bad), std::invalid_argument);
        CHECK_THROWS_AS(client.narrow_session("s", bad), std::invalid_argument);
        CHECK_THROWS_AS(client.scope_and_execute(bad, {.skill_code = "x"}), std::invalid_argument);
    }
    CHECK_THROWS_AS(client.execute({.skill_code = "x", .args_json = "[1]"}), std::invalid_argument);
    CHECK_THROWS_AS(client.scope_and_execute("{}", {.skill_code = "x", .args_json = "[1]"}),
                    std::invalid_argument);
    CHECK_THROWS_AS(client.decide(kId, {.approve = true, .narrow_json = "x"}),
                    std::invalid_argument);
    CHECK_THROWS_AS(login_link(""), std::invalid_argument);
    CHECK(server.requests().empty());
}

TEST_CASE("a page tells its cursor") {
    std::string next;
    StandIn server(
        [&](const HttpRequest&) { return HttpReply{.body = R"({"next":)" + next + "}"}; });
    Client client = client_of(server.url());
    for (const auto& [text, cursor] : std::map<std::string, std::string>{
             {R"("abc")", "abc"}, {"12", "12"}, {"null", ""}, {"true", ""}, {"1e400", ""}}) {
        next = text;
        if (text == "1e400") {
            CHECK_THROWS_AS(client.history(), ClientError);
        } else {
            CHECK(client.history().next == cursor);
            CHECK(client.audit().next == cursor);
        }
    }
}

TEST_CASE("a state has its result, error and missing secrets") {
    std::string body;
    StandIn server([&](const HttpRequest&) { return HttpReply{.body = body}; });
    Client client = client_of(server.url());
    body = R"({"status":"completed","state":"completed","result":{"success":true,"stdout":"hi",)"
           R"("stderr":"e","exitCode":0,"duration":731}})";
    RequestState got = client.status(kId);
    REQUIRE(got.result);
    CHECK(got.result->success);
    CHECK(got.result->out == "hi");
    CHECK(got.result->err == "e");
    CHECK(got.result->duration == std::chrono::milliseconds(731));
    CHECK(got.state == "completed");

    body = R"({"status":"failed","error":"exit 3","result":{"success":false,"exitCode":3}})";
    got = client.status(kId);
    CHECK(got.error == "exit 3");
    CHECK(got.result->exit_code == 3);

    body = R"({"status":"awaiting_secrets","missing_secrets":["A","B"]})";
    got = client.status(kId);
    CHECK(got.missing_secrets == std::vector<std::string>{"A", "B"});
    CHECK_FALSE(got.result);

    for (const char* bad : {R"({"status":"failed","result":5})", R"({"status":"a","result":{}})",
                            R"({"status":"a","result":{"exitCode":1.5}})",
                            R"({"status":"a","result":{"exitCode":"0"}})",
                            R"({"status":"a","result":{"exitCode":99999999999}})",
                            R"({"status":"a","result":{"exitCode":18446744073709551615}})"}) {
        CAPTURE(bad);
        body = bad;
        CHECK(error_of([&] { client.status(kId); }).kind() == ClientErrorKind::protocol);
    }
}

TEST_CASE("a server that submits instead of trying is found out") {
    StandIn server([](const HttpRequest&) {
        return HttpReply{.body = R"({"request_id":"exec_1","status":"pending"})"};
    });
    Client client = client_of(server.url());
    CHECK(error_of([&] { client.dry_run({.skill_code = "x"}); }).kind() ==
          ClientErrorKind::protocol);
}

TEST_CASE("a poll until the final status also waits for secrets") {
    std::atomic<int> calls{0};
    StandIn server([&](const HttpRequest&) {
        return HttpReply{.body = state(calls++ == 0 ? "awaiting_secrets" : "completed")};
    });
    Client client = client_of(server.url());
    CHECK(client.poll(kId, {.until_final = true, .caller = as_owner()}).status == "completed");
    for (const HttpRequest& request : server.requests()) {
        CHECK(request.target.find("?wait=true&until=final&timeout=") != std::string::npos);
        CHECK(request.header("authorization") == "Bearer oauth3_owner_key");
    }
}

TEST_CASE("create signs up only where there is no key") {
    StandIn server([](const HttpRequest&) { return HttpReply{.body = R"({"api_key":"fresh"})"}; });
    Client fresh =
        Client::create({.url = server.url()}, {.name = "n", .email = "e@x.org", .invite = "i"});
    CHECK(fresh.agent_key() == "fresh");
    REQUIRE(server.requests().size() == 1);
    CHECK(base::parse_json(server.requests()[0].body) ==
          base::parse_json(R"({"name":"n","email":"e@x.org","invite":"i"})"));
    fresh.me();
    CHECK(server.requests()[1].header("authorization") == "Bearer fresh");

    CHECK(Client::create({.url = server.url(), .agent_key = "mine"}).agent_key() == "mine");
    CHECK(Client::create({.url = server.url(), .owner_key = "boss"}).agent_key().empty());
    CHECK(server.count("POST", "/signup") == 1);
}

TEST_CASE("a server that cannot run anything has a health all the same") {
    HttpReply reply{.status = 503, .body = R"({"status":"degraded"})"};
    StandIn server([&](const HttpRequest&) { return reply; });
    Client client = client_of(server.url());
    CHECK(client.health().http_status == 503);
    CHECK(server.requests()[0].headers.count("authorization") == 0);
    reply = {.status = 503, .body = "<html>"};
    CHECK(error_of([&] { client.health(); }).kind() == ClientErrorKind::refused);
    reply = {.status = 500, .body = "{}"};
    CHECK(error_of([&] { client.health(); }).kind() == ClientErrorKind::refused);
}

TEST_CASE("execute_and_wait tells the link, then waits for the result") {
    std::atomic<int> polls{0};
    StandIn server([&](const HttpRequest& request) {
        if (request.method == "POST")
            return HttpReply{.body = R"({"request_id":"exec_5d0c12ab34cd56ef","status":"pending",)"
                                     R"("approval_url":"http://x/approve"})"};
        return HttpReply{.body = state(polls++ == 0 ? "pending" : "completed")};
    });
    std::vector<std::string> seen;
    Client client({.url = server.url(), .progress = [&](const Progress& progress) {
                       if (progress.kind == Progress::Kind::submitted)
                           seen.push_back(progress.text + " " + progress.url);
                       if (progress.kind == Progress::Kind::status) seen.push_back(progress.text);
                   }});
    CHECK(client.execute_and_wait({.skill_code = "x"}, {}, "k").status == "completed");
    CHECK(seen == std::vector<std::string>{std::string(kId) + " http://x/approve", "pending"});
    CHECK(server.requests()[0].header("idempotency-key") == "k");
}

TEST_CASE("scope_and_execute runs in the scope's session, and only after its approval") {
    std::string scope_status;
    StandIn server([&](const HttpRequest& request) {
        if (request.path() == "/scope")
            return HttpReply{.body = R"({"request_id":"scope_1","status":"pending_scope",)"
                                     R"("session_id":"s1"})"};
        if (request.path() == "/execute")
            return HttpReply{.body = R"({"request_id":"exec_1","status":"approved"})"};
        if (request.path() == "/execute/scope_1/status")
            return HttpReply{.body = R"({"status":")" + scope_status + R"(","session_id":"s1"})"};
        return HttpReply{.body = R"({"status":"completed"})"};
    });
    Client client = client_of(server.url());
    const char* const scope = R"({"description":"d"})";
    for (const char* refused : {"denied", "failed"}) {
        scope_status = refused;
        const ScopedRun run = client.scope_and_execute(scope, {.skill_code = "x"});
        CHECK(run.scope.status == refused);
        CHECK_FALSE(run.run);
    }
    CHECK(server.count("POST", "/execute") == 0);

    scope_status = "completed";
    const ScopedRun run = client.scope_and_execute(
        scope, {.skill_id = "i", .skill_code = "x", .args_json = R"({"a":1})"}, {}, "k");
    REQUIRE(run.run);
    CHECK(run.run->status == "completed");
    for (const HttpRequest& request : server.requests()) {
        if (request.path() == "/scope")
            CHECK(base::parse_json(request.body) ==
                  base::parse_json(R"({"description":"d","skill_code":"x"})"));
        if (request.path() != "/execute") continue;
        CHECK(base::parse_json(request.body) ==
              base::parse_json(
                  R"({"skill_id":"i","skill_code":"x","args":{"a":1},"session_id":"s1"})"));
        CHECK(request.header("idempotency-key") == "k");
    }
}

TEST_CASE("the time of one call is shared by its parts") {
    StandIn server([](const HttpRequest& request) {
        if (request.method == "POST")
            return HttpReply{.body = R"({"request_id":"exec_1","status":"pending"})"};
        return HttpReply{.hang = true};
    });
    Client client = client_of(server.url(), std::chrono::milliseconds(500));
    const ClientError error = error_of([&] { client.execute_and_wait({.skill_code = "x"}); });
    CHECK(error.kind() == ClientErrorKind::timeout);
    CHECK(error.request_id() == "exec_1");
    // The next call has its own time again.
    CHECK(client.execute({.skill_code = "x"}).request_id == "exec_1");
}
