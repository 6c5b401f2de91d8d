// Conformance 40: the audit chain, as its owner gets it over HTTP, against every change of it.

#include "e2e/database.h"
#include "e2e/harness.h"
#include "ledger/chain.h"
#include "support/catch.h"

#include <set>

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

ledger::Event event_of(const Json& json) {
    ledger::Event out;
    out.seq = json.at("seq");
    out.at = json.at("at");
    out.actor = json.at("actor");
    out.action = json.at("action");
    if (json.contains("tenant_id")) out.tenant_id = json["tenant_id"].get<std::string>();
    if (json.contains("request_id")) out.request_id = json["request_id"].get<std::string>();
    out.detail = json.at("detail");
    out.prev = json.at("prev");
    out.hash = json.at("hash");
    return out;
}

/// The whole chain by pages of `limit`, oldest first.
std::vector<ledger::Event> chain(const Server& server, const std::string& owner, int limit = 500) {
    std::vector<ledger::Event> out;
    std::string before;
    for (;;) {
        const Reply reply = server.get("/audit?limit=" + std::to_string(limit) + before, owner);
        REQUIRE(reply.status == 200);
        const Json page = reply.json();
        for (const Json& event : page["events"]) out.insert(out.begin(), event_of(event));
        if (page["next"].is_null()) return out;
        before = "&before=" + page["next"].get<std::string>();
    }
}

/// True if the chain is whole up to an event that was known before.
bool verifies(const std::vector<ledger::Event>& events, const ledger::Event& last) {
    return !ledger::first_break(events) && !events.empty() && events.back().hash == last.hash;
}

/// A little of everything that is written down.
void live(const Server& server) {
    const std::string key = server.sign_up();
    const Submitted scope = server.submit_scope(
        key, {{"description", "d\xC3\xA9"}, {"session_id", "s"}, {"skill_code", "console.log(1)"}});
    server.decide(scope.id, "approve");
    server.poll(key, server.submit(key, "console.log(1)", {{"session_id", "s"}}).id);
    const Submitted denied = server.submit(key, "0");
    server.decide(denied.id, "deny", {{"reason", "\xE2\x80\xAE no \"\\\n"}});
    server.post("/sessions/s/narrow", key, {{"max_runs", 3}});
    server.call({.method = "DELETE", .path = "/sessions/s", .key = key});
    server.post("/execute/" + server.submit(key, "0").id + "/cancel", key, Json::object());
}

}  // namespace

TEST_CASE("conformance 40: the chain verifies, by pages of any size and from both ends") {
    const Server server;
    live(server);
    const auto events = chain(server, server.owner_key());
    REQUIRE(events.size() > 10);
    CHECK_FALSE(ledger::first_break(events).has_value());
    CHECK(events.front().seq == 1);
    CHECK(events.front().prev == ledger::first_prev());
    std::set<std::string> actions;
    for (const auto& event : events) actions.insert(event.action);
    for (const char* action :
         {"signup", "request.created", "request.decided", "request.started", "request.finished",
          "request.changed", "session.created", "session.narrowed", "session.revoked"})
        CHECK(actions.count(action) == 1);
    const auto by_three = chain(server, server.owner_key(), 3);
    REQUIRE(by_three.size() == events.size());
    CHECK(verifies(by_three, events.back()));

    // From the beginning, as it is verified while it grows.
    std::vector<ledger::Event> forward;
    std::string after = "0";
    for (;;) {
        const Json page = server.get("/audit?limit=4&after=" + after, server.owner_key()).json();
        for (const Json& event : page["events"]) forward.push_back(event_of(event));
        if (page["next"].is_null()) break;
        after = page["next"];
    }
    CHECK(forward.size() == events.size());
    CHECK(verifies(forward, events.back()));
}

