// TLS connections that break off, stall or lie.
#include "http/tls_support.h"
#include "support/catch.h"

#include <cerrno>

using namespace oauth3;
using test::Certificates;
using test::Client;
using test::TestServer;
using test::tls_options;
using test::TlsClient;

namespace {

const std::string kEcho = "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string kHold = "GET /hold?key=a HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string kPost = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 20\r\n\r\n";

bool nobody(const TestServer& server) {
    return TestServer::eventually([&] { return server.server->connections() == 0; });
}

/// The first flight of a real client.
std::string client_hello() {
    const std::shared_ptr<SSL_CTX> context(::SSL_CTX_new(::TLS_client_method()), &::SSL_CTX_free);
    const std::shared_ptr<SSL> ssl(::SSL_new(context.get()), &::SSL_free);
    ::SSL_set_bio(ssl.get(), ::BIO_new(::BIO_s_mem()), ::BIO_new(::BIO_s_mem()));
    ::SSL_set_connect_state(ssl.get());
    ::SSL_do_handshake(ssl.get());
    std::string bytes(::BIO_ctrl_pending(::SSL_get_wbio(ssl.get())), '\0');
    ::BIO_read(::SSL_get_wbio(ssl.get()), bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
}

/// What the kernel gives at the end of a connection: 0 for an orderly end, else its errno.
int how_it_ends(const Client& client) {
    std::array<char, 4096> buffer{};
    while (true) {
        const ssize_t got = ::recv(client.fd(), buffer.data(), buffer.size(), 0);
        if (got == 0) return 0;
        if (got < 0) return errno;
    }
}

}  // namespace

TEST_CASE("handshakes that stop half-way are ended") {
    const Certificates certificates;
    auto options = tls_options(certificates.tls());
    options.request_timeout = base::Millis(100);
    TestServer server(options);
    const std::string hello = client_hello();
    REQUIRE(hello.size() > 100);
    std::vector<Client> clients;
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{5}, hello.size() / 2,
                                   hello.size() - 1, hello.size()}) {
        clients.emplace_back(server.port()).send(hello.substr(0, size));
    }
    for (Client& client : clients) CHECK(how_it_ends(client) == 0);
    CHECK(nobody(server));
    CHECK(server.handled == 0);
}

