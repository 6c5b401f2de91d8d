// Kills, restarts, and a database that somebody else has changed.

#include "e2e/database.h"
#include "e2e/harness.h"
#include "e2e/socket.h"
#include "support/catch.h"

#include <signal.h>

#include <atomic>
#include <future>
#include <random>
#include <thread>

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

/// One run that executes and one that is approved and waits behind it, on a server with
/// --parallel 1.
struct Queue {
    Submitted running;
    Submitted queued;
};

Queue fill_queue(const Server& server, const std::string& key,
                 const std::string& code = "console.log('queued')\n", Json more = {}) {
    Queue out;
    out.running = server.submit(key, kEndless);
    REQUIRE(server.decide(out.running.id, "approve").status == 200);
    server.wait_running();
    out.queued = server.submit(key, code, std::move(more));
    REQUIRE(server.decide(out.queued.id, "approve").status == 200);
    REQUIRE(server.state(out.queued.id) == "approved");
    return out;
}

void release(const Server& server, const std::string& key, const Queue& queue) {
    REQUIRE(server.post("/execute/" + queue.running.id + "/cancel", key, Json::object()).status ==
            200);
}

}  // namespace

TEST_CASE("conformance 15: kill -9 during a run, and a restart on the same folder") {
    Server server({"--parallel", "1"});
    const std::string key = server.sign_up();
    const Submitted pending = server.submit(key, "console.log('asked')\n");
    const Submitted scope = server.submit_scope(key, {{"description", "d"}});
    const Queue queue = fill_queue(server, key);
    // Two clients wait while the server dies; the second is the command line tool.
    const auto waiting = server.cli({"poll", queue.queued.id}, {{"OAUTH3_API_KEY", key}});
    auto held = std::async(std::launch::async, [url = server.url(), &queue, key] {
        return http(url, {.path = "/execute/" + queue.queued.id + "/status?wait=true", .key = key});
    });
    server.get("/execute/" + queue.queued.id + "/status?wait=true&timeout=300", key);

    const Family family(server.process().pid());
    REQUIRE(family.programs() >= 1);
    server.kill9();
    CHECK(family.all_gone());
    CHECK(held.get().status != 500);

    server.start(true);
    const Json cut = server.poll(key, queue.running.id);
    CHECK(cut["status"] == "failed");
    CHECK(cut["error"] == "server restarted during execution");
    CHECK_FALSE(cut.contains("result"));
    const Json done = server.poll(key, queue.queued.id);
    CHECK(done["status"] == "completed");
    CHECK(done["result"]["stdout"] == "queued");
    const Ended polled = waiting->wait();
    INFO(polled.out << polled.err);
    CHECK(polled.exit_code == 0);
    CHECK(base::parse_json(polled.out)["result"]["stdout"] == "queued");

    CHECK(server.state(pending.id) == "pending");
    CHECK(server.state(scope.id) == "pending");
    CHECK(server.decide(pending.id, "approve").status == 200);
    CHECK(server.poll(key, pending.id)["result"]["stdout"] == "asked");
    CHECK(server.decide(scope.id, "approve").status == 200);
    CHECK(server.poll(key, scope.id)["session_id"] == scope.session);
    // The link from before the crash still opens its page.
    CHECK(server.get("/approve/" + pending.id + "?token=" + pending.token).status == 200);

    Database database(server.data());
    for (const std::string& id : {queue.running.id, queue.queued.id, pending.id}) {
        CHECK(database.count("request.created", id) == 1);
        CHECK(database.count("request.decided", id) == 1);
        CHECK(database.count("request.started", id) == 1);
        CHECK(database.count("request.finished", id) == 1);
    }
    CHECK(ledger::first_break(database.events()) == std::nullopt);
}

