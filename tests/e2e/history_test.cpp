// Lists by pages, while what they list goes on growing; and how long it is kept.

#include "e2e/database.h"
#include "e2e/harness.h"
#include "support/catch.h"

#include <set>

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

using Texts = std::vector<std::string>;

/// The ids of all pages, from the newest; `between` is called before each next one.
template <typename Between>
Texts page_through(const Server& server, const std::string& key, const std::string& path,
                   const char* list, const char* id, const Between& between) {
    Texts out;
    std::string before;
    for (;;) {
        const Reply reply = server.get(path + before, key);
        REQUIRE(reply.status == 200);
        const Json page = reply.json();
        for (const Json& item : page[list]) out.push_back(item[id]);
        if (page["next"].is_null()) return out;
        before = "&before=" + page["next"].get<std::string>();
        between();
    }
}

}  // namespace

TEST_CASE("conformance 37: history pages through 1,200 rows without gap or repeat") {
    const Server server({"--max-pending", "5000"});
    const std::string key = server.sign_up();
    const std::string other = server.sign_up();
    Texts expected;
    for (int i = 0; i < 1200; ++i) {
        expected.insert(expected.begin(), server.submit(key, "0").id);
        if (i % 100 == 0) server.submit(other, "0");
    }
    // New ones come in, and old ones change, between the pages.
    const auto disturb = [&] {
        for (int i = 0; i < 7; ++i) server.submit(key, "0");
        server.post("/execute/" + expected[600] + "/cancel", key, Json::object());
    };
    for (const char* limit : {"500", "499", "1000"}) {
        const Texts got = page_through(server, key, std::string("/history?limit=") + limit,
                                       "executions", "request_id", disturb);
        REQUIRE(got.size() >= 1200);
        CHECK(Texts(got.end() - 1200, got.end()) == expected);
        CHECK(std::set<std::string>(got.begin(), got.end()).size() == got.size());
    }
    const std::string tenant = server.get("/me", key).text("tenant_id");
    const Texts owned =
        page_through(server, server.owner_key(), "/requests?limit=500&tenant=" + tenant, "requests",
                     "id", [] {});
    CHECK(Texts(owned.end() - 1200, owned.end()) == expected);
    const Texts all = page_through(server, server.owner_key(), "/history?limit=500", "executions",
                                   "request_id", [] {});
    CHECK(all.size() == owned.size() + 12);
}

TEST_CASE("a history entry has the members of the contract, and limits are clamped") {
    const Server server;
    const std::string key = server.sign_up();
    const Submitted scope = server.submit_scope(key, {{"description", "d"}, {"session_id", "s"}});
    server.decide(scope.id, "deny", {{"reason", "not now"}});
    const Json done = server.run(key, "console.log(1)");
    const Json page = server.get("/history?limit=abc", key).json();
    REQUIRE(page["executions"].size() == 2);
    CHECK(page["next"].is_null());
    const Json& run = page["executions"][0];
    CHECK(run == Json{{"request_id", done["request_id"]},
                      {"tracking_id", done["request_id"]},
                      {"kind", "execute"},
                      {"skill_id", "test"},
                      {"status", "completed"},
                      {"state", "completed"},
                      {"code_hash", run["code_hash"]},
                      {"session_id", done["session_id"]},
                      {"created_at", done["created_at"]},
                      {"approved_at", done["approved_at"]},
                      {"executed_at", done["executed_at"]},
                      {"completed_at", done["completed_at"]}});
    const Json& denied = page["executions"][1];
    CHECK(denied["kind"] == "scope");
    CHECK(denied["code_hash"].is_null());
    CHECK(denied["error"] == "not now");
    CHECK_FALSE(denied.contains("approved_at"));

    for (const char* limit : {"0", "-5", "1"}) {
        const Json one = server.get(std::string("/history?limit=") + limit, key).json();
        CHECK(one["executions"].size() == 1);
        CHECK(one["next"] == done["request_id"]);
    }
}

TEST_CASE("a cursor is good or refused, and a foreign one is an unknown one") {
    const Server server;
    const std::string key = server.sign_up();
    const std::string id = server.submit(key, "0").id;
    server.submit(key, "0");
    const std::string foreign = server.submit(server.sign_up(), "0").id;
    for (const char* path : {"/history?before=", "/requests?before=", "/audit?request="}) {
        const std::string& who = path[1] == 'h' ? key : server.owner_key();
        for (const char* bad : {"x", "1", "exec_", "exec_0000000000000000x", "%00", "exec_%27--"}) {
            const Reply reply = server.get(path + std::string(bad), who);
            CAPTURE(path, bad, reply.body);
            CHECK(reply.status == 400);
            CHECK(reply.text("code") == "bad_request");
            CHECK_FALSE(reply.text("field").empty());
        }
        const Reply unknown = server.get(path + std::string("exec_0000000000000000"), who);
        CHECK(unknown.status == 200);
        CHECK(unknown.json()["next"].is_null());
        CHECK(unknown.json().begin()->size() == 0);
    }
    CHECK(server.get("/history?before=" + foreign, key).body ==
          server.get("/history?before=exec_0000000000000000", key).body);
    CHECK(server.get("/history?before=" + id, key).json()["executions"].empty());
    for (const char* bad : {"x", "-1", "1.5", "99999999999999999999"})
        CHECK(server.get(std::string("/audit?before=") + bad, server.owner_key()).status == 400);
    CHECK(server.get("/requests?status=pending%27", server.owner_key()).status == 400);
}

TEST_CASE("what ended longer ago than the retention goes by itself, its story stays") {
    const Server server({"--retention", "7d"});
    const std::string key = server.sign_up();
    const std::string old = server.run(key, "console.log(1)")["request_id"];
    const std::string young = server.run(key, "console.log(2)")["request_id"];
    Database database(server.data());
    const auto age = [&](const std::string& id, std::int64_t days) {
        const std::string ms = std::to_string(days * 86'400'000);
        CHECK(database.change(
                  "UPDATE requests SET completed_at = completed_at - " + ms + " WHERE id = ?",
                  {id}) == 1);
    };
    age(young, 6);
    age(old, 7);
    // It goes with one of the next ticks; what waits meanwhile is a held poll.
    const std::string pending = server.submit(key, "0").id;
    for (int i = 0; i < 300 && server.get("/execute/" + old + "/status", key).status == 200; ++i)
        server.get("/execute/" + pending + "/status?wait=1&timeout=200", key);
    CHECK(server.get("/execute/" + old + "/status", key).body ==
          server.get("/execute/exec_0000000000000000/status", key).body);
    CHECK(server.get("/execute/" + young + "/status", key).json()["result"]["stdout"] == "2");
    CHECK(database.number("SELECT count(*) FROM results WHERE request_id = ?", {old}) == 0);
    const Json story = server.get("/audit?request=" + old, server.owner_key()).json()["events"];
    CHECK(story.size() == 4);
}
