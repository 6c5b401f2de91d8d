// Nothing that an agent can see decides anything, and nobody learns of another tenant's requests.

#include "api/service.h"
#include "base/crypto.h"
#include "e2e/database.h"
#include "e2e/harness.h"
#include "support/catch.h"

#include <set>

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

struct Route {
    const char* method;
    const char* pattern;
};

/// Every route of the server; a case below compares it with the server's own table.
constexpr Route kRoutes[] = {
    {"GET", "/health"},
    {"POST", "/signup"},
    {"POST", "/execute"},
    {"POST", "/scope"},
    {"GET", "/execute/:id/status"},
    {"POST", "/execute/:id/cancel"},
    {"GET", "/requests"},
    {"GET", "/requests/:id"},
    {"POST", "/requests/:id/decision"},
    {"GET", "/approve/:id"},
    {"POST", "/approve/:id"},
};

std::string path_of(std::string pattern, const std::string& id) {
    const std::size_t at = pattern.find(":id");
    return at == std::string::npos ? pattern : pattern.replace(at, 3, id);
}

bool has_id(const Route& route) {
    return std::string(route.pattern).find(":id") != std::string::npos;
}

std::set<std::string> all_paths(const std::string& id) {
    std::set<std::string> out;
    for (const Route& route : kRoutes) out.insert(path_of(route.pattern, id));
    return out;
}

std::string upper(std::string text) {
    for (char& c : text) c = static_cast<char>(std::toupper(c));
    return text;
}

/// What an agent might send to pass for somebody who may decide, as header lines.
struct Credential {
    std::string name;
    std::vector<std::string> headers;
};

std::vector<Credential> credentials(const std::string& own, const std::string& foreign,
                                    const std::string& token) {
    const std::string secret = own.substr(own.rfind('_') + 1);
    const std::string bearer = "Authorization: Bearer ";
    return {
        {"none", {}},
        {"own key", {bearer + own}},
        {"another tenant's key", {bearer + foreign}},
        {"token as bearer", {bearer + token}},
        {"own key dressed as an owner's", {bearer + "oauth3_owner_" + secret}},
        {"own key in capitals", {bearer + upper(own)}},
        {"empty bearer", {"Authorization: Bearer "}},
        {"own key and a second header", {bearer + own, bearer + "oauth3_owner_" + secret}},
        {"basic", {"Authorization: Basic b3duZXI6b3duZXI="}},
        {"cookies",
         {"Cookie: oauth3_session=" + token + "; __Host-oauth3_session=" + own,
          "X-OAuth3-CSRF: " + token}},
        {"headers of proxies",
         {"X-Tenant-Id: dev", "X-Forwarded-For: 127.0.0.1", "X-HTTP-Method-Override: POST",
          "X-Original-URL: /requests", "X-Forwarded-User: owner"}},
    };
}

bool is_decision(const std::string& method, const std::string& path) {
    return method == "POST" && (path.ends_with("/decision") || path.rfind("/approve/", 0) == 0);
}

}  // namespace

TEST_CASE("the table of routes in these tests is the server's") {
    const Folder folder;
    store::Database database(folder.path());
    const base::SystemClock clock;
    orchestrator::Access access(database, clock, base::SecretString(std::string(32, 'k')));
    orchestrator::Orchestrator life(
        database, clock,
        [](const runtime::Job&, const jail::StopSignal&) { return runtime::Outcome(); },
        {[](const std::function<void()>&) {}, [](const std::string&) {}}, {});
    api::Config config;
    config.base_url = "http://127.0.0.1:1";
    const api::Service service(life, access, clock, config);
    std::set<std::string> theirs;
    for (const api::Endpoint& endpoint : service.endpoints())
        theirs.insert(endpoint.method + " " + endpoint.pattern);
    std::set<std::string> ours;
    for (const Route& route : kRoutes) ours.insert(std::string(route.method) + " " + route.pattern);
    CHECK(ours == theirs);
}

TEST_CASE("no credential that an agent can see decides, on any route with any method") {
    const Server server;
    const std::string own = server.sign_up();
    const std::string foreign = server.sign_up();
    const Submitted run = server.submit(own, "console.log('never')");
    const Submitted scope = server.submit_scope(own, {{"description", "never"}});
    const Submitted target = GENERATE(true, false) ? run : scope;

    Json approve{{"action", "approve"},  {"level", "once"}, {"token", target.token},
                 {"csrf", target.token}, {"key", own},      {"id", target.id}};
    const std::string form =
        "action=approve&level=once&token=" + target.token + "&csrf=" + target.token + "&key=" + own;
    struct Sent {
        std::string body;
        std::string type;
    };
    const Sent bodies[] = {{"", "application/json"},
                           {base::dump_json(approve), "application/json"},
                           {form, "application/x-www-form-urlencoded"}};
    const std::string queries[] = {
        "", "?token=" + target.token,
        "?action=approve&token=" + target.token + "&_method=POST&access_token=" + own};
    int tried = 0;
    for (const Credential& credential : credentials(own, foreign, target.token)) {
        for (const std::string& path : all_paths(target.id)) {
            for (const char* method : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}) {
                // Its own agent may cancel: that takes the request back, it decides nothing.
                if (path.ends_with("/cancel") && credential.name.rfind("own key", 0) == 0) continue;
                for (const Sent& sent : bodies) {
                    if (sent.body.empty() && std::string(method) == "HEAD") continue;
                    for (const std::string& query : queries) {
                        Call call{.method = method, .path = path + query, .body = sent.body};
                        call.headers = credential.headers;
                        call.headers.push_back("Content-Type: " + sent.type);
                        const Reply reply = server.call(call);
                        ++tried;
                        if (!is_decision(method, path)) continue;
                        INFO(credential.name << ": " << method << " " << path << query << "\n"
                                             << sent.body << "\n"
                                             << reply.body << reply.problem);
                        const bool refused =
                            reply.status == 401 || reply.status == 403 || reply.status == 400;
                        CHECK(refused);
                        CHECK_FALSE(reply.text("code") == "");
                    }
                }
            }
            INFO(credential.name << " on " << path);
            REQUIRE(server.state(target.id) == "pending");
        }
    }
    CHECK(tried > 1000);
    Database database(server.data());
    CHECK(database.count("request.decided", target.id) == 0);
    // And nothing was broken by it: the human still decides.
    CHECK(server.decide(target.id, "approve").status == 200);
    CHECK(server.poll(own, target.id)["status"] == "completed");
    CHECK(database.count("request.decided", target.id) == 1);
}

