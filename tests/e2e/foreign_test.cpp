// Nobody learns of what belongs to another tenant or owner: it answers as what does not exist, on
// every route of the server's own table.

#include "e2e/browser.h"
#include "e2e/database.h"
#include "e2e/harness.h"
#include "e2e/route_table.h"
#include "support/catch.h"

#include <algorithm>
#include <map>
#include <set>

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

/// Somebody who is not the one that the ids belong to.
struct Caller {
    std::string name;
    std::vector<std::string> headers;
    bool agent = false;
    bool browser = false;
};

/// True if a route of this kind lets such a caller in.
bool is_let_in(const Caller& who, api::Auth auth) {
    switch (auth) {
        case api::Auth::none:
        case api::Auth::agent_or_owner:
        case api::Auth::view:
            return true;
        case api::Auth::agent:
            return who.agent;
        case api::Auth::owner:
        case api::Auth::link:
            return !who.agent;
        case api::Auth::admin:
            return false;
        case api::Auth::browser:
            return who.browser;
    }
    return false;
}

std::string unknown(const std::string& kind) {
    if (kind == "session") return "session_0123456789abcdef";
    if (kind == "key" || kind == "trust") return kind + "_0123456789abcdef";
    return "exec_0123456789abcdef";
}

/// Without what may differ: times and counts, which go on between two calls, and the ids of
/// sessions, which a dry run says back.
std::string comparable(std::string text) {
    for (const std::string& id : {std::string("theirs"), unknown("session")})
        for (std::size_t at = text.find(id); at != std::string::npos; at = text.find(id))
            text.erase(at, id.size());
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }, '#');
    return text;
}

/// A server with one tenant that has a bit of everything, and others who must not know.
struct Neighbours {
    Server server;
    std::string theirs = server.sign_up();
    std::string tenant;
    std::map<std::string, std::vector<std::string>> ids;  ///< by kind
    std::vector<Caller> callers;
    Browser browser{server};

    Neighbours() {
        const auto bearer = [](const std::string& key) { return "Authorization: Bearer " + key; };
        tenant = server.get("/me", theirs).text("tenant_id");
        const Submitted pending = server.submit(theirs, "console.log('x')");
        const Submitted done =
            server.submit(theirs, "console.log('y')", {{"session_id", "theirs"}});
        const Submitted scope = server.submit_scope(theirs, {{"description", "d"}});
        REQUIRE(server.decide(done.id, "approve", {{"level", "session"}}).status == 200);
        REQUIRE(server.poll(theirs, done.id)["status"] == "completed");
        ids["request"] = {pending.id, done.id, scope.id};
        ids["session"] = {"theirs"};
        const Json keys = server.get("/keys", server.owner_key()).json();
        for (const Json& key : keys["keys"]) ids["key"].push_back(key["id"]);
        REQUIRE(ids["key"].size() == 2);
        const Submitted trusted = server.submit(theirs, "console.log('z')");
        REQUIRE(server.decide(trusted.id, "approve", {{"level", "forever"}}).status == 200);
        const Json trust = server.get("/trust", theirs).json();
        REQUIRE(trust["trust"].size() == 1);
        ids["trust"] = {trust["trust"][0]["id"]};

        const Reply made = server.post("/owners", server.owner_key(), {{"name", "second"}});
        REQUIRE(made.status == 200);
        const std::string second = made.text("api_key");
        REQUIRE(browser.log_in_by_key(second).status == 303);
        callers = {
            {"another tenant of the owner", {bearer(server.sign_up())}, true, false},
            {"another owner", {bearer(second)}, false, false},
            {"another owner's browser",
             {browser.cookie_line(), "X-OAuth3-CSRF: " + browser.csrf()},
             false,
             true},
        };
    }

    Reply ask(const Caller& who, const std::string& method, const std::string& path,
              const std::string& body = "") const {
        Call call{.method = method, .path = path, .body = body, .headers = who.headers};
        if (who.browser && !body.empty() && body[0] != '{')
            call.headers.push_back("Content-Type: application/x-www-form-urlencoded");
        return server.call(call);
    }
};

}  // namespace

