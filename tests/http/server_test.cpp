#include "base/error.h"
#include "base/log.h"
#include "http/server_support.h"
#include "support/catch.h"

#include <sys/resource.h>

#include <algorithm>
#include <ctime>

using namespace oauth3;
using test::Client;
using test::TestServer;

namespace {

std::string get(std::string_view target, std::string_view more = "") {
    return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n" + std::string(more) + "\r\n";
}

std::string post(const std::string& body, std::string_view more = "") {
    return "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n" + std::string(more) + "\r\n" + body;
}

}  // namespace

TEST_CASE("one connection carries many requests") {
    TestServer server;
    Client client(server.port());
    for (int i = 0; i < 20; ++i) {
        const auto reply = client.ask(post("body " + std::to_string(i)));
        CHECK(reply.status == 200);
        CHECK(reply.body == "body " + std::to_string(i));
        CHECK(reply.header("Connection") == "keep-alive");
    }
    CHECK(client.ask(get("/nothing")).status == 404);
    CHECK(server.server->connections() == 1);
    client.close();
    CHECK(TestServer::eventually([&] { return server.server->connections() == 0; }));
}

TEST_CASE("pipelined requests are answered in order") {
    TestServer server;
    Client client(server.port());
    std::string all;
    for (int i = 0; i < 500; ++i) all += post(std::to_string(i));
    client.send(all);
    for (int i = 0; i < 500; ++i) {
        const auto reply = client.read();
        REQUIRE(reply);
        REQUIRE(reply->body == std::to_string(i));
    }
}

TEST_CASE("a request may come byte by byte") {
    TestServer server;
    Client client(server.port());
    for (const std::string& request :
         {post("hello"),
          std::string("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
                      "chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nT: t\r\n\r\n")}) {
        for (const char c : request) client.send(std::string_view(&c, 1));
        const auto reply = client.read();
        REQUIRE(reply);
        CHECK(reply->body == "hello");
    }
}

TEST_CASE("empty lines before a request are forgiven") {
    TestServer server;
    Client client(server.port());
    CHECK(client.ask("\r\n" + get("/echo")).status == 200);
    CHECK(client.ask("\r\n\r\n" + get("/echo")).status == 200);
}

