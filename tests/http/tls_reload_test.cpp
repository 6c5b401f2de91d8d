// Certificates that are read, read again, and refused.
#include "base/error.h"
#include "base/files.h"
#include "http/tls_support.h"
#include "support/catch.h"

#include <openssl/x509.h>

using namespace oauth3;
using test::Certificates;
using test::TestServer;
using test::tls_options;
using test::TlsClient;
namespace fs = std::filesystem;

namespace {

const std::string kEcho = "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n";

std::string served_name(const TlsClient& client) {
    const std::shared_ptr<X509> certificate(::SSL_get1_peer_certificate(client.ssl()),
                                            &::X509_free);
    std::array<char, 256> name{};
    ::X509_NAME_get_text_by_NID(::X509_get_subject_name(certificate.get()), NID_commonName,
                                name.data(), static_cast<int>(name.size()));
    return name.data();
}

/// What loading throws.
base::Error bad_files(const fs::path& certificate, const fs::path& key) {
    try {
        const http::Tls tls(certificate, key);
    } catch (const base::Error& error) {
        return error;
    }
    FAIL("was loaded");
    return {"", ""};
}

void put(const fs::path& path, const std::string& bytes) {
    base::write_private_file(path, bytes);
}

}  // namespace

TEST_CASE("new certificates come into use under load, without a failed request") {
    const Certificates old("old");
    const Certificates fresh("fresh");
    const std::array<std::pair<std::string, std::string>, 2> pairs{
        {{base::read_file(old.certificate()), base::read_file(old.key())},
         {base::read_file(fresh.certificate()), base::read_file(fresh.key())}}};
    const auto tls = old.tls();
    TestServer server(tls_options(tls));
    TlsClient first(server.port());
    CHECK(served_name(first) == "old");

    std::atomic<bool> stop{false};
    std::atomic<int> good{0};
    std::atomic<int> bad{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&] {
            while (!stop) {
                try {
                    TlsClient client(server.port());
                    for (int i = 0; i < 3; ++i) ++(client.ask(kEcho).status == 200 ? good : bad);
                } catch (const std::exception&) {
                    ++bad;
                }
            }
        });
    }
    for (int round = 1; round <= 101; ++round) {
        // Both files are there before reload() is called, as an ACME client would do it.
        put(old.key(), pairs[static_cast<std::size_t>(round % 2)].second);
        put(old.certificate(), pairs[static_cast<std::size_t>(round % 2)].first);
        tls->reload();
        const int seen = good + bad;
        CHECK(TestServer::eventually([&] { return good + bad > seen; }));
    }
    stop = true;
    for (auto& thread : threads) thread.join();
    CHECK(bad == 0);
    CHECK(good >= 101);
    CHECK(served_name(TlsClient(server.port())) == "fresh");
    // The connection from before goes on with what it agreed on.
    CHECK(first.ask(kEcho).status == 200);
    CHECK(served_name(first) == "old");
}

TEST_CASE("a ticket from before a reload leads to a new handshake, not to a failure") {
    const Certificates certificates;
    const auto tls = certificates.tls();
    TestServer server(tls_options(tls));
    TlsClient first(server.port());
    CHECK(first.ask(kEcho).status == 200);
    const std::shared_ptr<SSL_SESSION> session(::SSL_get1_session(first.ssl()),
                                               &::SSL_SESSION_free);
    tls->reload();
    TlsClient::Options options;
    options.session = session.get();
    TlsClient second(server.port(), options);
    CHECK(second.ask(kEcho).status == 200);
    CHECK_FALSE(::SSL_session_reused(second.ssl()));
}

