// Clients that leave while they wait, in every way in which one can leave.

#include "e2e/harness.h"
#include "e2e/socket.h"
#include "support/catch.h"

#include <chrono>
#include <stdexcept>

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

/// A number from the server's metrics.
long metric(const Server& server, const std::string& name) {
    const std::string text = "\n" + server.get("/metrics", server.owner_key()).body;
    const std::string line = "\noauth3_" + name + " ";
    const std::size_t at = text.find(line);
    if (at == std::string::npos) throw std::runtime_error("no " + name + " in " + text);
    return std::stol(text.substr(at + line.size()));
}

/// Asks until the metric has this value.
void wait_for(const Server& server, const std::string& name, long value) {
    const auto end = std::chrono::steady_clock::now() + kWatchdog;
    for (long now = -1; now != value;) {
        now = metric(server, name);
        INFO(name << " is " << now << " and not " << value);
        REQUIRE(std::chrono::steady_clock::now() < end);
    }
}

}  // namespace

TEST_CASE("conformance 14: 1,000 dropped polls leave no waiter and no connection") {
    const Server server;
    const std::string key = server.sign_up();
    const Submitted pending = server.submit(key, "console.log('alive')\n");
    const Submitted running = server.submit(key, kEndless);
    REQUIRE(server.decide(running.id, "approve").status == 200);
    server.wait_running();
    const auto poll = [&](const std::string& id, const std::string& more) {
        return "GET /execute/" + id + "/status?wait=true" + more +
               " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + key + "\r\n\r\n";
    };
    REQUIRE(metric(server, "http_waiting") == 0);
    constexpr long kBatch = 250;
    for (int way = 0; way < 4; ++way) {
        std::vector<Socket> sockets;
        for (long i = 0; i < kBatch; ++i) {
            const std::string id = i % 2 == 0 ? pending.id : running.id;
            Socket& socket = sockets.emplace_back(server.url());
            std::string bytes = poll(id, i % 3 == 0 ? "&until=final" : "");
            // With more on the line behind it: a whole request, or the start of one.
            if (way == 1) bytes += poll(id, "");
            if (way == 2) bytes += "POST /execute HTT";
            REQUIRE(socket.send(bytes));
        }
        wait_for(server, "http_waiting", kBatch);
        if (way == 3) {
            // One client goes on waiting, and must not be mistaken for one that left.
            sockets.erase(sockets.begin() + 1, sockets.end());
            wait_for(server, "http_waiting", 1);
        }
        sockets.clear();
        wait_for(server, "http_waiting", 0);
        // The connection that asks is one itself.
        wait_for(server, "http_connections", 1);
    }
    REQUIRE(server.decide(pending.id, "approve").status == 200);
    CHECK(server.poll(key, pending.id)["result"]["stdout"] == "alive");
    CHECK(server.state(running.id) == "executing");
}
