// Nothing that an agent can see decides anything. What is tried here is made from the server's own
// table of routes, so a new route is tried by being there.

#include "e2e/browser.h"
#include "e2e/database.h"
#include "e2e/harness.h"
#include "e2e/route_table.h"
#include "support/catch.h"

#include <set>

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

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
    const auto cookie = [](const std::string& value) {
        return "Cookie: oauth3_session=" + value + "; __Host-oauth3_session=" + value;
    };
    return {
        {"none", {}},
        {"own key", {bearer + own}},
        {"another tenant's key", {bearer + foreign}},
        {"token as bearer", {bearer + token}},
        {"own key dressed as an owner's", {bearer + "oauth3_owner_" + secret}},
        {"own key in capitals", {bearer + upper(own)}},
        {"own key and a second header", {bearer + own, bearer + "oauth3_owner_" + secret}},
        {"basic", {"Authorization: Basic b3duZXI6b3duZXI="}},
        {"token as cookie", {cookie(token), "X-OAuth3-CSRF: " + token}},
        {"own key as cookie", {cookie(own), "X-OAuth3-CSRF: " + own}},
        {"own key and its secret as cookie", {bearer + own, cookie(secret), "X-OAuth3-CSRF: "}},
        {"headers of proxies",
         {"X-Tenant-Id: dev", "X-Forwarded-For: 127.0.0.1", "X-HTTP-Method-Override: POST",
          "X-Original-URL: /requests", "X-Forwarded-User: owner"}},
    };
}

/// A route that only the human may call, by a key or a browser of theirs.
bool is_owners(const Route& route) {
    return route.auth == api::Auth::owner || route.auth == api::Auth::admin ||
           route.auth == api::Auth::browser ||
           (route.auth == api::Auth::link && route.method != "GET");
}

/// All that the human did, by key, browser or link.
std::int64_t human_events(const Server& server) {
    return Database(server.data())
        .number("SELECT count(*) FROM ledger WHERE actor LIKE 'owner:%' OR actor = 'link'");
}

}  // namespace

TEST_CASE("no credential that an agent can see decides, on any route with any method") {
    const Server server;
    const std::string own = server.sign_up();
    const std::string foreign = server.sign_up();
    const Submitted run = server.submit(own, "console.log('never')");
    const Submitted scope = server.submit_scope(own, {{"description", "never"}});
    const Submitted target = GENERATE(true, false) ? run : scope;
    const std::vector<Route> routes = all_routes();
    REQUIRE(routes.size() > 30);
    std::set<std::string> paths;
    for (const Route& route : routes) paths.insert(route.path(target.id));

    const Json approve{{"action", "approve"},  {"level", "once"}, {"token", target.token},
                       {"csrf", target.token}, {"key", own},      {"id", target.id},
                       {"name", "x"},          {"role", "owner"}, {"once", target.token}};
    const std::string form = encode_form({{"action", "approve"},
                                          {"level", "once"},
                                          {"token", target.token},
                                          {"csrf", target.token},
                                          {"key", own},
                                          {"once", target.token}});
    struct Sent {
        std::string body;
        std::string type;
    };
    const Sent bodies[] = {{"", "application/json"},
                           {base::dump_json(approve), "application/json"},
                           {form, "application/x-www-form-urlencoded"}};
    const std::string queries[] = {
        "", "?action=approve&token=" + target.token + "&_method=POST&access_token=" + own};
    int owners = 0;
    for (const Credential& credential : credentials(own, foreign, target.token)) {
        for (const std::string& path : paths) {
            // Its own agent may cancel: that takes the request back, it decides nothing.
            const bool is_own = credential.headers.size() > 0 &&
                                credential.headers[0] == "Authorization: Bearer " + own;
            if (path.ends_with("/cancel") && is_own) continue;
            for (const char* method : {"GET", "POST", "DELETE", "PUT"}) {
                const auto route = std::find_if(routes.begin(), routes.end(), [&](const Route& r) {
                    return r.path(target.id) == path && r.method == method;
                });
                for (const Sent& sent : bodies) {
                    if (std::string(method) == "GET" && !sent.body.empty()) continue;
                    for (const std::string& query : queries) {
                        Call call{.method = method, .path = path + query, .body = sent.body};
                        call.headers = credential.headers;
                        call.headers.push_back("Content-Type: " + sent.type);
                        const Reply reply = server.call(call);
                        if (route == routes.end() || !is_owners(*route)) continue;
                        ++owners;
                        INFO(credential.name << ": " << method << " " << path << query << "\n"
                                             << sent.body << "\n"
                                             << reply.status << " " << reply.body << reply.problem);
                        // A page sends a browser to log in; all else is refused.
                        const bool to_login =
                            reply.status == 303 &&
                            reply.headers.at("location").find("/login?next=") != std::string::npos;
                        const bool refused =
                            to_login || (reply.status >= 400 && reply.status < 500);
                        CHECK(refused);
                    }
                }
            }
            INFO(credential.name << " on " << path);
            REQUIRE(server.state(target.id) == "pending");
        }
    }
    CHECK(owners > 800);
    CHECK(human_events(server) == 0);
    Database database(server.data());
    CHECK(database.count("request.decided", target.id) == 0);
    CHECK(database.number("SELECT count(*) FROM keys WHERE tenant_id IS NULL") == 1);
    CHECK(database.number("SELECT count(*) FROM logins") == 0);
    // And nothing was broken by it: the human still decides.
    CHECK(server.decide(target.id, "approve").status == 200);
    CHECK(server.poll(own, target.id)["status"] == "completed");
    CHECK(database.count("request.decided", target.id) == 1);
}