TEST_CASE("bad files are refused with a sentence, and the old ones stay") {
    const Certificates good;
    const Certificates other("other");
    const std::string certificate = base::read_file(good.certificate());
    const std::string key = base::read_file(good.key());
    const auto tls = good.tls();
    const base::Time expires = tls->expires();
    TestServer server(tls_options(tls));

    struct Case {
        const char* what;
        std::string certificate;
        std::string key;
        const char* code;
        const char* sentence;
    };
    const std::string small = [] {
        const test::TemporaryFolder folder;
        REQUIRE(test::run({"openssl", "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj",
                           "/CN=weak", "-keyout", folder / "key", "-out", folder / "pem"})
                    .status == 0);
        return base::read_file(folder / "pem");
    }();
    const auto locked = good.folder() / "locked";
    REQUIRE(test::run({"openssl", "pkey", "-in", good.key().string(), "-aes256", "-passout",
                       "pass:x", "-out", locked.string()})
                .status == 0);
    const std::vector<Case> cases{
        {"empty certificate", "", key, "bad_certificate", "cannot be read"},
        {"garbage", std::string(5000, '\xAA'), key, "bad_certificate", "cannot be read"},
        {"key in place of the certificate", key, key, "bad_certificate", "cannot be read"},
        {"cut certificate", certificate.substr(0, certificate.size() / 2), key, "bad_certificate",
         "cannot be read"},
        {"cut chain", certificate + certificate.substr(0, certificate.size() / 2), key,
         "bad_certificate", "damaged"},
        {"too small", small, key, "bad_certificate", "too small"},
        {"empty key", certificate, "", "bad_key", "cannot be read"},
        {"certificate in place of the key", certificate, certificate, "bad_key", "cannot be read"},
        {"key of another", certificate, base::read_file(other.key()), "bad_key",
         "does not belong to the certificate"},
        {"certificate of another", base::read_file(other.certificate()), key, "bad_key",
         "does not belong to the certificate"},
        {"locked key", certificate, base::read_file(locked), "bad_key", "passphrase"},
    };
    for (const Case& one : cases) {
        CAPTURE(one.what);
        put(good.certificate(), one.certificate);
        put(good.key(), one.key);
        const base::Error error = bad_files(good.certificate(), good.key());
        CHECK(error.code() == one.code);
        CHECK(std::string(error.what()).find(one.sentence) != std::string::npos);
        CHECK_FALSE(error.hint().empty());
        CHECK_THROWS_AS(tls->reload(), base::Error);
        CHECK(tls->expires() == expires);
        CHECK(TlsClient(server.port()).ask(kEcho).status == 200);
    }
    SECTION("files that cannot be read at all") {
        fs::remove(good.key());
        CHECK_THROWS_AS(tls->reload(), base::SystemError);
        put(good.key(), key);
        fs::remove(good.certificate());
        fs::create_directory(good.certificate());
        CHECK_THROWS_AS(tls->reload(), base::Error);
        fs::remove(good.certificate());
        CHECK(TlsClient(server.port()).ask(kEcho).status == 200);
    }
    // And when they are good again, so is the server.
    put(good.certificate(), base::read_file(other.certificate()));
    put(good.key(), base::read_file(other.key()));
    tls->reload();
    CHECK(served_name(TlsClient(server.port())) == "other");
}

TEST_CASE("a chain is sent whole, so that a client needs only the root") {
    const Certificates root("root", {"-addext", "basicConstraints=critical,CA:TRUE"});
    const auto& folder = root.folder();
    const auto make = [&](const std::string& name, const std::string& signer,
                          const std::string& constraint) {
        REQUIRE(test::run({"openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                           "-nodes", "-keyout", folder / (name + ".key"), "-out",
                           folder / (name + ".csr"), "-subj", "/CN=" + name})
                    .status == 0);
        put(folder / "extensions", "basicConstraints=critical,CA:" + constraint +
                                       "\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n");
        REQUIRE(test::run({"openssl", "x509", "-req", "-in", folder / (name + ".csr"), "-CA",
                           folder / (signer + ".pem"), "-CAkey", folder / (signer + ".key"),
                           "-CAcreateserial", "-days", "2", "-extfile", folder / "extensions",
                           "-out", folder / (name + ".pem")})
                    .status == 0);
    };
    make("middle", "root", "TRUE");
    make("leaf", "middle", "FALSE");
    put(folder / "chain.pem",
        base::read_file(folder / "leaf.pem") + base::read_file(folder / "middle.pem"));
    TlsClient::Options options;
    options.trusted = root.certificate();
    {
        TestServer server(
            tls_options(std::make_shared<http::Tls>(folder / "chain.pem", folder / "leaf.key")));
        CHECK(TlsClient(server.port(), options).ask(kEcho).status == 200);
    }
    TestServer server(
        tls_options(std::make_shared<http::Tls>(folder / "leaf.pem", folder / "leaf.key")));
    CHECK(test::refusal(server.port(), options).find("certificate verify failed") !=
          std::string::npos);
}
