// Tenants, keys, owners and invites over HTTP: who may make whom, and what becomes of a key.

#include "e2e/database.h"
#include "e2e/harness.h"
#include "support/catch.h"

#include <fstream>
#include <regex>
#include <thread>

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

bool matches(const std::string& text, const char* pattern) {
    return std::regex_match(text, std::regex(pattern));
}

Reply drop(const Server& server, const std::string& path, const std::string& key) {
    return server.call({.method = "DELETE", .path = path, .key = key});
}

}  // namespace

TEST_CASE("conformance 1: sign-up answers all seven members and a key that works") {
    const Server server;
    const Reply reply = server.post("/signup", "", {{"name", "agent"}});
    REQUIRE(reply.status == 200);
    const Json made = reply.json();
    for (const char* member :
         {"tenant_id", "api_key", "token", "jwt", "tee_url", "role", "message"})
        CHECK(made.contains(member));
    const std::string key = made["api_key"];
    CHECK(made["token"] == key);
    CHECK(made["jwt"] == key);
    CHECK(made["tee_url"] == server.url());
    CHECK(made["role"] == "agent");
    CHECK(matches(key, "oauth3_[0-9a-f]{16}_[A-Za-z0-9_-]{43}"));
    CHECK(made["tenant_id"] == "tenant_" + key.substr(7, 16));

    const Json me = server.get("/me", key).json();
    CHECK(me["tenant_id"] == made["tenant_id"]);
    CHECK(me["name"] == "agent");
    CHECK(me["plan"] == "free");
    CHECK(me["role"] == "agent");
    CHECK(matches(me["key_id"], "key_[0-9a-f]{16}"));
    CHECK(me["created_at"].is_number_integer());

    const Reply without = server.get("/me");
    CHECK(without.status == 401);
    CHECK(without.text("code") == "auth_required");
    CHECK(without.headers.at("www-authenticate") == "Bearer");
    std::string other = key;
    other.back() = other.back() == 'A' ? 'B' : 'A';
    CHECK(server.get("/me", other).status == 401);
    CHECK(server.get("/me", other).text("code") == "invalid_key");

    const Json owner = server.get("/me", server.owner_key()).json();
    CHECK(owner["role"] == "admin");
    CHECK(matches(owner["owner_id"], "owner_[0-9a-f]{16}"));
    CHECK(owner["tenants"] == Json::array({{{"tenant_id", made["tenant_id"]}, {"name", "agent"}}}));
}

TEST_CASE("sign-ups are limited per address, and whoever has signed up is not disturbed") {
    const Server server;
    const std::string key = server.sign_up();
    int made = 1;
    Reply last;
    for (int i = 0; i < 70; ++i) {
        last = server.post("/signup", "", {{"name", "flood"}});
        if (last.status == 200) ++made;
    }
    CHECK(made == 60);
    CHECK(last.status == 429);
    CHECK(last.text("code") == "rate_limited");
    CHECK(std::stoi(last.headers.at("retry-after")) >= 1);
    CHECK(server.get("/me", key).status == 200);
    CHECK(Database(server.data()).number("SELECT count(*) FROM tenants") == 60);
}