TEST_CASE("stopping does not wait for those who never began a handshake") {
    const Certificates certificates;
    auto options = tls_options(certificates.tls());
    options.grace = base::Millis(600'000);
    options.request_timeout = base::Millis(600'000);
    TestServer server(options);
    std::vector<Client> silent;
    for (int i = 0; i < 20; ++i) silent.emplace_back(server.port());
    TlsClient idle(server.port());
    TlsClient waiting(server.port());
    waiting.send(kHold);
    REQUIRE(TestServer::eventually([&] { return server.server->waiting() == 1; }));
    server.server->stop();
    CHECK(waiting.read()->body == "last a");
    CHECK(idle.is_closed());
    CHECK(idle.got_close_notify());
    server.join();
    CHECK(server.server->connections() == 0);
}

TEST_CASE("a handshake under way is let finish when the server stops, until the grace is over") {
    const Certificates certificates;
    auto options = tls_options(certificates.tls());
    options.grace = base::Millis(50);
    options.request_timeout = base::Millis(600'000);
    TestServer server(options);
    Client half(server.port());
    half.send(client_hello().substr(0, 50));
    TlsClient other(server.port());
    CHECK(other.ask(kEcho).status == 200);
    server.server->stop();
    server.join();
    CHECK(server.server->connections() == 0);
}

TEST_CASE("plain HTTP, and noise, on a TLS port end cleanly and do no harm") {
    const Certificates certificates;
    TestServer server(tls_options(certificates.tls()));
    TlsClient witness(server.port());
    std::string noise;
    for (unsigned i = 0; i < 100'000; ++i) noise += static_cast<char>(i * i >> 3);
    for (const std::string& bytes :
         {kEcho, std::string("POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n") + noise, noise,
          std::string("\x16\x03\x01\x3f\xff") + noise, std::string("\x16\x03\x01\x00\x00", 5),
          std::string(300'000, '\0'), std::string("\x15\x03\x01\x00\x02\x02\x28", 7),
          std::string("\x80\x2e\x01\x03\x01", 5) + noise}) {
        Client client(server.port());
        client.try_send(bytes);
        client.shutdown_send();
        CHECK(how_it_ends(client) == 0);
        CHECK(witness.ask(kEcho).status == 200);
    }
    witness.close();
    CHECK(nobody(server));
    CHECK(server.handled == 8);
}

TEST_CASE("a request that was cut anywhere is no request") {
    const Certificates certificates;
    TestServer server(tls_options(certificates.tls()));
    const std::string body = "12345678901234567890";
    // Head and body in records of their own; each cut at any byte of the records.
    std::size_t size = 1;
    for (std::size_t cut = 0; cut < size; ++cut) {
        TlsClient client(server.port());
        const std::string head = client.seal(kPost);
        const std::string all = head + client.seal(body);
        size = all.size();
        client.send_raw(std::string_view(all).substr(0, cut));
        client.shutdown_send();
        const auto reply = client.read();
        // Who has sent a part of a request may be told that it is none, never more.
        if (reply) CHECK(reply->status == 400);
    }
    CHECK(size > 100);
    CHECK(nobody(server));
    CHECK(server.handled == 0);
}

TEST_CASE("a body that ends with close_notify is no body") {
    const Certificates certificates;
    TestServer server(tls_options(certificates.tls()));
    TlsClient client(server.port());
    client.send(kPost + "1234567890");
    client.send_close_notify();
    CHECK(client.read()->status == 400);
    CHECK(client.is_closed());
    CHECK(client.got_close_notify());
    CHECK(server.handled == 0);
}

TEST_CASE("a changed, doubled or left out record ends the connection") {
    const Certificates certificates;
    TestServer server(tls_options(certificates.tls()));
    const int kind = GENERATE(0, 1, 2);
    TlsClient client(server.port());
    const std::string first = client.seal(kPost);
    std::string second = client.seal("12345678901234567890");
    if (kind == 0) second[second.size() / 2] = static_cast<char>(second[second.size() / 2] ^ 1);
    if (kind == 0) client.send_raw(first + second);
    if (kind == 1) client.send_raw(first + first + second);
    if (kind == 2) client.send_raw(second);
    CHECK_FALSE(client.read());
    CHECK(nobody(server));
    CHECK(server.handled == 0);
}

TEST_CASE("a half-closed TLS client still gets its reply") {
    const Certificates certificates;
    TestServer server(tls_options(certificates.tls()));
    const bool with_fin = GENERATE(false, true);
    TlsClient client(server.port());
    client.send(kEcho);
    client.send_close_notify();
    if (with_fin) client.shutdown_send();
    CHECK(client.read()->status == 200);
    CHECK(client.is_closed());
}

TEST_CASE("the end of a connection is said inside TLS, so that nobody can forge it") {
    const Certificates certificates;
    auto options = tls_options(certificates.tls());
    options.keep_alive_timeout = base::Millis(50);
    TestServer server(options);
    TlsClient client(server.port());
    SECTION("after a final reply") {
        CHECK(client.ask("GET /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").status ==
              200);
    }
    SECTION("after a malformed request") {
        CHECK(client.ask("nonsense\r\n\r\n").status == 400);
    }
    SECTION("when it was idle for long") {
        CHECK(client.ask(kEcho).status == 200);
    }
    CHECK(client.is_closed());
    CHECK(client.got_close_notify());
}

TEST_CASE("a Hold goes as soon as its TLS client does, however it goes") {
    const Certificates certificates;
    TestServer server(tls_options(certificates.tls()));
    TlsClient client(server.port());
    client.send(kHold);
    REQUIRE(TestServer::eventually([&] { return server.server->waiting() == 1; }));
    SECTION("close_notify alone") {
        client.send_close_notify();
    }
    SECTION("close_notify together with the request") {
        TlsClient other(server.port());
        std::string records = other.seal(kHold);
        ::SSL_shutdown(other.ssl());
        records += other.seal({});
        other.send_raw(records);
        CHECK_FALSE(other.read());
        client.close();
    }
    SECTION("the socket alone, half-closed") {
        client.shutdown_send();
    }
    SECTION("the socket alone, closed") {
        client.close();
    }
    SECTION("a reset") {
        const linger now{1, 0};
        ::setsockopt(client.fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
        client.close();
    }
    SECTION("half a record, then the end") {
        const std::string record = client.seal(kEcho);
        client.send_raw(std::string_view(record).substr(0, record.size() / 2));
        client.close();
    }
    SECTION("a record that was tampered with") {
        std::string record = client.seal(kEcho);
        record.back() = static_cast<char>(record.back() ^ 1);
        client.send_raw(record);
    }
    CHECK(TestServer::eventually([&] { return server.alive == 0; }));
    CHECK(nobody(server));
    CHECK(server.server->waiting() == 0);
}
