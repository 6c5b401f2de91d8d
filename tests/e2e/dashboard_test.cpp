// The owner's dashboard: what it lists, and what its forms change (wire 9).

#include "e2e/browser.h"
#include "e2e/harness.h"
#include "support/catch.h"

#include <set>

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

bool holds(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// The part of a page between the start of one section and that of the next.
std::string section(const std::string& page, const std::string& id) {
    const std::size_t at = page.find("<section id=\"" + id + "\"");
    REQUIRE(at != std::string::npos);
    return page.substr(at, page.find("<section id=", at + 1) - at);
}

/// What stands between each `before` and the `after` that follows it.
std::vector<std::string> all_between(const std::string& text, const std::string& before,
                                     const std::string& after) {
    std::vector<std::string> out;
    for (std::size_t at = text.find(before); at != std::string::npos; at = text.find(before, at)) {
        at += before.size();
        out.push_back(text.substr(at, text.find(after, at) - at));
    }
    return out;
}

/// The card of a request in the section of what waits.
std::string card(const std::string& page, const std::string& id) {
    for (const std::string& part :
         all_between(section(page, "waiting"), "<li class=\"card\">", "</details>"))
        if (holds(part, id)) return part;
    FAIL("no card for " << id);
    return {};
}

/// The path of the link "Older" of a section; "" if it has none.
std::string older(const std::string& part) {
    const std::size_t at = part.find(">Older</a>");
    if (at == std::string::npos) return {};
    const std::size_t start = part.rfind("href=\"", at) + 6;
    std::string path = part.substr(start, part.find_first_of("\"#", start) - start);
    for (std::size_t i = path.find("&amp;"); i != std::string::npos; i = path.find("&amp;"))
        path.erase(i + 1, 4);
    return path;
}

}  // namespace

TEST_CASE("the dashboard shows what waits, what may run again, who there is and what happened") {
    const Server server;
    const std::string key = server.sign_up();
    const Submitted waits = server.submit(key, "0", {{"skill_id", "waits"}});
    const Submitted ran = server.submit(key, "console.log(1)", {{"skill_id", "ran"}});
    REQUIRE(server.decide(ran.id, "approve", {{"level", "session"}}).status == 200);
    server.poll(key, ran.id);
    Browser human(server);
    REQUIRE(human.log_in_by_key(server.owner_key()).status == 303);
    const std::string page = human.get("/dashboard?token=" + waits.token).body;
    CHECK(holds(page, "<title>1 request waits"));
    CHECK_FALSE(holds(page, waits.token));
    CHECK(holds(section(page, "waiting"), "/approve/" + waits.id));
    CHECK_FALSE(holds(section(page, "waiting"), ran.id));
    CHECK(holds(section(page, "sessions"), ran.session));
    CHECK(holds(section(page, "history"), ran.id));
    CHECK(holds(section(page, "history"), waits.id));
    CHECK(holds(section(page, "audit"), "Logged in"));
    const Json me = server.get("/me", key).json();
    CHECK(holds(section(page, "agents"), me["tenant_id"]));
    CHECK(holds(section(page, "agents"), me["key_id"]));
    CHECK(all_between(page, "oauth3_owner_", "\"").empty());
    CHECK_FALSE(holds(page, key));
}

TEST_CASE("history and audit of the dashboard are paged without gap or repeat") {
    const Server server;
    const std::string key = server.sign_up();
    std::set<std::string> made;
    for (int i = 0; i < 45; ++i) made.insert(server.submit(key, "0").id);
    Browser human(server);
    REQUIRE(human.log_in_by_key(server.owner_key()).status == 303);
    std::set<std::string> seen;
    int pages = 0;
    for (std::string path = "/dashboard"; !path.empty(); ++pages) {
        const std::string part = section(human.get(path).body, "history");
        for (const std::string& id : all_between(part, "href=\"/approve/", "\""))
            CHECK(seen.insert(id).second);
        path = older(part);
    }
    CHECK(pages == 3);
    CHECK(seen == made);

    std::vector<std::string> numbers;
    for (std::string path = "/dashboard"; !path.empty();) {
        const std::string part = section(human.get(path).body, "audit");
        for (const std::string& n : all_between(part, "<span class=\"faint\">", "<"))
            numbers.push_back(n);
        path = older(part);
    }
    // key.created, signup, its key, 45 requests, the log-in: numbered without a gap down to 1.
    REQUIRE(numbers.size() > 45);
    for (std::size_t i = 0; i < numbers.size(); ++i)
        CHECK(numbers[i] == std::to_string(numbers.size() - i));
    CHECK(human.get("/dashboard?before=x").status == 400);
    CHECK(human.get("/dashboard?audit=x").status == 400);
    CHECK(human.get("/dashboard?before=exec_0000000000000000").status == 200);
}

