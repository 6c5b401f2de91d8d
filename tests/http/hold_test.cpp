#include "base/log.h"
#include "http/server_support.h"
#include "support/catch.h"

#include <csignal>

using namespace oauth3;
using test::Client;
using test::TestServer;

namespace {

std::string poll(const std::string& key, const std::string& more = "") {
    return "GET /hold?key=" + key + more + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

const std::string kEcho = "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n";

bool waiting(const TestServer& server, std::size_t count) {
    return TestServer::eventually([&] { return server.server->waiting() == count; });
}

}  // namespace

TEST_CASE("a held reply is woken by its key and by no other") {
    TestServer server;
    Client client(server.port());
    client.send(poll("a"));
    REQUIRE(waiting(server, 1));
    server.let("b");
    server.on_loop([] {});
    CHECK(server.attempts == 1);
    // A wake without anything to say leaves it waiting.
    server.server->wake("a");
    CHECK(TestServer::eventually([&] { return server.attempts == 2; }));
    CHECK(server.server->waiting() == 1);
    server.let("a");
    CHECK(client.read()->body == "woken a");
    CHECK(server.server->waiting() == 0);
    CHECK(server.alive == 0);
    // The connection goes on.
    CHECK(client.ask(kEcho).status == 200);
    CHECK(client.ask(poll("a")).body == "woken a");
}

TEST_CASE("500 waiters are woken by one wake") {
    TestServer server;
    std::vector<Client> clients;
    for (int i = 0; i < 500; ++i) clients.emplace_back(server.port()).send(poll("all"));
    REQUIRE(waiting(server, 500));
    server.let("all");
    for (auto& client : clients) REQUIRE(client.read()->body == "woken all");
    CHECK(server.server->waiting() == 0);
    CHECK(server.alive == 0);
}

TEST_CASE("a hold ends at its limit, with the last answer") {
    TestServer server;
    Client client(server.port());
    CHECK(client.ask(poll("a", "&limit=20")).body == "last a");
    CHECK(client.ask(poll("a", "&limit=0")).body == "last a");
    CHECK(client.ask(poll("a", "&limit=-5")).body == "last a");
    // A long limit behind a short one, and the other way round: the timer is moved rightly.
    client.send(poll("b"));
    REQUIRE(waiting(server, 1));
    server.let("b");
    CHECK(client.read()->body == "woken b");
    CHECK(client.ask(poll("c", "&limit=20")).body == "last c");
}

TEST_CASE("1000 dropped polls free their waiters") {
    TestServer server;
    std::vector<Client> clients;
    for (int i = 0; i < 1000; ++i) clients.emplace_back(server.port()).send(poll("k"));
    REQUIRE(waiting(server, 1000));
    for (std::size_t i = 0; i < clients.size(); ++i) {
        // Some end well, some half-close, some reset.
        if (i % 3 == 0) clients[i].shutdown_send();
        if (i % 3 == 1) {
            const linger hard{1, 0};
            ::setsockopt(clients[i].fd(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        }
        if (i % 3 != 0) clients[i].close();
    }
    CHECK(waiting(server, 0));
    CHECK(TestServer::eventually([&] { return server.alive == 0; }));
    CHECK(TestServer::eventually([&] { return server.server->connections() == 0; }));
    // None was asked again.
    CHECK(server.attempts == 1000);
    server.let("k");
    Client again(server.port());
    CHECK(again.ask(poll("k")).body == "woken k");
}

TEST_CASE("what is pipelined behind a held reply waits for it") {
    TestServer server;
    Client client(server.port());
    SECTION("sent at once") {
        client.send(poll("a") + kEcho + poll("b") + kEcho);
        REQUIRE(waiting(server, 1));
    }
    SECTION("sent while it waits") {
        client.send(poll("a"));
        REQUIRE(waiting(server, 1));
        for (const char c : kEcho + poll("b") + kEcho) client.send(std::string_view(&c, 1));
        server.on_loop([] {});
    }
    CHECK(server.handled == 1);
    server.let("b");
    server.let("a");
    CHECK(client.read()->body == "woken a");
    CHECK(client.read()->header("X-Method") == "GET");
    CHECK(client.read()->body == "woken b");
    CHECK(client.read()->status == 200);
}

TEST_CASE("who closes behind pipelined bytes is seen too") {
    TestServer server;
    Client client(server.port());
    client.send(poll("a") + kEcho);
    REQUIRE(waiting(server, 1));
    client.close();
    CHECK(waiting(server, 0));
    CHECK(server.alive == 0);
}

TEST_CASE("a flood behind a held reply ends the hold and loses nothing") {
    TestServer server;
    Client client(server.port());
    std::string flood;
    for (int i = 0; i < 2000; ++i) flood += kEcho;
    client.send(poll("a"));
    REQUIRE(waiting(server, 1));
    client.send(flood);
    CHECK(client.read()->body == "last a");
    for (int i = 0; i < 2000; ++i) REQUIRE(client.read()->status == 200);
}

TEST_CASE("a hold that throws or has no last answer is an internal failure") {
    base::set_log_level(base::LogLevel::error);
    TestServer server({}, [](http::Request& request) -> http::Reply {
        const std::string path = request.path;
        return http::Hold{"k", base::Millis(path == "/mute" ? 10 : 600'000),
                          [path](bool) -> std::optional<http::Response> {
                              if (path == "/throw") throw std::runtime_error("inner");
                              return std::nullopt;
                          }};
    });
    Client client(server.port());
    CHECK(client.ask("GET /throw HTTP/1.1\r\nHost: h\r\n\r\n").status == 500);
    CHECK(client.ask("GET /mute HTTP/1.1\r\nHost: h\r\n\r\n").status == 500);
    CHECK(client.ask(kEcho).status == 200);
    CHECK(server.server->waiting() == 0);
}

TEST_CASE("an attempt may wake others") {
    std::unique_ptr<TestServer> server;
    std::atomic<bool> go{false};
    std::atomic<bool> second{false};
    server =
        std::make_unique<TestServer>(http::Options{}, [&](http::Request& request) -> http::Reply {
            const bool first = request.path == "/first";
            return http::Hold{first ? "first" : "second", base::Millis(600'000),
                              [&, first](bool last) -> std::optional<http::Response> {
                                  if (first && go) {
                                      second = true;
                                      server->server->wake("second");
                                      server->server->wake("first");
                                  }
                                  if (last || (first ? go : second)) return http::Response();
                                  return std::nullopt;
                              }};
        });
    Client a(server->port());
    Client b(server->port());
    a.send("GET /first HTTP/1.1\r\nHost: h\r\n\r\n");
    b.send("GET /second HTTP/1.1\r\nHost: h\r\n\r\n");
    REQUIRE(waiting(*server, 2));
    go = true;
    server->server->wake("first");
    CHECK(a.read());
    CHECK(b.read());
}

TEST_CASE("no wake is lost, whichever thread it comes from") {
    TestServer server;
    std::vector<std::thread> threads;
    std::atomic<int> answered{0};
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            Client client(server.port());
            for (int i = 0; i < 100; ++i) {
                const std::string key = std::to_string(t) + "-" + std::to_string(i);
                // The change comes before, during or after the poll.
                if (i % 3 == 0) server.let(key);
                client.send(poll(key));
                if (i % 3 != 0) server.let(key);
                if (client.read()->body == "woken " + key) ++answered;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(answered == 400);
}

TEST_CASE("stopping answers every hold, and finishes what is under way") {
    TestServer server;
    std::vector<Client> polls;
    for (int i = 0; i < 300; ++i) polls.emplace_back(server.port()).send(poll("k"));
    Client idle(server.port());
    CHECK(idle.ask(kEcho).status == 200);
    Client half(server.port());
    half.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na");
    Client late(server.port());
    late.send("GET /hold?key=late HTT");
    REQUIRE(waiting(server, 300));
    std::atomic<bool> hooked{false};
    std::size_t waiting_then = 0;
    server.on_loop([&] {
        server.server->on_stop([&] {
            waiting_then = server.server->waiting();
            hooked = true;
        });
    });
    server.server->stop();
    server.server->stop();
    for (auto& client : polls) {
        const auto reply = client.read();
        REQUIRE(reply);
        CHECK(reply->body == "last k");
        CHECK(reply->header("Connection") == "close");
        REQUIRE(client.is_closed());
        client.close();
    }
    CHECK(hooked);
    CHECK(waiting_then == 300);
    CHECK(idle.is_closed());
    // Requests that had begun still get their answers, a poll too.
    half.send("bc");
    CHECK(half.read()->body == "abc");
    late.send("P/1.1\r\nHost: h\r\n\r\n");
    CHECK(late.read()->body == "last late");
    half.close();
    late.close();
    server.join();
    CHECK(server.server->connections() == 0);
    CHECK(server.server->waiting() == 0);
    CHECK_THROWS(Client(server.port()));
}

TEST_CASE("requests that wait in the kernel's queue when the server stops are answered") {
    TestServer server;
    std::promise<void> release;
    std::promise<void> blocked;
    server.server->post([&] {
        blocked.set_value();
        release.get_future().wait();
    });
    blocked.get_future().wait();
    Client client(server.port());
    client.send(poll("k"));
    Client silent(server.port());
    server.server->stop();
    release.set_value();
    CHECK(client.read()->body == "last k");
    CHECK(silent.is_closed());
    server.join();
}

TEST_CASE("after the grace time unfinished requests get 503") {
    http::Options options;
    options.grace = base::Millis(20);
    TestServer server(options);
    Client half(server.port());
    half.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na");
    Client head(server.port());
    head.send("GET /");
    CHECK(TestServer::eventually([&] { return server.server->connections() == 2; }));
    // Both must have begun to be read.
    Client witness(server.port());
    CHECK(witness.ask(kEcho).status == 200);
    server.server->stop();
    CHECK(half.read()->status == 503);
    CHECK(head.read()->status == 503);
    CHECK(half.is_closed());
    server.join();
}

TEST_CASE("a client that reads nothing cannot hold up the stop") {
    http::Options options;
    options.grace = base::Millis(20);
    TestServer server(options, [](http::Request&) -> http::Reply {
        return http::Response{200, {}, std::string(std::size_t{64} << 20, 'x'), false};
    });
    Client client(server.port());
    client.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(TestServer::eventually([&] { return server.handled == 1; }));
    server.server->stop();
    server.join();
    CHECK(server.server->connections() == 0);
}

TEST_CASE("a server may be stopped before it runs, and destroyed without running") {
    const auto make = [] {
        http::Options options;
        options.listen = {*http::parse_address("127.0.0.1:0")};
        return std::make_unique<http::Server>(
            options, [](http::Request&) { return http::Response(); },
            [](http::Failure, const http::Request&) { return http::Response(); });
    };
    auto server = make();
    server->every(base::Millis(1), [] {});
    server->stop();
    server->run();
    server->post([] { FAIL("ran after the end"); });
    server->wake("k");
    auto unused = make();
    const Client client(unused->local_endpoints().front().port);
    unused->post([] { FAIL("never ran"); });
    unused->every(base::Millis(1), [] {});
    unused.reset();
}

TEST_CASE("work is done on the loop, again and again, and survives exceptions") {
    base::set_log_level(base::LogLevel::error);
    TestServer server;
    std::atomic<int> ticks{0};
    std::thread::id loop;
    server.on_loop([&] {
        loop = std::this_thread::get_id();
        server.server->every(base::Millis(1), [&] {
            if (std::this_thread::get_id() == loop) ++ticks;
            throw std::runtime_error("tick");
        });
    });
    server.server->post([] { throw std::runtime_error("post"); });
    CHECK(TestServer::eventually([&] { return ticks >= 5; }));
    server.server->stop();
    server.join();
}

TEST_CASE("signals stop the server, a second one at once") {
    http::Options options;
    options.handle_signals = true;
    options.grace = base::Millis(600'000);
    TestServer server(options);
    Client poller(server.port());
    poller.send(poll("k"));
    Client half(server.port());
    half.send("GET /ec");
    REQUIRE(waiting(server, 1));
    Client witness(server.port());
    CHECK(witness.ask(kEcho).status == 200);
    REQUIRE(::kill(::getpid(), SIGTERM) == 0);
    CHECK(poller.read()->body == "last k");
    REQUIRE(::kill(::getpid(), SIGINT) == 0);
    CHECK(half.read()->status == 503);
    server.join();
}