TEST_CASE("kill -9 again and again while agents submit and the human decides") {
    Server server({"--parallel", "2", "--max-pending", "1000"});
    const std::string key = server.sign_up();
    std::mt19937 random(15);
    std::vector<std::string> answered;  // ids that a 200 has told
    std::vector<std::string> approved;  // ids whose approval was answered with 200
    for (int round = 0; round < 6; ++round) {
        std::atomic<bool> over{false};
        std::atomic<int> steps{0};
        std::mutex mutex;
        const std::string url = server.url();
        const std::string owner = server.owner_key();
        std::vector<std::thread> agents;
        for (int i = 0; i < 3; ++i)
            agents.emplace_back([&] {
                while (!over) {
                    const Reply made = http(
                        url, {.method = "POST",
                              .path = "/execute",
                              .key = key,
                              .body = R"json({"skill_id":"k","skill_code":"console.log(7)"})json"});
                    if (made.status != 200) continue;
                    const std::string id = made.text("request_id");
                    const Reply decided = http(url, {.method = "POST",
                                                     .path = "/requests/" + id + "/decision",
                                                     .key = owner,
                                                     .body = R"({"action":"approve"})"});
                    const std::lock_guard lock(mutex);
                    answered.push_back(id);
                    if (decided.status == 200) approved.push_back(id);
                    ++steps;
                }
            });
        const int until = std::uniform_int_distribution<int>(1, 25)(random);
        while (steps < until) std::this_thread::yield();
        server.kill9();
        over = true;
        for (std::thread& agent : agents) agent.join();
        server.start();
        {
            Database database(server.data());
            INFO("round " << round);
            CHECK(ledger::first_break(database.events()) == std::nullopt);
        }
    }
    REQUIRE(approved.size() > 6);
    // Durable: whatever was answered is there, and what was approved comes to an end.
    for (const std::string& id : answered) REQUIRE(server.state(id) != "");
    int completed = 0;
    for (const std::string& id : approved) {
        const Json end = server.poll(key, id);
        INFO(end.dump());
        if (end["status"] == "completed") {
            ++completed;
            CHECK(end["result"]["stdout"] == "7");
        } else {
            CHECK(end["status"] == "failed");
            CHECK(end["error"] == "server restarted during execution");
        }
    }
    CHECK(completed > 0);
    // Each was decided, started and finished at most once.
    Database database(server.data());
    CHECK(database.number("SELECT count(*) FROM (SELECT request_id FROM ledger WHERE request_id IS "
                          "NOT NULL GROUP BY request_id, action HAVING count(*) > 1)") == 0);
    CHECK(database.number("SELECT count(*) FROM results r LEFT JOIN ledger l ON l.request_id = "
                          "r.request_id AND l.action = 'request.finished' WHERE l.seq IS NULL") ==
          0);
    CHECK(ledger::first_break(database.events()) == std::nullopt);
}

TEST_CASE("SIGTERM during a run: it fails with the reason, and nothing is left behind") {
    Server server({"--parallel", "1"});
    const std::string key = server.sign_up();
    const Queue queue = fill_queue(server, key);
    const Submitted pending = server.submit(key, "console.log('asked')\n");
    const Family family(server.process().pid());
    REQUIRE(family.programs() >= 1);
    const Ended ended = server.stop();
    INFO(ended.err);
    CHECK(ended.exit_code == 0);
    CHECK(family.all_gone());

    server.start();
    const Json cut = server.poll(key, queue.running.id);
    CHECK(cut["status"] == "failed");
    CHECK(cut["error"] == "server stopped during execution");
    CHECK(server.poll(key, queue.queued.id)["result"]["stdout"] == "queued");
    CHECK(server.state(pending.id) == "pending");
    Database database(server.data());
    CHECK(database.count("request.started", queue.running.id) == 1);
    CHECK(database.count("request.started", queue.queued.id) == 1);
    CHECK(ledger::first_break(database.events()) == std::nullopt);
}

TEST_CASE("what is queued when the server begins to stop is not started any more") {
    Server server({"--parallel", "1"});
    const std::string key = server.sign_up();
    const Submitted running =
        server.submit(key, "await new Promise((done) => setTimeout(done, 2000));\n");
    const Submitted queued = server.submit(key, "console.log('queued')\n");
    server.decide(running.id, "approve");
    server.wait_running();
    server.decide(queued.id, "approve");
    // A request under way: the server waits for it, some seconds.
    Socket slow(server.url());
    slow.send("GET /health HTTP/1.1\r\n");
    server.stop();
    {
        Database database(server.data());
        CHECK(database.count("request.started", queued.id) == 0);
        CHECK(database.count("request.finished", running.id) == 1);
    }
    server.start();
    CHECK(server.poll(key, running.id)["status"] == "completed");
    CHECK(server.poll(key, queued.id)["result"]["stdout"] == "queued");
}

TEST_CASE("what was changed between the approval and the run does not run") {
    struct Change {
        const char* name;
        const char* sql;  ///< "?" is the request's id
    };
    const Change changes[] = {
        {"args", R"(UPDATE requests SET args = '{"WHO":"evil"}' WHERE id = ?)"},
        {"an arg more", R"(UPDATE requests SET args = '{"WHO":"good","MORE":"1"}' WHERE id = ?)"},
        {"timeout", "UPDATE requests SET timeout = 3600 WHERE id = ?"},
        {"secrets", R"(UPDATE requests SET secrets = '["GH_TOKEN"]' WHERE id = ?)"},
        {"networks", R"(UPDATE requests SET networks = '["evil.example"]' WHERE id = ?)"},
        {"grant", "UPDATE requests SET grant_digest = hex(zeroblob(32)) WHERE id = ?"},
        {"no grant", "UPDATE requests SET grant_digest = NULL WHERE id = ?"},
        {"code",
         "UPDATE programs SET code = CAST('console.log(\"evil\")' AS BLOB) WHERE hash = "
         "(SELECT code_hash FROM requests WHERE id = ?)"},
        {"other stored code",
         "UPDATE requests SET code_hash = (SELECT hash FROM programs WHERE code LIKE '%other%') "
         "WHERE id = ?"},
    };
    Server server({"--parallel", "1"});
    const std::string key = server.sign_up();
    server.submit(key, "console.log('other evil')\n");
    Database database(server.data());
    int number = 0;
    for (const Change& change : changes) {
        // Each its own code: programs are shared by their hash.
        const std::string code =
            "console.log('ran', Deno.env.get('WHO')) // " + std::to_string(++number) + "\n";
        const Queue queue = fill_queue(server, key, code, {{"args", {{"WHO", "good"}}}});
        REQUIRE(database.change(change.sql, {queue.queued.id}) == 1);
        // Half of them are found by a server that starts afresh.
        const bool restart = number % 2 == 0;
        if (restart) {
            server.kill9();
            server.start();
        } else {
            release(server, key, queue);
        }
        const Json end = server.poll(key, queue.queued.id);
        INFO(change.name << (restart ? " and a restart: " : ": ") << end.dump());
        CHECK(end["status"] == "failed");
        CHECK(end["error"].get<std::string>().rfind("approved grant no longer matches", 0) == 0);
        CHECK_FALSE(end.contains("result"));
        CHECK(database.count("request.started", queue.queued.id) == 0);
    }
    CHECK(ledger::first_break(database.events()) == std::nullopt);
}

