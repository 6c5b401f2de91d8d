// Waiting: expiry, held polls, dropped polls (wire 5.4, 5.5).

#include "e2e/database.h"
#include "e2e/harness.h"
#include "e2e/socket.h"
#include "support/catch.h"

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <future>
#include <sstream>

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// A poll in a thread of its own.
std::future<Reply> poll_in_background(const Server& server, const std::string& id,
                                      const std::string& key, const std::string& query = "") {
    return std::async(std::launch::async, [&server, id, key, query] {
        return server.get("/execute/" + id + "/status?wait=true" + query, key);
    });
}

/// How many connections the server holds, dropped ones that it has not closed yet included. From
/// the kernel's table, which shows them for a process that nobody may look into, too.
std::size_t connections(const Server& server) {
    const unsigned long port = std::stoul(server.url().substr(server.url().rfind(':') + 1));
    const std::string local = fmt::format("0100007F:{:04X}", port);
    std::ifstream table("/proc/net/tcp");
    std::size_t count = 0;
    std::string line;
    while (std::getline(table, line)) {
        std::istringstream words(line);
        std::string slot;
        std::string here;
        std::string there;
        std::string state;
        words >> slot >> here >> there >> state;
        const bool open = state == "01" || state == "08";  // ESTABLISHED, CLOSE_WAIT
        if (here == local && open) ++count;
    }
    return count;
}

}  // namespace

TEST_CASE("conformance 12: after its time a request is denied, and approving changes nothing") {
    const Server server({"--approval-ttl", "1"});
    const std::string key = server.sign_up();
    const Submitted run = server.submit(key, "console.log('late')\n");
    const Submitted scope = server.submit_scope(key, {{"description", "late"}});
    for (const Submitted* made : {&run, &scope}) {
        const Json end = server.poll(key, made->id);
        CHECK(end["status"] == "denied");
        CHECK(end["state"] == "expired");
        CHECK(end["error"] == "approval expired");
        const Reply late = server.decide(made->id, "approve");
        CHECK(late.status == 409);
        CHECK(late.text("code") == "already_decided");
        CHECK(late.text("status") == "denied");
        const Reply page =
            server.post("/approve/" + made->id, server.owner_key(), {{"action", "approve"}});
        CHECK(page.status == 200);
        CHECK(page.text("message") == "Already processed");
        CHECK(server.state(made->id) == "expired");
    }
    // The session of the scope never came to be.
    CHECK(server.submit(key, "0", {{"session_id", scope.session}}).reply["status"] == "pending");
    CHECK(Database(server.data()).count("request.started", run.id) == 0);
}

TEST_CASE("conformance 13: a held poll is answered at the end, and not on approved") {
    const Server server;
    const std::string key = server.sign_up();
    const Submitted runs = server.submit(
        key, "await new Promise((done) => setTimeout(done, 700)); console.log('ran')\n");
    const Submitted fails = server.submit(key, "Deno.exit(1)\n");
    const Submitted denied = server.submit(key, "0\n");
    const Submitted cancelled = server.submit(key, "0\n");
    const Submitted scope = server.submit_scope(key, {{"description", "d"}});
    struct Waiting {
        const Submitted* made;
        const char* status;
        std::future<Reply> reply;
    };
    std::vector<Waiting> polls;
    const auto wait_for = [&](const Submitted& made, const char* status) {
        polls.push_back(Waiting{&made, status, poll_in_background(server, made.id, key)});
    };
    wait_for(runs, "completed");
    wait_for(fails, "failed");
    wait_for(denied, "denied");
    wait_for(cancelled, "denied");
    wait_for(scope, "completed");
    server.get("/execute/" + runs.id + "/status?wait=true&timeout=300", key);
    for (const Waiting& poll : polls)
        CHECK(poll.reply.wait_for(milliseconds(0)) == std::future_status::timeout);

    for (const Submitted* made : {&runs, &fails, &scope})
        CHECK(server.decide(made->id, "approve").status == 200);
    CHECK(server.decide(denied.id, "deny").status == 200);
    CHECK(server.post("/execute/" + cancelled.id + "/cancel", key, Json::object()).status == 200);
    for (Waiting& poll : polls) {
        // Far less than the 50 s after which it would answer by itself.
        REQUIRE(poll.reply.wait_for(std::chrono::seconds(30)) == std::future_status::ready);
        const Reply reply = poll.reply.get();
        INFO(reply.body);
        CHECK(reply.status == 200);
        CHECK(reply.text("status") == poll.status);
    }
}