TEST_CASE("conformance 40: any change of any field of any event breaks the chain") {
    const Server server;
    live(server);
    const std::string& owner = server.owner_key();
    const auto events = chain(server, owner);
    const ledger::Event last = events.back();
    REQUIRE(verifies(events, last));
    Database database(server.data());
    const std::string zeros(64, '0');
    const std::vector<std::pair<std::string, std::string>> changes{
        {"at", "at + 1"},
        {"at", "-at"},
        {"actor", "actor || ' '"},
        {"actor", "'server'"},
        {"action", "action || 'x'"},
        {"action", "''"},
        {"tenant_id", "coalesce(substr(tenant_id, 2), 'tenant_0000000000000000')"},
        {"tenant_id", "iif(tenant_id IS NULL, '', NULL)"},
        {"request_id", "coalesce(request_id || '0', 'exec_0000000000000000')"},
        {"request_id", "iif(request_id IS NULL, '', NULL)"},
        {"detail", "json_set(detail, '$.added', 1)"},
        {"detail", "iif(detail = '{}', '[]', '{}')"},
        {"prev", "'" + std::string(64, 'a') + "'"},
        {"prev", "upper(prev || 'a')"},
        {"hash", "'" + zeros + "'"},
        {"hash", "upper(hash)"},
        {"seq", "seq + 1000"},
        {"seq", "-seq"},
    };
    for (const ledger::Event& event : events) {
        const std::string seq = std::to_string(event.seq);
        for (const auto& [column, value] : changes) {
            CAPTURE(seq, column, value);
            database.change("CREATE TEMP TABLE kept AS SELECT * FROM ledger WHERE seq = " + seq);
            const int changed = database.change("UPDATE ledger SET " + column + " = " + value +
                                                " WHERE seq = " + seq + " AND " + column +
                                                " IS NOT (" + value + ")");
            if (changed == 1) CHECK_FALSE(verifies(chain(server, owner), last));
            // Only where the new value is the old one, is there nothing to see.
            if (changed == 0) CHECK((column == "actor" || column == "prev" || column == "hash"));
            database.change("DELETE FROM ledger WHERE seq IN (" + seq + ", " + seq + " + 1000, -" +
                            seq + ")");
            database.change("INSERT INTO ledger SELECT * FROM kept");
            database.change("DROP TABLE kept");
        }
    }
    REQUIRE(verifies(chain(server, owner), last));

    // An event that is taken out, put in, or put elsewhere.
    const std::string middle = std::to_string(events.size() / 2);
    const auto broken_by = [&](const std::vector<std::string>& steps) {
        database.change("CREATE TEMP TABLE kept AS SELECT * FROM ledger");
        for (const std::string& step : steps) database.change(step);
        const bool broken = !verifies(chain(server, owner), last);
        database.change("DELETE FROM ledger");
        database.change("INSERT INTO ledger SELECT * FROM kept");
        database.change("DROP TABLE kept");
        return broken;
    };
    CHECK(broken_by({"DELETE FROM ledger WHERE seq = " + middle}));
    CHECK(broken_by({"DELETE FROM ledger WHERE seq = 1"}));
    CHECK(broken_by({"DELETE FROM ledger WHERE hash = '" + last.hash + "'"}));
    CHECK(broken_by({"DELETE FROM ledger WHERE seq = " + middle,
                     "UPDATE ledger SET seq = -(seq - 1) WHERE seq > " + middle,
                     "UPDATE ledger SET seq = -seq WHERE seq < 0"}));
    CHECK(broken_by({"UPDATE ledger SET seq = -2 WHERE seq = 1",
                     "UPDATE ledger SET seq = 1 WHERE "
                     "seq = 2",
                     "UPDATE ledger SET seq = 2 WHERE seq = -2"}));
    CHECK(
        broken_by({"INSERT INTO ledger (owner_id, seq, at, actor, action, tenant_id, request_id, "
                   "detail, prev, hash) SELECT owner_id, (SELECT max(seq) + 1 FROM ledger), at, "
                   "actor, action, tenant_id, request_id, detail, prev, hash FROM ledger WHERE "
                   "seq = 1"}));
    CHECK(verifies(chain(server, owner), last));
}

TEST_CASE("each owner has a chain of its own, and an agent has none to read") {
    const Server server;
    live(server);
    const Json made = server.post("/owners", server.owner_key(), {{"name", "other"}}).json();
    const std::string other = made["api_key"];
    const Json tenant = server.post("/tenants", other, {{"name", "theirs"}}).json();
    const std::string agent = tenant["api_key"];
    const std::string id = server.submit(agent, "0").id;
    for (const std::string& owner : {server.owner_key(), other}) {
        const auto events = chain(server, owner, 2);
        CHECK_FALSE(ledger::first_break(events).has_value());
        for (std::size_t i = 0; i < events.size(); ++i)
            CHECK(events[i].seq == static_cast<std::int64_t>(i + 1));
    }
    const std::string path = "/audit?tenant=" + tenant["tenant_id"].get<std::string>();
    CHECK(server.get(path, other).json()["events"].size() >= 2);
    CHECK(server.get(path, server.owner_key()).body ==
          server.get("/audit?tenant=tenant_0000000000000000", server.owner_key()).body);
    CHECK(server.get("/audit?request=" + id, server.owner_key()).json()["events"].empty());
    CHECK(server.get("/audit?request=" + id, other).json()["events"].size() == 1);
    const Reply refused = server.get("/audit", agent);
    CHECK(refused.status == 403);
    CHECK(refused.text("code") == "owner_required");
    CHECK(server.get("/audit").status == 401);
}
