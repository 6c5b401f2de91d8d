// What is told of each request, and who is at the other end of a connection.
#include "base/log.h"
#include "http/peer.h"
#include "http/server_support.h"
#include "support/catch.h"

#include <sys/wait.h>
#include <unistd.h>

using namespace oauth3;
using test::Client;
using test::TestServer;

namespace {

/// A copy that outlives the call.
struct Seen {
    std::string method, path, remote;
    http::Observed rest;
};

struct Observer {
    http::Options options() {
        http::Options options;
        options.listen.emplace_back(*http::parse_address("127.0.0.1:0"), nullptr, 5);
        options.observe = [this](const http::Observed& seen) {
            const std::lock_guard lock(mutex);
            all.push_back({std::string(seen.method), std::string(seen.path),
                           std::string(seen.remote_address), seen});
        };
        return options;
    }
    Seen wait_for(std::size_t number) {
        REQUIRE(TestServer::eventually([&] {
            const std::lock_guard lock(mutex);
            return all.size() >= number;
        }));
        const std::lock_guard lock(mutex);
        CHECK(all.size() == number);
        return all[number - 1];
    }
    std::mutex mutex;
    std::vector<Seen> all;
};

std::string get(std::string_view target) {
    return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

}  // namespace

TEST_CASE("each reply is told of once, without its query") {
    Observer observer;
    TestServer server(observer.options(), [](http::Request& request) -> http::Reply {
        request.method = "CHANGED";
        request.path = "/changed";
        if (request.query == "throw") throw std::runtime_error("inner");
        return http::Response{201, {}, "12345", false};
    });
    base::set_log_level(base::LogLevel::error);
    Client client(server.port());
    client.ask(get("/a/b?token=secret"));
    Seen seen = observer.wait_for(1);
    CHECK(seen.method == "GET");
    CHECK(seen.path == "/a/b");
    CHECK(seen.remote == "127.0.0.1");
    CHECK(seen.rest.status == 201);
    CHECK(seen.rest.listener == 5);
    CHECK(seen.rest.bytes_sent > 5);
    CHECK(seen.rest.time.count() >= 0);
    CHECK_FALSE(seen.rest.held);
    CHECK(seen.rest.is_complete);
    CHECK_FALSE(seen.rest.peer_uid);

    const auto with_body = seen.rest.bytes_sent;
    client.send("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(client.read(true));
    seen = observer.wait_for(2);
    CHECK(seen.method == "HEAD");
    CHECK(seen.rest.bytes_sent == with_body - 5);

    client.ask(get("/x?throw"));
    seen = observer.wait_for(3);
    CHECK(seen.rest.status == 500);
    CHECK(seen.path == "/x");

    client.ask(get("/hold?key=now&limit=0"));
    CHECK_FALSE(observer.wait_for(4).rest.held);
}

TEST_CASE("waiting replies and those that came to nothing are told of") {
    Observer observer;
    TestServer server(observer.options());
    Client client(server.port());
    client.send(get("/hold?key=a"));
    REQUIRE(TestServer::eventually([&] { return server.server->waiting() == 1; }));
    server.let("a");
    CHECK(client.read());
    Seen seen = observer.wait_for(1);
    CHECK(seen.rest.held);
    CHECK(seen.path == "/hold");
    CHECK(seen.method == "GET");
    CHECK(seen.rest.status == 200);

    client.send(get("/hold?key=b"));
    REQUIRE(TestServer::eventually([&] { return server.server->waiting() == 1; }));
    client.close();
    seen = observer.wait_for(2);
    CHECK(seen.rest.held);
    CHECK(seen.path == "/hold");
    CHECK(seen.rest.status == 0);
    CHECK(seen.rest.bytes_sent == 0);
    CHECK_FALSE(seen.rest.is_complete);

    Client bad(server.port());
    CHECK(bad.ask("nonsense\r\n\r\n").status == 400);
    seen = observer.wait_for(3);
    CHECK(seen.rest.status == 400);
    CHECK(seen.method.empty());
    CHECK(seen.path.empty());
    CHECK(seen.remote == "127.0.0.1");
}

TEST_CASE("a reply that its client does not take is told of as incomplete") {
    Observer observer;
    const std::string large(std::size_t{32} << 20, 'x');
    TestServer server(observer.options(), [&](http::Request&) {
        return http::Response{200, {}, large, false};
    });
    Client client(server.port());
    client.send(get("/large"));
    CHECK(TestServer::eventually([&] { return server.handled == 1; }));
    client.close();
    const Seen seen = observer.wait_for(1);
    CHECK_FALSE(seen.rest.is_complete);
    CHECK(seen.rest.status == 200);
    CHECK(seen.rest.bytes_sent < large.size());
}

TEST_CASE("an observer that throws changes nothing") {
    base::set_log_level(base::LogLevel::error);
    http::Options options;
    options.observe = [](const http::Observed&) { throw std::runtime_error("observer"); };
    TestServer server(options);
    Client client(server.port());
    for (int i = 0; i < 3; ++i) CHECK(client.ask(get("/echo")).status == 200);
}

TEST_CASE("the kernel tells whose process is at the other end of loopback") {
    http::Options options;
    options.listen = {*http::parse_address("127.0.0.1:0"), *http::parse_address("[::1]:0")};
    std::optional<http::Request> last;
    TestServer server(options, [&](http::Request& request) {
        last = request;
        const auto uid = http::loopback_peer_uid(request);
        return http::Response{200, {}, uid ? std::to_string(*uid) : "unknown", false};
    });
    const std::string me = std::to_string(::geteuid());
    for (const bool v6 : {false, true}) {
        Client client(server.server->local_endpoints()[v6 ? 1 : 0].port, v6);
        CHECK(client.ask(get("/")).body == me);
        CHECK(client.ask(get("/")).body == me);

        SECTION(v6 ? "wrong questions, v6" : "wrong questions, v4") {
            // Our own listener must not be taken for the client.
            http::Request request = *last;
            std::swap(request.remote_port, request.local_port);
            request.local_port = 1;
            CHECK_FALSE(http::loopback_peer_uid(request));
            request = *last;
            request.remote_is_loopback = false;
            CHECK_FALSE(http::loopback_peer_uid(request));
            request = *last;
            request.local_address = v6 ? "127.0.0.1" : "::1";
            CHECK_FALSE(http::loopback_peer_uid(request));
            request.local_address = "not an address";
            CHECK_FALSE(http::loopback_peer_uid(request));
            CHECK_FALSE(http::loopback_peer_uid({}));
        }
        client.close();
        REQUIRE(TestServer::eventually([&] { return server.server->connections() == 0; }));
        CHECK_FALSE(http::loopback_peer_uid(*last));
    }
}

TEST_CASE("a client that has closed already is nobody, not root") {
    std::atomic<bool> closed{false};
    std::optional<std::optional<uid_t>> told;
    TestServer server({}, [&](http::Request& request) {
        while (!closed) std::this_thread::yield();
        told = http::loopback_peer_uid(request);
        return http::Response();
    });
    {
        Client client(server.port());
        client.send(get("/"));
        REQUIRE(TestServer::eventually([&] { return server.handled == 1; }));
    }
    closed = true;
    REQUIRE(TestServer::eventually([&] { return server.server->connections() == 0; }));
    REQUIRE(told);
    CHECK_FALSE(told->has_value());
}

TEST_CASE("a client of another user is named as that user") {
    if (::geteuid() != 0) {
        WARN("not root: there is no second user to be");
        return;
    }
    std::optional<uid_t> told;
    TestServer server({}, [&](http::Request& request) {
        told = http::loopback_peer_uid(request);
        return http::Response();
    });
    // The socket belongs to who made it.
    REQUIRE(::seteuid(12345) == 0);
    Client client(server.port());
    REQUIRE(::seteuid(0) == 0);
    CHECK(client.ask(get("/")).status == 200);
    CHECK(told == uid_t{12345});
}
