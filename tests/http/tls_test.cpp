// TLS as clients see it: what is agreed on, what goes through, what is refused.
#include "base/files.h"
#include "http/tls_support.h"
#include "support/catch.h"

#include <openssl/err.h>

using namespace oauth3;
using test::Certificates;
using test::Client;
using test::refusal;
using test::run;
using test::TestServer;
using test::tls_options;
using test::TlsClient;

namespace {

std::string get(std::string_view target, std::string_view more = "") {
    return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n" + std::string(more) + "\r\n";
}

std::string post(const std::string& body) {
    return "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

/// Bytes that do not repeat soon, so that a lost or doubled block shows.
std::string body_of(std::size_t size) {
    std::string body(size, '\0');
    std::uint32_t state = 1;
    for (char& c : body) {
        state = state * 1664525 + 1013904223;
        c = static_cast<char>(state >> 24);
    }
    return body;
}

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

TlsClient::Options version(int only) {
    TlsClient::Options options;
    options.min_version = options.max_version = only;
    return options;
}

}  // namespace

TEST_CASE("curl talks to it and verifies the certificate") {
    const Certificates certificates;
    TestServer server(tls_options(certificates.tls()), [](http::Request& request) {
        return http::Response{
            200, {}, (request.is_tls ? "tls " : "plain ") + request.remote_address, false};
    });
    const std::string port = std::to_string(server.port());
    const auto curl = [&](std::vector<std::string> more, const std::string& url) {
        std::vector<std::string> argv{
            "curl", "--disable",  "--silent", "--show-error", "--noproxy",
            "*",    "--max-time", "20",       "--write-out",  " %{http_version} %{response_code}"};
        argv.insert(argv.end(), more.begin(), more.end());
        argv.push_back(url);
        return run(argv);
    };
    const std::string trust = certificates.certificate().string();
    const std::string by_name = "localhost:" + port + ":127.0.0.1";
    SECTION("by name and by address") {
        const auto named =
            curl({"--cacert", trust, "--resolve", by_name}, "https://localhost:" + port + "/where");
        CHECK(named.output == "tls 127.0.0.1 1.1 200");
        CHECK(named.status == 0);
        CHECK(curl({"--cacert", trust}, "https://127.0.0.1:" + port + "/where").output ==
              "tls 127.0.0.1 1.1 200");
    }
    SECTION("a megabyte there and back") {
        const auto file = certificates.folder() / "body";
        const auto back = certificates.folder() / "back";
        const std::string body = body_of((std::size_t{1} << 20) - 7);
        base::write_private_file(file, body);
        const auto ran = curl(
            {"--cacert", trust, "--data-binary", "@" + file.string(), "--output", back.string()},
            "https://127.0.0.1:" + port + "/echo");
        CHECK(ran.output == " 1.1 200");
        CHECK(run({"cmp", file.string(), back.string()}).status == 0);
    }
    SECTION("who does not trust the certificate does not send a request") {
        CHECK(curl({}, "https://127.0.0.1:" + port + "/where").status == 60);
        CHECK(curl({"--cacert", trust, "--resolve", "other:" + port + ":127.0.0.1"},
                   "https://other:" + port + "/where")
                  .status == 60);
        CHECK(server.handled == 0);
    }
    SECTION("old versions are refused") {
        CHECK(curl({"--cacert", trust, "--tlsv1.0", "--tls-max", "1.1", "--ciphers",
                    "DEFAULT:@SECLEVEL=0"},
                   "https://127.0.0.1:" + port + "/where")
                  .status == 35);
        CHECK(curl({"--cacert", trust, "--tls-max", "1.2"}, "https://127.0.0.1:" + port + "/")
                  .status == 0);
        CHECK(server.handled == 1);
    }
}

TEST_CASE("versions and ciphers are the good ones only, and the client hears why") {
    const Certificates certificates;
    TestServer server(tls_options(certificates.tls()));
    for (const int good : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        TlsClient client(server.port(), version(good));
        CHECK(client.ask(get("/echo")).status == 200);
        CHECK(::SSL_version(client.ssl()) == good);
    }
    for (const int bad : {TLS1_VERSION, TLS1_1_VERSION}) {
        CHECK(contains(refusal(server.port(), version(bad)), "protocol version"));
    }
    auto options = version(TLS1_2_VERSION);
    for (const char* bad : {"AES128-SHA", "AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA",
                            "ECDHE-ECDSA-AES128-SHA256", "AECDH-AES128-SHA", "NULL"}) {
        CAPTURE(bad);
        options.ciphers = std::string(bad) + ":@SECLEVEL=0";
        CHECK(contains(refusal(server.port(), options), "handshake failure"));
    }
    for (const char* good : {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"}) {
        options.ciphers = good;
        CHECK(TlsClient(server.port(), options).ask(get("/echo")).status == 200);
    }
    CHECK(server.handled == 4);
}

TEST_CASE("ALPN agrees on HTTP/1.1 or refuses") {
    const Certificates certificates;
    TestServer server(tls_options(certificates.tls()));
    const auto agreed = [&](std::vector<std::string> offered) {
        TlsClient::Options options;
        options.protocols = std::move(offered);
        TlsClient client(server.port(), options);
        const unsigned char* name = nullptr;
        unsigned size = 0;
        ::SSL_get0_alpn_selected(client.ssl(), &name, &size);
        CHECK(client.ask(get("/echo")).status == 200);
        return std::string(reinterpret_cast<const char*>(name), size);
    };
    CHECK(agreed({}).empty());
    CHECK(agreed({"h2", "http/1.1"}) == "http/1.1");
    CHECK(agreed({"http/1.0"}) == "http/1.0");
    TlsClient::Options only_h2;
    only_h2.protocols = {"h2"};
    CHECK(contains(refusal(server.port(), only_h2), "no application protocol"));
}

TEST_CASE("a session is resumed with a ticket, in both versions") {
    const Certificates certificates;
    const auto tls = certificates.tls();
    TestServer server(tls_options(tls));
    for (const int one : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        TlsClient first(server.port(), version(one));
        CHECK(first.ask(get("/echo")).status == 200);
        CHECK_FALSE(::SSL_session_reused(first.ssl()));
        const std::shared_ptr<SSL_SESSION> session(::SSL_get1_session(first.ssl()),
                                                   &::SSL_SESSION_free);
        first.send_close_notify();
        auto options = version(one);
        options.session = session.get();
        TlsClient second(server.port(), options);
        CHECK(second.ask(get("/echo")).status == 200);
        CHECK(::SSL_session_reused(second.ssl()));
    }
}

TEST_CASE("a client cannot make the server renegotiate") {
    const Certificates certificates;
    TestServer server(tls_options(certificates.tls()));
    TlsClient client(server.port(), version(TLS1_2_VERSION));
    CHECK(client.ask(get("/echo")).status == 200);
    CHECK(::SSL_renegotiate(client.ssl()) == 1);
    ::SSL_do_handshake(client.ssl());
    client.send_raw(client.seal({}));
    CHECK_FALSE(client.read());
    CHECK(ERR_GET_REASON(::ERR_peek_error()) == SSL_R_NO_RENEGOTIATION);
    client.close();
    CHECK(TestServer::eventually([&] { return server.server->connections() == 0; }));
    CHECK(server.handled == 1);
}

TEST_CASE("keys are changed in the middle of a connection, also while a reply waits") {
    const Certificates certificates;
    TestServer server(tls_options(certificates.tls()));
    TlsClient client(server.port(), version(TLS1_3_VERSION));
    for (int i = 0; i < 5; ++i) {
        REQUIRE(::SSL_key_update(client.ssl(), SSL_KEY_UPDATE_REQUESTED) == 1);
        CHECK(client.ask(post("x")).body == "x");
    }
    client.send(get("/hold?key=a"));
    REQUIRE(TestServer::eventually([&] { return server.server->waiting() == 1; }));
    REQUIRE(::SSL_key_update(client.ssl(), SSL_KEY_UPDATE_REQUESTED) == 1);
    REQUIRE(::SSL_do_handshake(client.ssl()) == 1);
    client.send_raw(client.seal({}));
    server.on_loop([] {});
    server.let("a");
    CHECK(client.read()->body == "woken a");
}

TEST_CASE("TLS bytes may come one at a time") {
    const Certificates certificates;
    TestServer server(tls_options(certificates.tls()));
    TlsClient::Options options;
    options.chunk = 1;
    TlsClient client(server.port(), options);
    for (int i = 0; i < 3; ++i) CHECK(client.ask(post(body_of(500))).body == body_of(500));
    client.send(get("/hold?key=a"));
    REQUIRE(TestServer::eventually([&] { return server.server->waiting() == 1; }));
    server.let("a");
    CHECK(client.read()->body == "woken a");
}

TEST_CASE("bodies and replies of any size come through whole") {
    const Certificates certificates;
    const std::string large = body_of(std::size_t{5} << 20);
    TestServer server(tls_options(certificates.tls()), [&](http::Request&) {
        return http::Response{200, {}, large, false};
    });
    TlsClient client(server.port());
    for (const std::size_t size :
         {0UL, 1UL, 16'000UL, 16'384UL, 16'385UL, 65'536UL, 70'000UL, std::size_t{1} << 20}) {
        CAPTURE(size);
        const auto reply = client.ask(post(body_of(size)));
        CHECK(reply.status == 200);
        CHECK((reply.body == body_of(size)));
    }
    SECTION("to a client that does not read at first, so that writing blocks") {
        client.send(get("/large") + get("/large") + get("/echo"));
        TlsClient other(server.port());
        for (int i = 0; i < 50; ++i) CHECK(other.ask(get("/echo")).status == 200);
        for (int i = 0; i < 2; ++i) {
            const auto reply = client.read();
            REQUIRE(reply);
            CHECK((reply->body == large));
        }
        CHECK(client.read()->status == 200);
    }
    SECTION("pipelined") {
        std::string all;
        for (int i = 0; i < 500; ++i) all += post(std::to_string(i));
        client.send(all);
        for (int i = 0; i < 500; ++i) REQUIRE(client.read()->body == std::to_string(i));
    }
}

TEST_CASE("plain and TLS listeners serve side by side, and say which it was") {
    const Certificates certificates;
    auto options = tls_options(certificates.tls());
    options.listen.front().tag = 7;
    options.listen.push_back(*http::parse_address("[::1]:0"));
    TestServer server(options, [](http::Request& request) {
        return http::Response{
            200,
            {},
            (request.is_tls ? "tls " : "plain ") + std::to_string(request.listener),
            false};
    });
    TlsClient tls(server.port());
    Client plain(server.server->local_endpoints()[1].port, true);
    CHECK(tls.ask(get("/")).body == "tls 7");
    CHECK(plain.ask(get("/")).body == "plain 0");
}

TEST_CASE("500 TLS clients wait and are woken") {
    const Certificates certificates;
    TestServer server(tls_options(certificates.tls()));
    std::vector<TlsClient> clients;
    clients.reserve(500);
    for (int i = 0; i < 500; ++i) {
        clients.emplace_back(server.port());
        clients.back().send(get("/hold?key=all"));
    }
    REQUIRE(TestServer::eventually([&] { return server.server->waiting() == 500; }));
    server.let("all");
    for (auto& client : clients) REQUIRE(client.read()->body == "woken all");
    CHECK(server.alive == 0);
}