TEST_CASE("a session is narrowed and revoked by form, and never widened") {
    const Server server;
    const std::string key = server.sign_up();
    const std::string tenant = server.get("/me", key).text("tenant_id");
    const Submitted scope = server.submit_scope(key, {{"description", "S"},
                                                      {"networks", {"a.example", "b.example"}},
                                                      {"secrets", {"TOKEN"}},
                                                      {"skill_code", "console.log(1)"}});
    REQUIRE(server.decide(scope.id, "approve").status == 200);
    Browser human(server);
    REQUIRE(human.log_in_by_key(server.owner_key()).status == 303);
    const std::string path = "/dashboard/session/" + scope.session;
    CHECK(human.get(path + "?tenant=" + tenant).status == 200);
    CHECK(human.get(path).status == 200);
    CHECK(human.get(path + "?tenant=tenant_0000000000000000").status == 404);
    CHECK(human.get("/dashboard/session/unknown").status == 404);

    const auto narrow = [&](Form more) {
        more.insert(more.end(),
                    {{"csrf", human.csrf()}, {"session_id", scope.session}, {"tenant", tenant}});
        return human.post("/dashboard/narrow", more);
    };
    const auto session = [&] { return server.get("/sessions/" + scope.session, key).json(); };
    const std::string hash = session()["policy"]["code_hashes"][0];
    CHECK(narrow({{"keep_network", "c.example"}}).status == 400);
    CHECK(narrow({{"keep_network", "*.example.org"}}).status == 400);
    CHECK(narrow({{"keep_network", "no host"}}).status == 400);
    CHECK(narrow({{"keep_secret", "OTHER"}}).status == 400);
    CHECK(narrow({{"keep_code", std::string(64, '0')}}).status == 400);
    CHECK(narrow({{"max_timeout", "3600"}}).status == 400);
    CHECK(narrow({{"max_timeout", "0"}}).status == 400);
    CHECK(narrow({{"max_runs", "-1"}}).status == 400);
    CHECK(session()["policy"]["allowedNetworks"] == Json{"a.example", "b.example"});
    const Reply done = narrow({{"keep_network", "a.example"},
                               {"keep_secret", "TOKEN"},
                               {"keep_code", hash},
                               {"max_timeout", "20"},
                               {"max_runs", "3"}});
    CHECK(done.status == 303);
    CHECK(done.headers.at("location") == path + "?tenant=" + tenant);
    const Json policy = session()["policy"];
    CHECK(policy["allowedNetworks"] == Json{"a.example"});
    CHECK(policy["allowedSecrets"] == Json{"TOKEN"});
    CHECK(policy["code_hashes"] == Json{hash});
    CHECK(policy["max_timeout"] == 20);
    CHECK(policy["max_runs"] == 3);
    // What is not ticked is gone.
    CHECK(narrow({}).status == 303);
    CHECK(session()["policy"]["code_hashes"] == Json::array());
    CHECK(session()["policy"]["max_runs"] == 3);

    const auto revoke = [&](const Form& form) { return human.post("/dashboard/revoke", form); };
    CHECK(revoke({{"session_id", scope.session}, {"tenant", tenant}}).status == 403);
    CHECK(revoke({{"csrf", human.csrf()}, {"session_id", "x"}, {"tenant", tenant}}).status == 404);
    CHECK(revoke({{"csrf", human.csrf()}, {"trust_id", "trust_0000000000000000"}}).status == 404);
    CHECK(revoke({{"csrf", human.csrf()}}).status == 404);
    CHECK(server.get("/sessions/" + scope.session, key).status == 200);
    const Reply gone =
        revoke({{"csrf", human.csrf()}, {"session_id", scope.session}, {"tenant", tenant}});
    CHECK(gone.status == 303);
    CHECK(gone.headers.at("location") == "/dashboard");
    CHECK(server.get("/sessions/" + scope.session, key).status == 404);
    CHECK(human.get(path).status == 404);
}

