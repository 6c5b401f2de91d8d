#include "http/head.h"
#include "http/server_support.h"
#include "support/catch.h"

#include <random>

using namespace oauth3;
using test::Client;
using test::TestServer;

namespace {

/// A request with these lines after the request line.
std::string with(const std::string& lines, const std::string& body = "") {
    return "POST /echo HTTP/1.1\r\n" + lines + "\r\n" + body;
}

}  // namespace

TEST_CASE("ambiguous and malformed requests get 400 and the connection ends") {
    TestServer server;
    const std::string host = "Host: h\r\n";
    const std::string zero(1, '\0');
    const std::vector<std::string> requests = {
        // Framing that two programs could read differently.
        with(host + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        with(host + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"),
        with(host + "Content-Length: 5\r\nContent-Length: 6\r\n", "abcdef"),
        with(host + "Content-Length: 5\r\nContent-Length: 5\r\n", "abcde"),
        with(host + "Content-Length: 5, 5\r\n", "abcde"),
        with(host + "Content-Length: 5, 6\r\n", "abcde"),
        with(host + "Content-Length: +5\r\n", "abcde"),
        with(host + "Content-Length: -1\r\n"),
        with(host + "Content-Length: 0x5\r\n", "abcde"),
        with(host + "Content-Length: 5 5\r\n", "abcde"),
        with(host + "Content-Length:\r\n"),
        with(host + "Content-Length: a\r\n"),
        with(host + "Content-Length : 5\r\n", "abcde"),
        with(host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        with(host + "Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"),
        with(host + "Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"),
        with(host + "Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"),
        with(host + "Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n"),
        with(host + "Transfer-Encoding: chunked;x=1\r\n", "0\r\n\r\n"),
        with(host + "Transfer-Encoding: identity\r\n"),
        with(host + "Transfer-Encoding:\r\n"),
        with(host + "Transfer-Encoding: \vchunked\r\n", "0\r\n\r\n"),
        with(host + "Transfer-Encoding : chunked\r\n", "0\r\n\r\n"),
        with(host + "X: y\r\n Transfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        // Lines.
        with("Host: h\n"),
        with(host + "X: a\nY: b\r\n"),
        with(host + "X: a\rY: b\r\n"),
        with(host + "X: a\r\n folded\r\n"),
        with(host + "X: a\r\n\tfolded\r\n"),
        with(" Host: h\r\n"),
        with(host + "X\r\n"),
        with(host + ": x\r\n"),
        with(host + "X Y: z\r\n"),
        with(host + "X\xc3\xa9: z\r\n"),
        with(host + "X: a" + zero + "b\r\n"),
        with(host + "X: \x1b[2J\r\n"),
        with(host + "X: \x7f\r\n"),
        "GET /echo HTTP/1.1\nHost: h\n\n",
        // Request lines.
        "GET /echo HTTP/2.0\r\nHost: h\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET /echo HTTP/0.9\r\nHost: h\r\n\r\n",
        "GET /echo HTTP/1.2\r\nHost: h\r\n\r\n",
        "GET /echo http/1.1\r\nHost: h\r\n\r\n",
        "GET /echo\r\n\r\n",
        "GET  /echo HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /echo  HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /e cho HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET\t/echo\tHTTP/1.1\r\nHost: h\r\n\r\n",
        " GET /echo HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET echo HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET * HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /echo#x HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /\xc3\xa9 HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /" + zero + " HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET ftp://h/echo HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET http:///echo HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET http://u@h/echo HTTP/1.1\r\nHost: h\r\n\r\n",
        "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n",
        "G(T /echo HTTP/1.1\r\nHost: h\r\n\r\n",
        "\x16\x03\x01\x02",
        "\r\n\r\n\r\n\r\n\r\n\r\n",
        // Host.
        "GET /echo HTTP/1.1\r\n\r\n",
        "GET /echo HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "GET /echo HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n",
        "GET /echo HTTP/1.1\r\nHost:\r\n\r\n",
        "GET /echo HTTP/1.1\r\nHost: a b\r\n\r\n",
        "GET /echo HTTP/1.1\r\nHost: a/b\r\n\r\n",
        "GET /echo HTTP/1.1\r\nHost: u@a\r\n\r\n",
        "GET /echo HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
        // Chunks.
        with(host + "Transfer-Encoding: chunked\r\n", "x\r\n"),
        with(host + "Transfer-Encoding: chunked\r\n", "-1\r\n"),
        with(host + "Transfer-Encoding: chunked\r\n", "0x3\r\nabc\r\n0\r\n\r\n"),
        with(host + "Transfer-Encoding: chunked\r\n", "3 \nabc\r\n0\r\n\r\n"),
        with(host + "Transfer-Encoding: chunked\r\n", "3\r\nabcd\r\n0\r\n\r\n"),
        with(host + "Transfer-Encoding: chunked\r\n", "3\r\nabc0\r\n\r\n"),
        with(host + "Transfer-Encoding: chunked\r\n", "3\rX\nabc\r\n0\r\n\r\n"),
        with(host + "Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\n"),
        with(host + "Transfer-Encoding: chunked\r\n", "0\r\nbad trailer\r\n\r\n"),
        with(host + "Transfer-Encoding: chunked\r\n", "0\r\nContent-Length: 5\r\n\r\n"),
    };
    for (const auto& request : requests) {
        CAPTURE(request);
        Client client(server.port());
        const auto reply = client.ask(request + "GET /echo HTTP/1.1\r\nHost: evil\r\n\r\n");
        CHECK(reply.status == 400);
        CHECK(reply.header("Connection") == "close");
        // No second request came out of it.
        CHECK(client.is_closed());
    }
    CHECK(server.handled == 0);
    for (const auto failure : server.failures()) CHECK(failure == http::Failure::malformed);
}

TEST_CASE("unusual but right requests pass") {
    TestServer server;
    Client client(server.port());
    const std::string host = "Host: h\r\n";
    CHECK(client.ask(with("host:h\r\ncontent-LENGTH:  5 \t\r\n", "abcde")).body == "abcde");
    CHECK(client.ask(with(host + "Content-Length: 005\r\n", "abcde")).body == "abcde");
    CHECK(client
              .ask(with(host + "transfer-encoding: CHUNKED\r\n",
                        "A;x=\"y\"\r\n0123456789\r\n"
                        "0;z\r\n\r\n"))
              .body == "0123456789");
    CHECK(client.ask(with(host + "X:\r\nY: caf\xc3\xa9\tx\r\n")).status == 200);
    CHECK(client.ask("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").status == 404);
    const auto absolute = client.ask("GET http://other:8/echo?a=b HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(absolute.header("X-Host") == "other:8");
    CHECK(absolute.header("X-Query") == "a=b");
    CHECK(client.ask("GET /echo?wait=true?x=1 HTTP/1.1\r\nHost: h\r\n\r\n").header("X-Query") ==
          "wait=true?x=1");
    CHECK(client.ask("BREW /echo HTTP/1.1\r\nHost: h\r\n\r\n").header("X-Method") == "BREW");
    CHECK(client.ask("GET /echo HTTP/1.1\r\nHost: [::1]:80\r\n\r\n").header("X-Host") ==
          "[::1]:80");
}

TEST_CASE("a trailer is not a header") {
    std::string seen = "unset";
    TestServer server({}, [&seen](http::Request& request) -> http::Reply {
        seen = std::string(request.header("Authorization")) + "|" + request.body;
        return http::Response();
    });
    Client client(server.port());
    client.ask(
        "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        "2\r\nab\r\n0\r\nAuthorization: Bearer stolen\r\n\r\n");
    CHECK(seen == "|ab");
}

TEST_CASE("chunks may not cost much more than they carry") {
    TestServer server;
    Client client(server.port());
    client.send(with("Host: h\r\nTransfer-Encoding: chunked\r\n"));
    std::string chunks;
    for (int i = 0; i < 1000; ++i) chunks += "1;" + std::string(1000, 'e') + "\r\nx\r\n";
    for (int i = 0; i < 20; ++i) {
        if (!client.try_send(chunks)) break;
    }
    CHECK(client.read()->status == 413);
}

TEST_CASE("a head is checked in the same way however it is cut") {
    CHECK(http::is_well_formed_head("GET / HTTP/1.1\r\nA: b\r\n\r\n"));
    for (const char* bad : {"", "\r\n", "\r\n\r\n", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1",
                            "GET / HTTP/1.1\r\n\r\nx", "GET / HTTP/1.1\r\n\r\n\r\n"}) {
        CHECK_FALSE(http::is_well_formed_head(bad));
    }
}

TEST_CASE("garbage never disturbs the others") {
    http::Options options;
    options.linger = base::Millis(50);
    options.request_timeout = base::Millis(5'000);
    TestServer server(options);
    // A fixed seed, so that a failure can be seen again.
    std::mt19937 random(20'261);
    const std::string seedling =
        "POST /echo?a=%41 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nExpect: "
        "100-continue\r\nConnection: keep-alive\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    const std::string spice("\r\n\t\0 :;,=\xff%#0f", 15);
    Client witness(server.port());
    for (int round = 0; round < 400; ++round) {
        std::string request = seedling;
        const auto changes = 1 + random() % 4;
        for (unsigned i = 0; i < changes; ++i) {
            const std::size_t at = random() % request.size();
            const char c = spice[random() % spice.size()];
            switch (random() % 4) {
                case 0:
                    request[at] = c;
                    break;
                case 1:
                    request.insert(at, 1, c);
                    break;
                case 2:
                    request.erase(at, 1 + random() % 5);
                    break;
                default:
                    request.insert(at, request.substr(at, random() % 40));
                    break;
            }
        }
        Client client(server.port());
        client.try_send(request);
        client.shutdown_send();
        while (const auto reply = client.read()) {
            const bool known = reply->status == 100 || reply->status == 200 ||
                               reply->status == 400 || reply->status == 404 || reply->status == 413;
            CAPTURE(request);
            REQUIRE(known);
        }
        if (round % 50 == 0) {
            CHECK(witness.ask("GET /echo HTTP/1.1\r\nHost: h\r\n\r\n").status == 200);
        }
    }
    witness.close();
    CHECK(TestServer::eventually([&] { return server.server->connections() == 0; }));
}
