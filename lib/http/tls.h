#pragma once

#include "base/clock.h"

#include <filesystem>
#include <memory>
#include <mutex>

struct ssl_ctx_st;

namespace oauth3::http {

/// The certificate and key of a server, and how it speaks TLS: 1.2 (only with forward secrecy and
/// authenticated encryption) or 1.3, ALPN "http/1.1", no client certificates, no renegotiation.
class Tls {
  public:
    /// `certificate`: PEM, the server's own certificate first, then those that sign it, without the
    /// root. `key`: PEM, without a passphrase. Throws SystemError if a file cannot be read, else
    /// Error "bad_certificate" or "bad_key", also if the two do not belong together.
    Tls(std::filesystem::path certificate, std::filesystem::path key);
    ~Tls();
    Tls(const Tls&) = delete;
    Tls& operator=(const Tls&) = delete;

    /// Any thread. Reads both files again; new connections get what is in them, those that exist go
    /// on as they are. Throws as the constructor does, and then keeps what it had.
    void reload();

    /// Any thread. The end of the certificate's validity.
    base::Time expires() const;

    /// Any thread, for this room: what connections that begin now use.
    std::shared_ptr<ssl_ctx_st> context() const;

  private:
    struct Loaded {
        std::shared_ptr<ssl_ctx_st> context;
        base::Time expires;
    };
    Loaded load() const;

    const std::filesystem::path certificate_;
    const std::filesystem::path key_;
    mutable std::mutex mutex_;
    Loaded loaded_;
};

}  // namespace oauth3::http