TEST_CASE("an owner's dashboard shows and changes nothing of another owner") {
    const Server server;
    const std::string key = server.sign_up();
    const std::string tenant = server.get("/me", key).text("tenant_id");
    const Submitted run = server.submit(key, "0", {{"skill_id", "not-yours"}});
    const Submitted scope =
        server.submit_scope(key, {{"description", "not yours"}, {"session_id", "theirs"}});
    REQUIRE(server.decide(scope.id, "approve").status == 200);
    const Reply made = server.post("/owners", server.owner_key(), {{"name", "other"}});
    REQUIRE(made.status == 200);
    Browser other(server);
    REQUIRE(other.log_in_by_key(made.text("api_key")).status == 303);
    const std::string page = other.get("/dashboard").body;
    CHECK(holds(page, "Nothing waits"));
    for (const std::string& theirs :
         {run.id, scope.id, tenant, std::string("not-yours"), std::string("theirs")})
        CHECK_FALSE(holds(page, theirs));
    CHECK(other.get("/approve/" + run.id).status == 404);
    // The link reads for anybody, so also here; it still does no more.
    const Reply link = other.get("/approve/" + run.id + "?token=" + run.token);
    CHECK(link.status == 200);
    CHECK_FALSE(holds(link.body, "value=\"approve\""));
    CHECK_FALSE(holds(link.body, "Story"));
    CHECK(other.get("/view/" + run.id).status == 404);
    const Reply code = other.get("/view/" + run.id + "?token=" + run.token);
    CHECK(code.status == 200);
    CHECK_FALSE(holds(code.body, "Log out"));
    CHECK(other.get("/dashboard/session/theirs?tenant=" + tenant).status == 404);
    for (const char* path : {"/dashboard/revoke", "/dashboard/narrow"})
        CHECK(
            other.post(path, {{"csrf", other.csrf()}, {"session_id", "theirs"}, {"tenant", tenant}})
                .status == 404);
    CHECK(
        other.post("/approve/" + run.id, {{"csrf", other.csrf()}, {"action", "approve"}}).status ==
        404);
    CHECK(server.state(run.id) == "pending");
    CHECK(server.get("/sessions/theirs", key).status == 200);
}

TEST_CASE("a card approves only what it shows whole, and always denies") {
    const Server server;
    const std::string key = server.sign_up();
    const std::string approve = "value=\"approve\"";
    const std::string deny = "value=\"deny\"";
    const Submitted plain = server.submit(key, "0", {{"args", {{"A", "seen"}}}});
    const Submitted others[] = {
        server.submit(key, "0", {{"args", {{"A", std::string(400, 'a')}}}}),
        server.submit(key, "// @description " + std::string(301, 'd') + "\n0"),
        server.submit(key, "0\n// @secrets LATE\n"),
        server.submit(key, "// @skill other\n0"),
        server.submit(key, "// @secrets TOKEN\n0"),  // which comes with a warning
        server.submit_scope(key, {{"description", "S"}, {"constraints", {"be nice"}}}),
    };
    Browser human(server);
    REQUIRE(human.log_in_by_key(server.owner_key()).status == 303);
    const std::string page = human.get("/dashboard").body;
    const std::string whole = card(page, plain.id);
    for (const std::string& part : {approve, deny, std::string("seen")}) CHECK(holds(whole, part));
    CHECK(holds(section(page, "waiting"), "TOKEN</code> <span class=\"tag\">declared in the code"));
    for (const Submitted& other : others) {
        CAPTURE(other.id);
        const std::string cut = card(page, other.id);
        CHECK_FALSE(holds(cut, approve));
        CHECK(holds(cut, deny));
        CHECK(holds(cut, "Review and decide"));
    }
}

