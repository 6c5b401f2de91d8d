// Deciding on the page of a request, by form and by its JSON variant (wire 7.1 to 7.3), and what
// that page shows to whom.

#include "base/crypto.h"
#include "e2e/browser.h"
#include "e2e/harness.h"
#include "support/catch.h"

#include <barrier>
#include <future>

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

bool holds(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

Form decision(Browser& browser, const std::string& action, const Form& more = {}) {
    Form out{{"csrf", browser.csrf()}, {"action", action}};
    out.insert(out.end(), more.begin(), more.end());
    return out;
}

Reply post_form(const Server& server, const std::string& path, const Form& form,
                std::vector<std::string> headers = {}) {
    headers.push_back("Content-Type: application/x-www-form-urlencoded");
    return server.call(
        {.method = "POST", .path = path, .body = encode_form(form), .headers = std::move(headers)});
}

}  // namespace

TEST_CASE("a form approves, and the page comes back by itself") {
    const Server server;
    const std::string key = server.sign_up();
    const Submitted made = server.submit(key, "console.log('ran')\n");
    Browser human(server);
    REQUIRE(human.log_in_by_key(server.owner_key()).status == 303);
    const std::string path = "/approve/" + made.id;
    const std::string page = human.get(path).body;
    CHECK(holds(page, "name=\"level\" value=\"once\" checked"));
    for (const char* level : {"session", "24h", "forever"})
        CHECK(holds(page, std::string("name=\"level\" value=\"") + level + "\""));
    // Only the smallest is chosen by itself.
    CHECK_FALSE(holds(page, "name=\"level\" value=\"session\" checked"));
    CHECK_FALSE(holds(page, "name=\"level\" value=\"24h\" checked"));
    CHECK_FALSE(holds(page, "name=\"level\" value=\"forever\" checked"));
    CHECK(holds(page, "name=\"pin_args\" value=\"1\""));
    CHECK_FALSE(holds(page, "name=\"any_code\""));
    CHECK_FALSE(holds(page, made.token));

    const Reply done = human.post(path, decision(human, "approve", {{"level", "once"}}));
    CHECK(done.status == 200);
    CHECK(holds(done.headers.at("content-type"), "text/html"));
    CHECK(done.headers.at("refresh") == "3; url=" + path);
    CHECK(server.poll(key, made.id)["status"] == "completed");
    const std::string after = human.get(path).body;
    CHECK(holds(after, "ran"));
    CHECK(holds(after, "completed"));
    CHECK_FALSE(holds(after, "value=\"approve\""));
    for (const char* step : {"Asked", "Approved", "Started", "Ended: completed", "by you"})
        CHECK(holds(after, step));
    // The link of the same request shows the end, but nobody's story.
    const std::string link = server.get(path + "?token=" + made.token).body;
    CHECK(holds(link, "ran"));
    CHECK_FALSE(holds(link, "Story"));
}

TEST_CASE("a form denies with a reason in several lines") {
    const Server server;
    const std::string key = server.sign_up();
    const Submitted made = server.submit(key, "0");
    Browser human(server);
    REQUIRE(human.log_in_by_key(server.owner_key()).status == 303);
    const std::string path = "/approve/" + made.id;
    CHECK(human.post(path, decision(human, "deny", {{"reason", std::string(1001, 'x')}})).status ==
          400);
    CHECK(server.state(made.id) == "pending");
    CHECK(human.post(path, decision(human, "deny", {{"reason", "no,\r\nnot this"}})).status == 200);
    const Json end = server.poll(key, made.id);
    CHECK(end["status"] == "denied");
    CHECK(end["error"] == "no,\nnot this");
}