TEST_CASE("conformance 13: a poll without a change is held for its time") {
    const Server server({"--poll-hold", "2"});
    const std::string key = server.sign_up();
    const Submitted made = server.submit(key, "0\n");
    const auto held = [&](const std::string& query) {
        const auto begin = Clock::now();
        const Reply reply = server.get("/execute/" + made.id + "/status" + query, key);
        const auto took = Clock::now() - begin;
        INFO(query << ": " << reply.body);
        CHECK(reply.status == 200);
        CHECK(reply.text("status") == "pending");
        return std::chrono::duration_cast<milliseconds>(took).count();
    };
    CHECK(held("?wait=true") >= 1900);
    CHECK(held("?wait=1") >= 1900);
    CHECK(held("?wait=true?x=1") >= 1900);
    CHECK(held("?wait=true&timeout=500") >= 450);
    CHECK(held("?wait=true&timeout=banana") >= 1900);
    CHECK(held("?wait=true&timeout=-1") >= 1900);
    CHECK(held("?wait=true&timeout=999999999999999999999") >= 1900);
    CHECK(held("?wait=true&timeout=600000") >= 1900);
    CHECK(held("?wait=true&until=final&timeout=500") >= 450);

    // Not held at all: with the longest hold, an answer within the watchdog proves it.
    const Server patient;
    const std::string other = patient.sign_up();
    const std::string id = patient.submit(other, "0\n").id;
    for (const char* query :
         {"", "?wait=0", "?wait=false", "?wait=", "?timeout=60000", "?wait=true&timeout=0"})
        CHECK(patient
                  .call({.path = "/execute/" + id + "/status" + query,
                         .key = other,
                         .timeout_ms = 30'000})
                  .text("status") == "pending");
}

TEST_CASE("conformance 14: dropped polls leave nothing behind") {
    const Server server;
    const std::string key = server.sign_up();
    const Submitted made = server.submit(key, "console.log('alive')\n");
    const std::string request = "GET /execute/" + made.id +
                                "/status?wait=true HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                                "Authorization: Bearer " +
                                key + "\r\n\r\n";
    constexpr std::size_t kBatch = 200;
    const auto wait_for = [&](const std::function<bool(std::size_t)>& enough) {
        const auto end = Clock::now() + kWatchdog;
        while (!enough(connections(server))) {
            REQUIRE(Clock::now() < end);
            server.get("/execute/" + made.id + "/status?wait=true&timeout=10", key);
        }
    };
    for (int batch = 0; batch < 5; ++batch) {
        std::vector<Socket> sockets;
        for (std::size_t i = 0; i < kBatch; ++i) {
            sockets.emplace_back(server.url());
            CHECK(sockets.back().send(request));
        }
        // Answered by a request that came after them: all of them wait now.
        server.get("/execute/" + made.id + "/status?wait=true&timeout=100", key);
        CHECK(connections(server) >= kBatch);
        sockets.clear();
        wait_for([](std::size_t open) { return open == 0; });
    }
    REQUIRE(server.decide(made.id, "approve").status == 200);
    CHECK(server.poll(key, made.id)["result"]["stdout"] == "alive");
}

TEST_CASE("conformance 14: SIGTERM answers held polls with 200") {
    Server server;
    const std::string key = server.sign_up();
    const Submitted pending = server.submit(key, "0\n");
    const Submitted running = server.submit(key, kEndless);
    REQUIRE(server.decide(running.id, "approve").status == 200);
    server.wait_running();
    std::vector<std::future<Reply>> polls;
    for (int i = 0; i < 4; ++i) {
        polls.push_back(poll_in_background(server, pending.id, key));
        polls.push_back(poll_in_background(server, running.id, key));
    }
    const auto end = Clock::now() + kWatchdog;
    while (connections(server) < polls.size() && Clock::now() < end)
        server.get("/execute/" + pending.id + "/status?wait=true&timeout=20", key);
    server.get("/execute/" + pending.id + "/status?wait=true&timeout=300", key);
    CHECK(server.stop().exit_code == 0);
    for (std::future<Reply>& poll : polls) {
        const Reply reply = poll.get();
        INFO(reply.status << " " << reply.body << reply.problem);
        CHECK(reply.status == 200);
        CHECK(reply.text("status") != "");
    }
}