TEST_CASE("what waits beyond the first hundred is told and can be reached") {
    const Server server({"--max-pending", "200"});
    const std::string key = server.sign_up();
    const Submitted first = server.submit(key, "0", {{"session_id", "work"}});
    REQUIRE(server.decide(first.id, "approve", {{"level", "session"}}).status == 200);
    server.poll(key, first.id);
    std::set<std::string> made;
    for (int i = 0; i < 101; ++i)
        made.insert(server.submit(key, std::to_string(i) + ";", {{"session_id", "work"}}).id);
    Browser human(server);
    REQUIRE(human.log_in_by_key(server.owner_key()).status == 303);
    const std::string page = human.get("/dashboard").body;
    CHECK(holds(page, "<title>100+ requests wait"));
    std::set<std::string> seen;
    int pages = 0;
    for (std::string path = "/dashboard"; !path.empty(); ++pages) {
        const std::string part = section(human.get(path).body, "waiting");
        for (const std::string& id : all_between(part, "<h3><a href=\"/approve/", "\""))
            CHECK(seen.insert(id).second);
        path = older(part);
    }
    CHECK(pages == 2);
    CHECK(seen == made);
    // The page of their session has them all, too, and the one that began it.
    made.insert(first.id);
    seen.clear();
    for (std::string path = "/dashboard/session/work"; !path.empty();) {
        const std::string part = section(human.get(path).body, "requests");
        for (const std::string& id : all_between(part, "href=\"/approve/", "\""))
            CHECK(seen.insert(id).second);
        path = older(part);
    }
    CHECK(seen == made);
    CHECK(human.get("/dashboard?waiting=x").status == 400);
}

TEST_CASE("of many agents and keys the newest are shown, and where the others are") {
    const Server server;
    Json made;
    for (int i = 0; i < 52; ++i)
        made = server.post("/tenants", server.owner_key(), {{"name", "agent"}}).json();
    const std::string tenant = made["tenant_id"];
    for (int i = 0; i < 11; ++i)
        REQUIRE(server.post("/keys", server.owner_key(), {{"tenant", tenant}}).status == 200);
    Browser human(server);
    REQUIRE(human.log_in_by_key(server.owner_key()).status == 303);
    const std::string part = section(human.get("/dashboard").body, "agents");
    CHECK(all_between(part, "<code>tenant_", "<").size() == 50);
    CHECK(holds(part, "2 older agents: <code>oauth3 tenant list</code>"));
    CHECK(holds(part, "2 older keys: <code>oauth3 key list</code>"));
    // One of each other agent, ten of this one, and the owner's own.
    CHECK(all_between(part, "Key <code>key_", "<").size() == 49 + 10 + 1);
}

TEST_CASE("an agent is named nowhere without its id, and without saying that it claims the name") {
    const Server server;
    const Json agent = server.post("/signup", "", {{"name", "Administrator"}}).json();
    const std::string key = agent["api_key"];
    const std::string tenant = agent["tenant_id"];
    const Submitted ran = server.submit(key, "0");
    REQUIRE(server.decide(ran.id, "approve", {{"level", "session"}}).status == 200);
    server.poll(key, ran.id);
    server.submit(key, "0");
    const Submitted runs = server.submit(key, kEndless);
    REQUIRE(server.decide(runs.id, "approve").status == 200);
    Browser human(server);
    REQUIRE(human.log_in_by_key(server.owner_key()).status == 303);
    const std::string page = human.get("/dashboard").body;
    const std::string named =
        "<bdi>“Administrator”</bdi> <span class=\"tag\">claimed name</span> "
        "<code>" +
        tenant + "</code>";
    for (const char* id : {"waiting", "running", "sessions", "history"}) {
        CAPTURE(id);
        CHECK(holds(section(page, id), named));
    }
    CHECK(holds(human.get("/dashboard/session/" + ran.session).body, named));
    CHECK(holds(human.get("/approve/" + ran.id).body, named));
}