TEST_CASE("what a form cannot mean is refused, and nothing is decided") {
    const Server server;
    const std::string key = server.sign_up();
    const Submitted made = server.submit(key, "0");
    Browser human(server);
    REQUIRE(human.log_in_by_key(server.owner_key()).status == 303);
    const std::string path = "/approve/" + made.id;
    const std::pair<Form, std::string> kCases[] = {
        {{}, "invalid_action"},
        {{{"action", "secrets"}}, "invalid_action"},
        {{{"action", "Approve"}}, "invalid_action"},
        {{{"action", "approve"}, {"level", "scope"}}, "invalid_level"},
        {{{"action", "approve"}, {"level", "always"}}, "invalid_level"},
        {{{"action", "approve"}, {"level", "session"}, {"pin_args", "1"}}, "bad_request"},
        {{{"action", "approve"}, {"level", "24h"}, {"pin_args", "yes"}}, "bad_request"},
        {{{"action", "approve"}, {"any_code", "yes"}}, "bad_request"},
        {{{"action", "approve"}, {"secret_TOKEN", "value"}}, "bad_request"},
        {{{"action", "approve"}, {"keep_secret", "TOKEN"}}, "bad_request"},
        {{{"action", "approve"}, {"max_timeout", "1"}}, "bad_request"},
    };
    for (const auto& [fields, code] : kCases) {
        Form form = fields;
        form.emplace_back("csrf", human.csrf());
        const Reply reply = post_form(server, path, form, {human.cookie_line()});
        INFO(encode_form(fields) << " " << reply.body);
        CHECK(reply.status == 400);
        CHECK(reply.text("code") == code);
        // A browser gets the same as a page.
        CHECK(holds(human.post(path, form).headers.at("content-type"), "text/html"));
        CHECK(server.state(made.id) == "pending");
    }
    CHECK(human.post("/approve/exec_0000000000000000", decision(human, "approve")).status == 404);
    // Fields that are empty, or say no, are as if they were not there.
    const Form empty{{"pin_args", "0"}, {"secret_TOKEN", ""}, {"any_code", "1"}, {"level", ""}};
    CHECK(human.post(path, decision(human, "approve", empty)).status == 200);
    CHECK(server.poll(key, made.id)["status"] == "completed");
}

TEST_CASE("conformance 11: the second of two forms is led to the page, on the base URL") {
    const Server server;
    const std::string key = server.sign_up();
    Browser human(server);
    REQUIRE(human.log_in_by_key(server.owner_key()).status == 303);
    for (int round = 0; round < 10; ++round) {
        const Submitted made = server.submit(key, "console.log('once')\n");
        const std::string path = "/approve/" + made.id;
        const Form form = decision(human, "approve", {{"token", made.token}});
        const std::string cookie = human.cookie_line();
        std::barrier start(2);
        const auto send = [&](const char* action) {
            Form own = form;
            own[1].second = action;
            return std::async(std::launch::async, [&, own] {
                start.arrive_and_wait();
                return post_form(server, path, own, {cookie});
            });
        };
        auto first = send("approve");
        auto second = send(round % 2 == 0 ? "approve" : "deny");
        const Reply replies[] = {first.get(), second.get()};
        CHECK(replies[0].status + replies[1].status == 200 + 302);
        for (const Reply& reply : replies)
            if (reply.status == 302)
                CHECK(reply.headers.at("location") == server.url() + path + "?token=" + made.token);
        server.poll(key, made.id);
        // Later ones, too; a token that is wrong does not come along.
        Form late = decision(human, "deny", {{"token", std::string(64, '0')}});
        const Reply reply = human.post(path, late);
        CHECK(reply.status == 302);
        CHECK(reply.headers.at("location") == server.url() + path);
        const Reply json = server.post(path, server.owner_key(), {{"action", "deny"}});
        CHECK(json.status == 200);
        CHECK(json.text("message") == "Already processed");
    }
}

TEST_CASE("the JSON variant of the page decides by key, and by cookie with the CSRF value") {
    const Server server;
    const std::string key = server.sign_up();
    Browser human(server);
    REQUIRE(human.log_in_by_key(server.owner_key()).status == 303);
    const Submitted run = server.submit(key, "0");
    const Reply approved =
        server.call({.method = "POST",
                     .path = "/approve/" + run.id,
                     .body = base::dump_json({{"csrf", human.csrf()}, {"action", "approve"}}),
                     .headers = {human.cookie_line(), "Content-Type: application/json"}});
    CHECK(approved.status == 200);
    CHECK(approved.json() == Json{{"id", run.id}, {"status", "approved"}, {"executing", true}});

    const Submitted scope = server.submit_scope(
        key, {{"description", "S"}, {"constraints", {"a", "b"}}, {"skill_code", "0"}});
    const Reply completed =
        server.post("/approve/" + scope.id, server.owner_key(), {{"action", "approve"}});
    CHECK(completed.json() == Json{{"id", scope.id},
                                   {"status", "completed"},
                                   {"session_id", scope.session},
                                   {"expanded", false},
                                   {"constraints", 2}});
    const Submitted denied = server.submit(key, "0");
    CHECK(server.post("/approve/" + denied.id, server.owner_key(), {{"action", "deny"}}).json() ==
          Json{{"id", denied.id}, {"status", "denied"}});
}