TEST_CASE("modes of sign-up: closed takes nobody, invite whom an administrator invited") {
    const Server closed({"--signup", "closed"});
    CHECK(closed.post("/signup", "", {{"name", "a"}}).text("code") == "signup_closed");
    const Reply made = closed.post("/tenants", closed.owner_key(), {{"name", "robot"}});
    REQUIRE(made.status == 200);
    CHECK(closed.get("/me", made.text("api_key")).text("name") == "robot");

    const Server server({"--signup", "invite"});
    const std::string admin = server.owner_key();
    CHECK(server.post("/signup", "", {{"name", "a"}}).text("code") == "invite_required");
    CHECK(server.post("/signup", "", {{"name", "a"}, {"invite", "x"}}).text("code") ==
          "invite_required");
    const Reply owner = server.post("/owners", admin, {{"name", "second"}});
    REQUIRE(owner.status == 200);
    CHECK(matches(owner.text("api_key"), "oauth3_owner_[A-Za-z0-9_-]{43}"));
    const Reply invite =
        server.post("/invites", admin, {{"max_uses", 1}, {"owner", owner.text("id")}});
    REQUIRE(invite.status == 200);
    const std::string text = invite.text("invite");
    const Reply agent = server.post("/signup", "", {{"name", "a"}, {"invite", text}});
    REQUIRE(agent.status == 200);
    CHECK(server.post("/signup", "", {{"name", "b"}, {"invite", text}}).status == 403);

    // It is the second owner's, and the administrator does not see it.
    const Submitted asked = server.submit(agent.text("api_key"), "0");
    CHECK(server.get("/requests/" + asked.id, admin).status == 404);
    CHECK(server.get("/requests/" + asked.id, owner.text("api_key")).status == 200);
    CHECK(server.get("/tenants", admin).json()["tenants"].empty());
    for (const char* path : {"/owners", "/invites"}) {
        CHECK(server.get(path, admin).status == 200);
        CHECK(server.get(path, admin).body.find("hash") == std::string::npos);
        CHECK(server.get(path, admin).body.find(text) == std::string::npos);
        CHECK(server.get(path, owner.text("api_key")).text("code") == "admin_required");
        CHECK(server.post(path, owner.text("api_key"), {{"name", "x"}}).status == 403);
        CHECK(server.get(path, agent.text("api_key")).text("code") == "owner_required");
    }
}

TEST_CASE("a revoked key is refused at once, also where it waits already") {
    const Server server;
    const std::string owner = server.owner_key();
    const std::string key = server.sign_up();
    const Submitted made = server.submit(key, "0");
    const Reply extra = server.post("/keys", owner, Json::object());  // the only tenant's
    REQUIRE(extra.status == 200);
    const std::string second = extra.text("api_key");
    CHECK(server.get("/me", second).text("tenant_id") == server.get("/me", key).text("tenant_id"));
    CHECK(server.get("/keys", owner).body.find(second) == std::string::npos);

    Reply held;
    std::thread waiter(
        [&] { held = server.get("/execute/" + made.id + "/status?wait=true", second); });
    // It waits, or will: both must end in the same refusal.
    const Reply gone = drop(server, "/keys/" + extra.text("id"), owner);
    CHECK(gone.json() == Json{{"deleted", true}, {"id", extra.text("id")}});
    CHECK(drop(server, "/keys/" + extra.text("id"), owner).status == 404);
    CHECK(server.get("/me", second).text("code") == "invalid_key");
    CHECK(server.decide(made.id, "approve").status == 200);
    waiter.join();
    CHECK(held.status == 401);
    CHECK(server.poll(key, made.id)["status"] == "completed");

    // Several tenants: one must be named.
    const std::string other = server.sign_up();
    CHECK(server.post("/keys", owner, Json::object()).text("code") == "tenant_required");
    CHECK(server.post("/keys", owner, {{"tenant", "tenant_0000000000000000"}}).status == 404);
    CHECK(server.post("/keys", owner, {{"tenant", server.get("/me", other).text("tenant_id")}})
              .status == 200);
    // An agent manages no keys.
    CHECK(server.get("/keys", key).status == 403);
    CHECK(server.post("/keys", key, Json::object()).status == 403);
}