TEST_CASE("conformance 7: a form with the right token and no owner authority is 403") {
    const Server server;
    const std::string key = server.sign_up();
    const Submitted made = server.submit(key, "0");
    const Reply reply =
        server.call({.method = "POST",
                     .path = "/approve/" + made.id,
                     .body = "token=" + made.token + "&action=approve&level=once",
                     .headers = {"Content-Type: application/x-www-form-urlencoded"}});
    CHECK(reply.status == 403);
    CHECK(server.state(made.id) == "pending");
}

TEST_CASE("conformance 8: an agent key on the deciding routes is 403 and changes nothing") {
    const Server server;
    const std::string key = server.sign_up();
    const Submitted made = server.submit(key, "0");
    for (const std::string& path : {"/approve/" + made.id, "/requests/" + made.id + "/decision"}) {
        const Reply reply = server.post(path, key, {{"action", "approve"}, {"token", made.token}});
        CHECK(reply.status == 403);
        CHECK(reply.text("code") == "owner_required");
        CHECK(server.state(made.id) == "pending");
    }
}

TEST_CASE("conformance 4: a foreign tenant's id answers as an unknown one on every route") {
    const Server server;
    const std::string mine = server.sign_up();
    const std::string theirs = server.sign_up();
    const Submitted pending = server.submit(theirs, "console.log('x')");
    const Submitted done = server.submit(theirs, "console.log('y')");
    const Submitted scope = server.submit_scope(theirs, {{"description", "d"}});
    REQUIRE(server.decide(done.id, "approve").status == 200);
    REQUIRE(server.poll(theirs, done.id)["status"] == "completed");
    const std::string unknown = "exec_0123456789abcdef";
    const std::string queries[] = {"", "?wait=true", "?token=" + std::string(64, '0')};
    for (const Route& route : kRoutes) {
        if (!has_id(route)) continue;
        for (const Submitted* made : {&pending, &done, &scope}) {
            for (const std::string& query : queries) {
                const auto ask = [&](const std::string& id) {
                    return server.call({.method = route.method,
                                        .path = path_of(route.pattern, id) + query,
                                        .key = mine,
                                        .body = std::string(route.method) == "POST"
                                                    ? R"({"action":"approve"})"
                                                    : ""});
                };
                const Reply foreign = ask(made->id);
                const Reply none = ask(unknown);
                INFO(route.method << " " << route.pattern << query << " " << foreign.body);
                CHECK(foreign.status == none.status);
                CHECK(foreign.body == none.body);
                const bool hidden = foreign.status == 404 || foreign.status == 403;
                CHECK(hidden);
                if (std::string(route.pattern).rfind("/execute/", 0) == 0)
                    CHECK(foreign.status == 404);
            }
        }
    }
    CHECK(server.state(pending.id) == "pending");
    CHECK(server.state(scope.id) == "pending");
    // An unknown id for the owner, too.
    CHECK(server.get("/requests/" + unknown, server.owner_key()).status == 404);
    CHECK(server.decide(unknown, "approve").status == 404);
    // The token of one request opens no other page.
    CHECK(server.get("/approve/" + pending.id + "?token=" + done.token).status == 403);
    // A session of another tenant is another session, though its id be the same.
    REQUIRE(server.decide(scope.id, "approve").status == 200);
    const Submitted same = server.submit(mine, "console.log('y')", {{"session_id", scope.session}});
    CHECK(same.reply["status"] == "pending");
    CHECK_FALSE(same.reply.contains("policy_violations"));
}

TEST_CASE("an owner's key submits nothing") {
    const Server server;
    for (const char* path : {"/execute", "/scope"}) {
        const Reply reply =
            server.post(path, server.owner_key(),
                        {{"skill_id", "x"}, {"skill_code", "0"}, {"description", "d"}});
        CHECK(reply.status == 403);
        CHECK(reply.text("code") == "agent_required");
    }
    CHECK(server.get("/requests", server.owner_key()).json()["requests"].empty());
}