TEST_CASE("conformance 4: a foreign id answers as an unknown one on every route") {
    const Neighbours n;
    const std::string body = R"({"action":"approve","max_timeout":60})";
    int let_in = 0;
    std::set<std::string> tried;
    for (const Route& route : all_routes()) {
        const std::string kind = route.id_kind();
        tried.insert(route.name());
        if (kind.empty()) continue;
        for (const Caller& who : n.callers) {
            for (const std::string& id : n.ids.at(kind)) {
                const std::pair<std::string, std::string> queries[] = {
                    {"", ""},
                    {"?wait=true", "?wait=true"},
                    {"?token=" + std::string(64, '0'), "?token=" + std::string(64, '0')},
                    {"?tenant=" + n.tenant, "?tenant=tenant_0123456789abcdef"}};
                for (const auto& [theirs, none] : queries) {
                    const std::string sent = route.method == "POST" ? body : "";
                    const Reply foreign = n.ask(who, route.method, route.path(id) + theirs, sent);
                    const Reply missing =
                        n.ask(who, route.method, route.path(unknown(kind)) + none, sent);
                    INFO(who.name << ": " << route.name() << theirs << " of " << id << "\n"
                                  << foreign.status << " " << foreign.body << "\n"
                                  << missing.status << " " << missing.body);
                    CHECK(foreign.status == missing.status);
                    CHECK(foreign.body == missing.body);
                    if (!is_let_in(who, route.auth)) {
                        CHECK(foreign.status >= 300);
                        continue;
                    }
                    ++let_in;
                    CHECK(foreign.status == 404);
                }
            }
        }
    }
    CHECK(let_in > 100);
    for (const char* name : {"DELETE /trust/:id", "POST /requests/:id/backtest"})
        CHECK(tried.count(name) == 1);
    CHECK(n.server.get("/trust", n.theirs).json()["trust"].size() == 1);
    CHECK(n.server.state(n.ids.at("request")[0]) == "pending");
    CHECK(n.server.state(n.ids.at("request")[2]) == "pending");
    CHECK(n.server.get("/sessions/theirs", n.theirs).status == 200);
    CHECK(n.server.get("/me", n.theirs).status == 200);
}

TEST_CASE("conformance 4: lists and calls that name a foreign tenant or cursor tell nothing") {
    const Neighbours n;
    const std::string tenant = "tenant_0123456789abcdef";
    for (const Route& route : all_routes()) {
        // The first two count; a log-in page holds a fresh random value, and asks for nothing.
        if (!route.id_kind().empty() || route.pattern == "/metrics" || route.pattern == "/signup" ||
            route.pattern == "/login" || route.pattern == "/logout")
            continue;
        for (const Caller& who : n.callers) {
            if (!is_let_in(who, route.auth)) continue;
            const auto same = [&](const Reply& foreign, const Reply& missing) {
                INFO(who.name << ": " << route.name() << "\n"
                              << foreign.status << " " << foreign.body << "\n"
                              << missing.status << " " << missing.body);
                CHECK(foreign.status == missing.status);
                CHECK(comparable(foreign.body) == comparable(missing.body));
                CHECK(foreign.body.find("console.log('x')") == std::string::npos);
            };
            if (route.method == "GET") {
                same(n.ask(who, "GET", route.pattern + "?tenant=" + n.tenant),
                     n.ask(who, "GET", route.pattern + "?tenant=" + tenant));
                same(n.ask(who, "GET", route.pattern + "?before=" + n.ids.at("request")[1]),
                     n.ask(who, "GET", route.pattern + "?before=" + unknown("request")));
                continue;
            }
            const auto sent = [&](const std::string& of, const std::string& session) {
                if (who.browser && route.takes_forms)
                    return encode_form({{"tenant", of}, {"session_id", session}});
                return base::dump_json({{"tenant", of},
                                        {"session_id", session},
                                        {"dry_run", true},
                                        {"skill_id", "x"},
                                        {"skill_code", "1"}});
            };
            same(n.ask(who, route.method, route.pattern, sent(n.tenant, "theirs")),
                 n.ask(who, route.method, route.pattern, sent(tenant, unknown("session"))));
        }
    }
    CHECK(n.server.get("/sessions/theirs", n.theirs).status == 200);
    CHECK(Database(n.server.data()).number("SELECT count(*) FROM keys") == 4);
}

TEST_CASE("a session of another tenant is another session, though its id be the same") {
    const Neighbours n;
    const std::string mine = n.server.sign_up();
    const Submitted same = n.server.submit(mine, "console.log('y')", {{"session_id", "theirs"}});
    CHECK(same.reply["status"] == "pending");
    CHECK_FALSE(same.reply.contains("policy_violations"));
    // The token of one request opens no other page.
    CHECK(n.server.get("/approve/" + n.ids.at("request")[0] + "?token=" + same.token).status ==
          403);
    CHECK(n.server.decide("exec_0123456789abcdef", "approve").status == 404);
}

TEST_CASE("what the server has just told one caller, it tells no other") {
    const Neighbours n;
    const std::string& done = n.ids.at("request")[1];
    const std::string path = "/execute/" + done + "/status";
    // Told twice, so that the second may come from memory; nothing is written in between.
    const Reply first = n.server.get(path, n.theirs);
    REQUIRE(first.status == 200);
    REQUIRE(n.server.get(path, n.theirs).body == first.body);
    CHECK(n.server.get(path, n.server.owner_key()).body == first.body);
    for (const Caller& who : n.callers) {
        INFO(who.name);
        CHECK(n.ask(who, "GET", path).status == 404);
    }
    CHECK(n.server.get(path, "oauth3_0123456789abcdef_" + std::string(43, 'A')).status == 401);
    CHECK(n.server.get(path).status == 401);

    const std::string key_id = n.server.get("/me", n.theirs).text("key_id");
    const Reply revoked =
        n.server.call({.method = "DELETE", .path = "/keys/" + key_id, .key = n.server.owner_key()});
    REQUIRE(revoked.status == 200);
    CHECK(n.server.get(path, n.theirs).status == 401);
    CHECK(n.server.get(path, n.server.owner_key()).body == first.body);
}