TEST_CASE("conformance 3: no key, link, invite or cookie stands in the server's folder") {
    Server server({"--signup", "open"});
    const std::string key = server.sign_up();
    const std::string owner = server.owner_key();
    const std::string second = server.post("/owners", owner, {{"name", "o"}}).text("api_key");
    const std::string invite = server.post("/invites", owner, Json::object()).text("invite");
    const Submitted made = server.submit(key, "0");
    const Reply kept = server.call({.method = "POST",
                                    .path = "/execute",
                                    .key = key,
                                    .body = R"({"skill_id":"x","skill_code":"1"})",
                                    .headers = {"Idempotency-Key: kept"}});
    REQUIRE(kept.status == 200);
    const std::string url = kept.text("approval_url");
    std::vector<std::string> secrets{key,    owner,      second,
                                     invite, made.token, url.substr(url.find("token=") + 6)};
    for (const bool running : {true, false}) {
        if (!running) REQUIRE(server.stop().exit_code == 0);
        int files = 0;
        for (const auto& entry : std::filesystem::directory_iterator(server.data())) {
            if (!entry.is_regular_file()) continue;
            ++files;
            std::ifstream in(entry.path(), std::ios::binary);
            const std::string bytes((std::istreambuf_iterator<char>(in)), {});
            for (const std::string& secret : secrets) {
                INFO(entry.path() << " holds " << secret);
                REQUIRE(secret.size() > 40);
                CHECK(bytes.find(secret.substr(secret.size() - 32)) == std::string::npos);
            }
        }
        CHECK(files >= 3);
    }
}

TEST_CASE("conformance 34: the same Idempotency-Key and body is one request, another body 422") {
    const Server server;
    const std::string key = server.sign_up();
    const auto post = [&](const std::string& path, const std::string& body,
                          const std::string& with) {
        return server.call({.method = "POST",
                            .path = path,
                            .key = key,
                            .body = body,
                            .headers = {"Idempotency-Key: " + with}});
    };
    const std::string body = R"x({"skill_id":"x","skill_code":"console.log('{token}')"})x";
    const Reply first = post("/execute", body, "k");
    REQUIRE(first.status == 200);
    CHECK(first.headers.count("idempotent-replay") == 0);
    const Reply second = post("/execute", body, "k");
    CHECK(second.body == first.body);
    CHECK(second.headers.at("idempotent-replay") == "true");
    CHECK(post("/execute", body + " ", "k").text("code") == "idempotency_mismatch");
    CHECK(post("/execute", body + " ", "k").status == 422);
    CHECK(Database(server.data()).number("SELECT count(*) FROM requests") == 1);
    // The link in a repeated reply still opens the page.
    const std::string url = second.text("approval_url");
    CHECK(server.get(url.substr(server.url().size())).status == 200);

    const std::string scope = R"({"description":"d"})";
    CHECK(post("/scope", scope, "k").text("request_id") ==
          post("/scope", scope, "k").text("request_id"));
    // A refused call is not remembered, nor is a dry run.
    CHECK(post("/execute", R"({"skill_code":"1"})", "r").status == 400);
    CHECK(post("/execute", body, "r").status == 200);
    CHECK(post("/execute", R"({"skill_id":"x","skill_code":"1","dry_run":true})", "d").status ==
          200);
    CHECK(post("/execute", body, "d").status == 200);
    for (const std::string& bad : {std::string(256, 'k'), std::string("a b")})
        CHECK(post("/execute", body, bad).status == 400);
    CHECK(post("/execute", body, std::string(255, 'k')).status == 200);
    // Another tenant's key is another key.
    const std::string other = server.sign_up();
    const Reply theirs = server.call({.method = "POST",
                                      .path = "/execute",
                                      .key = other,
                                      .body = body + " ",
                                      .headers = {"Idempotency-Key: k"}});
    CHECK(theirs.status == 200);
    CHECK(theirs.text("request_id") != first.text("request_id"));
}

TEST_CASE("many copies of one call at once make one request") {
    const Server server;
    const std::string key = server.sign_up();
    std::vector<Reply> replies(16);
    std::vector<std::thread> threads;
    for (Reply& reply : replies)
        threads.emplace_back([&server, &key, &reply] {
            reply = server.call({.method = "POST",
                                 .path = "/execute",
                                 .key = key,
                                 .body = R"({"skill_id":"x","skill_code":"1"})",
                                 .headers = {"Idempotency-Key: same"}});
        });
    for (std::thread& thread : threads) thread.join();
    for (const Reply& reply : replies) CHECK(reply.body == replies[0].body);
    CHECK(Database(server.data()).number("SELECT count(*) FROM requests") == 1);
}