TEST_CASE(
    "conformance 5: where the link decides, its form does, with no cookie and no CSRF value") {
    const Server server({"--approval=link", "--no-auth"});
    const std::string code = "console.log(Deno.env.get('WORD') ?? 'none')\n";
    const Json asked = server
                           .post("/scope", "",
                                 {{"description", "S"},
                                  {"constraints", {"No network access", "be quick", "be nice"}},
                                  {"skill_code", code}})
                           .json();
    REQUIRE(asked["status"] == "pending_scope");
    const std::string url = asked["approval_url"];
    const std::string id = asked["request_id"];
    const std::size_t at = url.find("token=") + 6;
    const std::string token = url.substr(at);
    CHECK(base::is_lower_hex(token, 64));

    const std::string page = server.get("/approve/" + id + "?token=" + token).body;
    CHECK(holds(page, "Anyone with this link, the agent too, can approve"));
    CHECK(input_value(page, "token") == token);
    for (const std::string& wrong : {std::string(), std::string(64, '0'), token.substr(1)}) {
        const Reply reply = post_form(server, "/approve/" + id,
                                      {{"token", wrong}, {"action", "approve"}, {"level", "once"}});
        CHECK(reply.status == 403);
        CHECK(server.state(id) == "pending");
    }
    // Only in the body: a link that is merely opened, or fetched by POST, decides nothing.
    CHECK(post_form(server, "/approve/" + id + "?token=" + token, {{"action", "approve"}}).status ==
          403);
    const Reply done = post_form(server, "/approve/" + id,
                                 {{"token", token}, {"action", "approve"}, {"level", "once"}});
    CHECK(done.status == 200);
    CHECK(holds(done.headers.at("refresh"), "?token=" + token));
    CHECK(server.poll("", id)["status"] == "completed");

    for (const Json& args : {Json::object(), Json{{"WORD", "hello"}}}) {
        const Json run = server
                             .post("/execute", "",
                                   {{"skill_id", "s"},
                                    {"skill_code", code},
                                    {"session_id", asked["session_id"]},
                                    {"args", args}})
                             .json();
        CHECK(run["status"] != "pending");
        const Json end = server.poll("", run["request_id"]);
        CHECK(end["result"]["stdout"] == (args.empty() ? "none" : "hello"));
    }
    // The banner is on every page, and owner mode has it on none.
    CHECK(holds(server.get("/login").body, "Anyone with this link"));
    CHECK_FALSE(holds(Server().get("/login").body, "Anyone with this link"));
}

TEST_CASE("the page shows what is new in the session, and how the code has changed") {
    const Server server;
    const std::string key = server.sign_up();
    Browser human(server);
    REQUIRE(human.log_in_by_key(server.owner_key()).status == 303);
    const std::string code = "// @skill report\nconst days = 7;\nconsole.log(days);\n";
    const Submitted first = server.submit(key, code);
    CHECK_FALSE(holds(human.get("/approve/" + first.id).body, "Changes since"));
    REQUIRE(server.decide(first.id, "approve", {{"level", "session"}}).status == 200);
    server.poll(key, first.id);

    std::string changed = code;
    changed.replace(changed.find('7'), 1, "30");
    const Submitted second = server.submit(key, changed, {{"session_id", first.session}});
    const std::string page = human.get("/approve/" + second.id).body;
    CHECK(holds(page, "Changes since the last approved code"));
    CHECK(holds(page, "1 line added, 1 line removed."));
    CHECK(holds(page, "const days = 7;"));
    CHECK(holds(page, "code not approved in this session"));
    CHECK(holds(page, "Widens the session that exists"));
    CHECK(holds(page, "What an approval for the session adds to it"));
    CHECK(holds(page, "<dt>New code</dt><dd><ul><li><code>" + base::sha256_hex(changed)));
    CHECK(holds(page, "What the session holds already"));
    CHECK(holds(page, base::sha256_hex(code)));

    const Submitted scope = server.submit_scope(key, {{"description", "More"},
                                                      {"session_id", first.session},
                                                      {"networks", {"api.example"}},
                                                      {"secrets", {"TOKEN"}},
                                                      {"constraints", {"be nice"}},
                                                      {"skill_code", changed},
                                                      {"max_timeout", 90}});
    const std::string asked = human.get("/approve/" + scope.id).body;
    for (const char* part :
         {"New hosts", "api.example", "New secrets", "TOKEN", "not declared in the code",
          "New constraints", "oauth3 cannot check this", "New code", "30 s before, 90 s now"})
        CHECK(holds(asked, part));
    CHECK(holds(asked, base::sha256_hex(changed)));
}