TEST_CASE("what an agent can see does not log in") {
    const Server server;
    const std::string own = server.sign_up();
    const Submitted made = server.submit(own, "0");
    for (const std::string& text : {own, made.token, made.id, std::string(43, 'A')}) {
        Browser browser(server);
        CHECK(browser.log_in_by_link(text).status != 303);
        const Reply reply = browser.log_in_by_key(text);
        INFO(text << " " << reply.status);
        const bool refused = reply.status == 401 || reply.status == 429;
        CHECK(refused);
        CHECK(browser.session() == "");
        CHECK(browser.get("/dashboard").status == 303);
    }
    Browser human(server);
    CHECK(human.log_in_by_key(server.owner_key()).status == 303);
    CHECK(human.get("/dashboard").status == 200);
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

TEST_CASE("conformance 9: a cookie without its CSRF value is 403, and so is a foreign Origin") {
    const Server server;
    const std::string key = server.sign_up();
    const Submitted made = server.submit(key, "0");
    Browser browser(server);
    const Reply in = browser.log_in_by_key(server.owner_key());
    REQUIRE(in.status == 303);
    const std::string cookie = in.headers.at("set-cookie");
    CHECK(cookie.find("HttpOnly") != std::string::npos);
    CHECK(cookie.find("SameSite=Strict") != std::string::npos);
    CHECK(cookie.find("Path=/") != std::string::npos);
    const std::string csrf = browser.csrf();
    REQUIRE(csrf.size() == 64);
    Browser other(server);
    REQUIRE(other.log_in_by_key(server.owner_key()).status == 303);
    REQUIRE(other.csrf() != csrf);

    const auto call = [&](const std::string& path, const std::string& with,
                          const std::string& origin, bool as_form) {
        Call out{.method = "POST", .path = path};
        out.body = as_form ? encode_form({{"action", "approve"}, {"csrf", with}})
                           : base::dump_json({{"action", "approve"}, {"csrf", with}});
        out.headers = {browser.cookie_line(), "Origin: " + origin,
                       as_form ? "Content-Type: application/x-www-form-urlencoded"
                               : "Content-Type: application/json"};
        return server.call(out);
    };
    for (const Route& route : all_routes()) {
        const bool with_cookie = route.auth != api::Auth::none && route.auth != api::Auth::agent;
        if (!with_cookie || route.method == "GET") continue;
        const std::string path = route.path(made.id);
        for (const std::string& wrong : {std::string(), made.token, other.csrf(), csrf + "0",
                                         csrf.substr(1), std::string(64, '0')}) {
            Call bare{.method = route.method, .path = path, .headers = {browser.cookie_line()}};
            bare.headers.push_back("X-OAuth3-CSRF: " + wrong);
            const Reply reply = server.call(bare);
            INFO(route.name() << " with '" << wrong << "' " << reply.body);
            CHECK(reply.status == 403);
            CHECK(reply.text("code") == "csrf_failed");
        }
        Call foreign{.method = route.method, .path = path, .headers = {browser.cookie_line()}};
        foreign.headers.insert(foreign.headers.end(),
                               {"X-OAuth3-CSRF: " + csrf, "Origin: http://evil.example"});
        INFO(route.name());
        CHECK(server.call(foreign).text("code") == "origin_not_allowed");
    }
    for (const bool as_form : {true, false}) {
        const std::string page = "/approve/" + made.id;
        CHECK(call(page, "", server.url(), as_form).status == 403);
        CHECK(call(page, csrf, "http://evil.example", as_form).status == 403);
        CHECK(call(page, csrf, "null", as_form).status == 403);
    }
    CHECK(human_events(server) == 2);  // the two log-ins
    CHECK(server.state(made.id) == "pending");
    CHECK(call("/requests/" + made.id + "/decision", csrf, server.url(), false).status == 200);
    CHECK(server.poll(key, made.id)["status"] == "completed");
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