TEST_CASE("the end of the connection is as the client wants it") {
    TestServer server;
    SECTION("1.1 close") {
        Client client(server.port());
        CHECK(client.ask(get("/echo", "Connection: foo, CLOSE\r\n")).header("Connection") ==
              "close");
        CHECK(client.is_closed());
    }
    SECTION("1.0") {
        Client client(server.port());
        CHECK(client.ask("GET /echo HTTP/1.0\r\n\r\n").header("Connection") == "close");
        CHECK(client.is_closed());
    }
    SECTION("1.0 keep-alive") {
        Client client(server.port());
        for (int i = 0; i < 3; ++i) {
            const auto reply = client.ask("GET /echo HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
            CHECK(reply.header("Connection") == "keep-alive");
        }
    }
    SECTION("what is pipelined behind a close is not answered") {
        Client client(server.port());
        client.send(get("/echo", "Connection: close\r\n") + get("/echo") + get("/echo"));
        CHECK(client.read());
        CHECK(client.is_closed());
        CHECK(server.handled == 1);
    }
    SECTION("a half-closed client still gets its reply") {
        Client client(server.port());
        client.send(get("/echo"));
        client.shutdown_send();
        CHECK(client.read());
        CHECK(client.is_closed());
    }
}

TEST_CASE("HEAD is counted but not sent, 204 and 304 have no body") {
    TestServer server({}, [](http::Request& request) -> http::Reply {
        return http::Response{request.path == "/204" ? 204U : 304U, {}, "must not be sent", false};
    });
    Client client(server.port());
    client.send("HEAD /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n12345" + get("/echo"));
    const auto head = client.read(true);
    REQUIRE(head);
    CHECK(head->header("Content-Length") == "5");
    CHECK(client.read()->header("X-Method") == "GET");
    CHECK(client.ask(get("/204")).header("Content-Length") == "(absent)");
    client.send(get("/304") + get("/echo"));
    CHECK(client.read(true)->status == 304);
    CHECK(client.read()->status == 200);
}

TEST_CASE("Expect: 100-continue is answered before the body") {
    TestServer server;
    Client client(server.port());
    client.send(
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    CHECK(client.read()->status == 100);
    CHECK(client.ask("abc").body == "abc");
    SECTION("not if the body would be refused") {
        client.send(
            "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n"
            "Expect: 100-continue\r\n\r\n");
        CHECK(client.read()->status == 413);
        CHECK(client.is_closed());
    }
    SECTION("not if the body is there") {
        CHECK(client.ask(post("xyz", "Expect: 100-continue\r\n")).body == "xyz");
    }
}

TEST_CASE("a body of exactly the limit passes, one byte more does not") {
    http::Options options;
    options.body_limit = 1000;
    TestServer server(options);
    const std::string most(1000, 'x');
    const auto chunked = [](const std::string& body) {
        std::string request =
            "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
        for (std::size_t at = 0; at < body.size(); at += 7) {
            const auto part = body.substr(at, 7);
            request += std::to_string(part.size()) + "\r\n" + part + "\r\n";
        }
        return request + "0\r\n\r\n";
    };
    Client client(server.port());
    CHECK(client.ask(post(most)).body == most);
    CHECK(client.ask(chunked(most)).body == most);
    CHECK(client.ask(chunked(most + "x")).status == 413);
    CHECK(client.is_closed());
    Client second(server.port());
    CHECK(second.ask(post(most + "x")).status == 413);
    CHECK(second.is_closed());
    CHECK(server.handled == 2);
}

TEST_CASE("a client that goes on sending a body too large gets its 413") {
    TestServer server;
    const std::string block(1 << 20, 'x');
    for (int round = 0; round < 5; ++round) {
        Client client(server.port());
        client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 33554432\r\n\r\n");
        for (int i = 0; i < 32; ++i) client.send(block);
        const auto reply = client.read();
        REQUIRE(reply);
        CHECK(reply->status == 413);
        CHECK(reply->header("Connection") == "close");
        CHECK(reply->header("X-Failure") == "yes");
    }
    CHECK(server.handled == 0);
}

TEST_CASE("nobody can send for ever behind a refusal") {
    http::Options options;
    options.body_limit = 10;
    options.linger = base::Millis(600'000);
    TestServer server(options);
    Client client(server.port());
    client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999999\r\n\r\n");
    const std::string block(1 << 20, 'x');
    bool ended = false;
    for (int i = 0; i < 4096 && !ended; ++i) ended = !client.try_send(block);
    CHECK(ended);
}

TEST_CASE("a head too large is refused, also when it never ends") {
    http::Options options;
    options.header_limit = 1024;
    TestServer server(options);
    const std::string fill(1024, 'a');
    for (const auto& request : {get("/echo", "X: " + fill + "\r\n"), get("/" + fill),
                                "GET /" + fill + fill, get("/echo", "X: " + fill)}) {
        Client client(server.port());
        CHECK(client.ask(request).status == 431);
        CHECK(client.is_closed());
    }
    const std::string start = "GET /echo HTTP/1.1\r\nHost: h\r\nX: ";
    Client client(server.port());
    CHECK(client.ask(start + std::string(1024 - start.size() - 4, 'a') + "\r\n\r\n").status == 200);
    CHECK(client.ask(start + std::string(1025 - start.size() - 4, 'a') + "\r\n\r\n").status == 431);
}

TEST_CASE("slow clients are ended: a begun request with 408, a silent one without a word") {
    http::Options options;
    options.request_timeout = base::Millis(50);
    options.keep_alive_timeout = base::Millis(50);
    TestServer server(options);
    SECTION("head") {
        Client client(server.port());
        CHECK(client.ask("GET /echo HTT").status == 408);
        CHECK(client.is_closed());
    }
    SECTION("a byte now and then does not help") {
        Client client(server.port());
        client.send("GET / HTTP/1.1\r\nX: ");
        while (client.try_send("x")) {
            if (!server.failures().empty()) break;
            std::this_thread::yield();
        }
        const auto seen = server.failures();
        REQUIRE(seen.size() == 1);
        CHECK((seen[0] == http::Failure::timeout || seen[0] == http::Failure::header_too_large));
    }
    SECTION("body") {
        Client client(server.port());
        CHECK(client.ask("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc").status ==
              408);
        CHECK(client.is_closed());
    }
    SECTION("nothing at all") {
        Client client(server.port());
        CHECK(client.is_closed());
        CHECK(server.failures().empty());
    }
    SECTION("idle after a reply") {
        Client client(server.port());
        CHECK(client.ask(get("/echo")).status == 200);
        CHECK(client.is_closed());
        CHECK(server.failures().empty());
    }
}

TEST_CASE("a client that does not read its reply is given up") {
    http::Options options;
    options.request_timeout = base::Millis(50);
    options.min_rate = std::size_t{1} << 30;
    TestServer server(options, [](http::Request&) -> http::Reply {
        return http::Response{200, {}, std::string(std::size_t{64} << 20, 'x'), false};
    });
    Client client(server.port());
    client.send(get("/large"));
    CHECK(TestServer::eventually([&] { return server.handled == 1; }));
    CHECK(TestServer::eventually([&] { return server.server->connections() == 0; }));
    CHECK_FALSE(client.read().has_value());
}

TEST_CASE("a large reply arrives whole") {
    std::string body(std::size_t{16} << 20, 'x');
    for (std::size_t i = 0; i < body.size(); i += 4096) body[i] = static_cast<char>(i >> 12);
    TestServer server({}, [&body](http::Request&) -> http::Reply {
        return http::Response{200, {}, body, false};
    });
    Client client(server.port());
    CHECK(client.ask(get("/large")).body == body);
    CHECK(client.ask(get("/large", "Connection: close\r\n")).body == body);
}

TEST_CASE("what a handler throws stays inside") {
    TestServer server({}, [](http::Request& request) -> http::Reply {
        if (request.path == "/throw") throw base::Error("x", "inner detail");
        if (request.path == "/split") {
            return http::Response{302, {{"Location", "/a\r\nSet-Cookie: a=b"}}, "", false};
        }
        return http::Response{42, {}, "", false};
    });
    base::set_log_level(base::LogLevel::error);
    Client client(server.port());
    for (const char* path : {"/throw", "/split", "/status"}) {
        const auto reply = client.ask(get(path));
        CHECK(reply.status == 500);
        CHECK(reply.body == "failed");
        CHECK(reply.header("Set-Cookie") == "(absent)");
        CHECK(reply.header("Connection") == "keep-alive");
    }
    CHECK(client.ask(get("/echo")).status == 200);
}

TEST_CASE("the peer's address is told, for both families") {
    http::Options options;
    options.listen = {*http::parse_address("127.0.0.1:0"), *http::parse_address("[::1]:0")};
    TestServer server(options, [](http::Request& request) -> http::Reply {
        return http::Response{
            200, {}, request.remote_address + (request.remote_is_loopback ? " yes" : " no"), false};
    });
    Client v4(server.port());
    CHECK(v4.ask(get("/who")).body == "127.0.0.1 yes");
    Client v6(server.server->local_endpoints().back().port, true);
    CHECK(v6.ask(get("/who")).body == "::1 yes");
}

TEST_CASE("an address in use is an error with a hint") {
    TestServer server;
    http::Options options;
    options.listen = {server.server->local_endpoints().front()};
    const auto open = [&] {
        http::Server second(
            options, [](http::Request&) { return http::Response(); },
            [](http::Failure, const http::Request&) { return http::Response(); });
    };
    try {
        open();
        FAIL("opened twice");
    } catch (const base::SystemError& error) {
        CHECK(error.number() == EADDRINUSE);
        CHECK_FALSE(error.hint().empty());
    }
    options.listen.clear();
    CHECK_THROWS_AS(open(), base::Error);
}

TEST_CASE("above the limit of connections clients wait and are not lost") {
    http::Options options;
    options.max_connections = 3;
    TestServer server(options);
    std::vector<Client> clients;
    for (int i = 0; i < 10; ++i) clients.emplace_back(server.port()).send(get("/echo"));
    for (auto& client : clients) {
        CHECK(client.read());
        CHECK(server.server->connections() <= 3);
        client.close();
    }
}

TEST_CASE("one client takes three quarters of the places, and gives them back") {
    base::set_log_level(base::LogLevel::error);
    http::Options options;
    options.max_connections = 40;
    TestServer server(options);
    std::vector<Client> clients;
    for (int i = 0; i < 30; ++i) {
        clients.emplace_back(server.port());
        REQUIRE(clients.back().ask(get("/echo")).status == 200);
    }
    for (int i = 0; i < 3; ++i) CHECK(Client(server.port()).is_closed());
    CHECK(server.server->connections() == 30);
    clients.pop_back();
    CHECK(TestServer::eventually([&] { return server.server->connections() == 29; }));
    CHECK(Client(server.port()).ask(get("/echo")).status == 200);
}

TEST_CASE("listeners that wait for a place do not wake each other") {
    http::Options options;
    options.max_connections = 1;
    options.listen = {*http::parse_address("127.0.0.1:0"), *http::parse_address("127.0.0.1:0")};
    TestServer server(options);
    Client client(server.port());
    REQUIRE(client.ask(get("/echo")).status == 200);
    Client second(server.server->local_endpoints()[1].port);
    second.send(get("/echo"));
    const std::clock_t before = std::clock();
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    CHECK(std::clock() - before < CLOCKS_PER_SEC / 5);
    client.close();
    CHECK(second.read()->status == 200);
}

TEST_CASE("large bodies of many clients are refused above the budget, small ones never") {
    http::Options options;
    options.body_budget = 100'000;
    TestServer server(options);
    const std::string large = post(std::string(90'000, 'x'));
    std::vector<Client> clients;
    for (int i = 0; i < 2; ++i) {
        clients.emplace_back(server.port());
        clients.back().send(std::string_view(large).substr(0, 80'000));
    }
    CHECK(TestServer::eventually([&] { return server.failures().size() == 1; }));
    CHECK(server.failures() == std::vector{http::Failure::overloaded});
    Client small(server.port());
    CHECK(small.ask(post(std::string(10'000, 'y'))).status == 200);
    std::vector<unsigned> statuses;
    for (Client& client : clients) {
        client.try_send(std::string_view(large).substr(80'000));
        const auto reply = client.read();
        REQUIRE(reply);
        statuses.push_back(reply->status);
    }
    std::sort(statuses.begin(), statuses.end());
    CHECK(statuses == std::vector<unsigned>{200, 503});
    CHECK(small.ask(large).status == 200);
}

TEST_CASE("without descriptors the server waits, and goes on when there are some") {
    base::set_log_level(base::LogLevel::error);
    TestServer server;
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    Client early(server.port());
    CHECK(early.ask(get("/echo")).status == 200);
    Client late(server.port());
    CHECK(late.ask(get("/echo")).status == 200);
    // Nothing is checked while there are no descriptors: the sanitizer's runtime needs some itself.
    bool lowered = false;
    {
        // The next socket of the client takes the last descriptor, so accept() finds none.
        const base::Fd probe(::socket(AF_INET, SOCK_STREAM, 0));
        rlimit low = before;
        low.rlim_cur = static_cast<rlim_t>(probe.get()) + 1;
        lowered = ::setrlimit(RLIMIT_NOFILE, &low) == 0;
    }
    Client starved(server.port());
    starved.send(get("/echo"));
    // Those who are in are served meanwhile.
    int served = 0;
    for (int i = 0; i < 100; ++i) served += early.ask(get("/echo")).status == 200 ? 1 : 0;
    const std::size_t open = server.server->connections();
    const bool raised = ::setrlimit(RLIMIT_NOFILE, &before) == 0;
    CHECK(lowered);
    CHECK(raised);
    CHECK(served == 100);
    CHECK(open == 2);
    CHECK(starved.read()->status == 200);
}
