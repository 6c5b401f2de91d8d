#pragma once

#include "http/server_support.h"
#include "http/tls.h"
#include "support/temporary_folder.h"

#include <openssl/ssl.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace oauth3::test {

/// What a program printed (both streams), and how it ended.
struct Ran {
    int status = -1;  ///< exit status; -1 if a signal ended it
    std::string output;
};
/// Runs a program of this machine, looked for in PATH, and waits for its end.
Ran run(std::vector<std::string> argv);

/// Real certificates, made by openssl(1) for localhost, 127.0.0.1 and ::1. They sign themselves.
class Certificates {
  public:
    /// Makes NAME.pem and NAME.key; `more` goes to "openssl req".
    explicit Certificates(const std::string& name = "server", std::vector<std::string> more = {});

    std::filesystem::path certificate() const { return folder_ / (name_ + ".pem"); }
    std::filesystem::path key() const { return folder_ / (name_ + ".key"); }
    const TemporaryFolder& folder() const { return folder_; }
    std::shared_ptr<http::Tls> tls() const;

  private:
    TemporaryFolder folder_;
    std::string name_;
};

/// A server that speaks TLS only.
http::Options tls_options(std::shared_ptr<http::Tls> tls);

/// A client whose TLS runs in memory, so that the test decides what the network does to its bytes.
/// Everything but the handshake is as with Client.
class TlsClient : public Client {
  public:
    struct Options {
        int min_version = 0;
        int max_version = 0;
        std::string ciphers;                 ///< for TLS 1.2 and before
        std::vector<std::string> protocols;  ///< ALPN
        std::size_t chunk = 1U << 20;        ///< bytes given to the kernel at a time
        std::filesystem::path trusted;       ///< verifies the server's certificate if set
        SSL_SESSION* session = nullptr;      ///< to resume
    };

    explicit TlsClient(std::uint16_t port) : TlsClient(port, Options()) {}
    /// Throws if the handshake fails, with OpenSSL's reason.
    TlsClient(std::uint16_t port, Options options);

    bool try_send(std::string_view bytes) override;
    /// The records that would carry these bytes, instead of sending them.
    std::string seal(std::string_view bytes);
    /// Sends bytes as they are, past TLS.
    void send_raw(std::string_view bytes) { Client::try_send(bytes); }
    /// Says that nothing more comes, and leaves the connection open.
    void send_close_notify();
    /// True if the server has said that nothing more comes, once read() found the end.
    bool got_close_notify() const;
    SSL* ssl() const { return ssl_.get(); }

  protected:
    bool fill() override;

  private:
    bool flush();
    std::size_t chunk_;
    std::shared_ptr<SSL_CTX> context_;
    std::shared_ptr<SSL> ssl_;
};

/// Why a handshake fails, in OpenSSL's words as the client's side has them; "" if it does not.
std::string refusal(std::uint16_t port, const TlsClient::Options& options);

}  // namespace oauth3::test