TEST_CASE("a scope promises no limit that its session does not keep, and tells each new bond") {
    const Server server;
    const std::string key = server.sign_up();
    Browser human(server);
    REQUIRE(human.log_in_by_key(server.owner_key()).status == 303);
    const std::string promise = "Never more than the secrets, hosts, calls and time shown here";
    const auto ask = [&](const Json& secrets, const Json& networks) {
        const Submitted scope = server.submit_scope(key, {{"description", "S"},
                                                          {"session_id", "work"},
                                                          {"secrets", secrets},
                                                          {"networks", networks}});
        std::string page = human.get("/approve/" + scope.id).body;
        REQUIRE(server.decide(scope.id, "approve").status == 200);
        return page;
    };
    const std::string begins = ask({"GH_TOKEN"}, {"api.github.com"});
    CHECK(holds(begins, promise + "."));
    CHECK_FALSE(holds(begins, "What the session holds already"));
    const std::string widens = ask(Json::array(), {"evil.example"});
    CHECK(holds(widens, promise + " and whatever the session already holds"));
    CHECK(holds(widens, "What the session holds already"));
    CHECK(holds(widens, "GH_TOKEN → api.github.com"));
    CHECK_FALSE(holds(widens, "Secrets may newly go to"));
    // The session has both, and only now the one may go to the other.
    const std::string binds = ask({"GH_TOKEN"}, {"evil.example"});
    CHECK(holds(binds,
                "<dt>Secrets may newly go to</dt><dd><ul><li><code>GH_TOKEN → "
                "evil.example</code></li></ul>"));
    CHECK_FALSE(holds(binds, "New secrets"));
    CHECK_FALSE(holds(binds, "New hosts"));
    CHECK_FALSE(holds(binds, "Nothing: the session holds all of it."));
    const std::string session = human.get("/dashboard/session/work").body;
    CHECK(holds(session, "GH_TOKEN → api.github.com, evil.example"));
}

TEST_CASE("a decision for a session holds for the session that was shown") {
    const Server server;
    const std::string key = server.sign_up();
    Browser human(server);
    REQUIRE(human.log_in_by_key(server.owner_key()).status == 303);
    const Submitted begins =
        server.submit_scope(key, {{"description", "S"}, {"session_id", "work"}});
    const Submitted run = server.submit(key, "console.log(1)", {{"session_id", "work"}});
    const std::string path = "/approve/" + run.id;
    const std::string seen = input_value(human.get(path).body, "session_digest");
    CHECK(seen == "none");
    CHECK(server.get("/requests/" + run.id, server.owner_key()).text("session_digest") == seen);
    REQUIRE(server.decide(begins.id, "approve").status == 200);

    const Form form = decision(human, "approve", {{"level", "session"}, {"session_digest", seen}});
    const Reply again = human.post(path, form);
    CHECK(again.status == 409);
    CHECK(holds(again.body, "The session has changed meanwhile; look again."));
    CHECK(holds(again.body, "Widens the session that exists"));
    CHECK(server.state(run.id) == "pending");
    const Json stale{{"level", "session"}, {"session_digest", seen}};
    for (const Reply& refused : {server.decide(run.id, "approve", stale), [&] {
                                     Json body = stale;
                                     body["action"] = "approve";
                                     return server.post(path, server.owner_key(), body);
                                 }()}) {
        CHECK(refused.status == 400);
        CHECK(refused.text("code") == "bad_request");
        CHECK(refused.text("field") == "session_digest");
    }
    CHECK(server.state(run.id) == "pending");
    // The page that came back is one to decide on.
    const std::string now = input_value(again.body, "session_digest");
    CHECK(base::is_lower_hex(now, 64));
    const Form anew = decision(human, "approve", {{"level", "session"}, {"session_digest", now}});
    CHECK(human.post(path, anew).status == 200);
    CHECK(server.poll(key, run.id)["status"] == "completed");
    CHECK_FALSE(
        server.get("/requests/" + run.id, server.owner_key()).json().contains("session_digest"));
}

TEST_CASE("a form that is not UTF-8 is refused, whichever it is") {
    const Server server;
    const std::string key = server.sign_up();
    const Submitted made = server.submit(key, "0", {{"session_id", "work"}});
    Browser human(server);
    REQUIRE(human.log_in_by_key(server.owner_key()).status == 303);
    for (const Form& bad : {Form{{"reason", "no\xFF"}}, Form{{"\xC3", "x"}}}) {
        CHECK(human.post("/approve/" + made.id, decision(human, "deny", bad)).status == 400);
        CHECK(human.post("/dashboard/revoke", decision(human, "deny", bad)).status == 400);
        CHECK(human.post("/login", bad).status == 400);
    }
    CHECK(server.state(made.id) == "pending");
    CHECK(human.post("/approve/" + made.id, decision(human, "deny", {{"reason", "né"}})).status ==
          200);
}