TEST_CASE("a request whose code vanished from the store ends, and others go on") {
    Server server({"--parallel", "1"});
    const std::string key = server.sign_up();
    const Queue queue = fill_queue(server, key, "console.log('gone')\n");
    const Submitted next = server.submit(key, "console.log('next')\n");
    REQUIRE(server.decide(next.id, "approve").status == 200);
    Database database(server.data());
    database.change("PRAGMA foreign_keys = OFF");
    REQUIRE(database.change("DELETE FROM programs WHERE hash = (SELECT code_hash FROM requests "
                            "WHERE id = ?)",
                            {queue.queued.id}) == 1);
    release(server, key, queue);
    CHECK(server.poll(key, next.id)["result"]["stdout"] == "next");
    CHECK(server.poll(key, queue.queued.id)["status"] == "failed");
}

TEST_CASE("a status that was written into the database is no approval") {
    Server server;
    const std::string key = server.sign_up();
    const Submitted made = server.submit(key, "console.log('never')\n");
    REQUIRE(Database(server.data())
                .change("UPDATE requests SET status = 'approved' WHERE id = ?", {made.id}) == 1);
    server.kill9();
    server.start();
    const Json end = server.poll(key, made.id);
    CHECK(end["status"] == "failed");
    CHECK(end["error"] == "approved grant no longer matches: it was not stored");
}

TEST_CASE("code that was changed while a request was pending is not approved by the tool") {
    const Server server;
    const std::string key = server.sign_up();
    const Submitted made = server.submit(key, "console.log('good')\n");
    REQUIRE(Database(server.data())
                .change("UPDATE programs SET code = CAST('console.log(\"evil\")' AS BLOB)") == 1);
    const Ended refused = server
                              .cli({"approve", made.id, "--yes", "--owner-key-file",
                                    server.owner_key_file().string()})
                              ->wait();
    CHECK(refused.exit_code == 1);
    CHECK(server.state(made.id) == "pending");
    // Approved by other means, it still does not run.
    REQUIRE(server.decide(made.id, "approve").status == 200);
    CHECK(server.poll(key, made.id)["error"] ==
          "approved grant no longer matches: the code differs");
}

TEST_CASE("conformance 40: the chain verifies, and one changed event breaks it") {
    Server server;
    const std::string key = server.sign_up();
    REQUIRE(server.run(key, "console.log(1)\n")["status"] == "completed");
    const Submitted denied = server.submit(key, "0");
    REQUIRE(server.decide(denied.id, "deny", {{"reason", "no"}}).status == 200);
    REQUIRE(server.stop().exit_code == 0);
    Database database(server.data());
    const auto events = database.events();
    REQUIRE(events.size() >= 7);
    REQUIRE(ledger::first_break(events) == std::nullopt);
    const char* const changes[] = {
        "UPDATE ledger SET detail = replace(detail, 'deny', 'approve') WHERE seq = ?",
        "UPDATE ledger SET actor = 'server' WHERE seq = ?",
        "UPDATE ledger SET at = at + 1 WHERE seq = ?",
        "UPDATE ledger SET request_id = NULL WHERE seq = ?",
        "UPDATE ledger SET hash = prev WHERE seq = ?",
        "DELETE FROM ledger WHERE seq = ?",
    };
    const auto seq = static_cast<std::int64_t>(events.size()) - 1;
    // The one before the last is the creation of the denied request; the last its decision.
    for (const char* sql : changes) {
        const std::int64_t which =
            std::string(sql).find("deny") != std::string::npos ? seq + 1 : seq;
        INFO(sql);
        database.change("SAVEPOINT s");
        CHECK(database.change(sql, {std::to_string(which)}) == 1);
        const auto broken = ledger::first_break(database.events());
        REQUIRE(broken.has_value());
        CHECK(*broken >= which);
        CHECK(*broken <= which + 1);
        database.change("ROLLBACK TO s");
        database.change("RELEASE s");
    }
    CHECK(ledger::first_break(database.events()) == std::nullopt);
}
