#pragma once

#include "api/service.h"
#include "base/clock.h"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace oauth3::api {

/// What `oauth3 serve` is told.
struct ServerOptions {
    /// Where to listen: "127.0.0.1:3737", "[::1]:0"; port 0 lets the kernel choose. An address
    /// that is not loopback needs TLS or `behind_proxy`, and a `public_url`.
    std::vector<std::string> listen{"127.0.0.1:3737"};
    std::string public_url;                 ///< the base URL; empty: that of the first address
    std::vector<std::string> allow_hosts;   ///< further host names that clients may use
    std::vector<std::string> cors_origins;  ///< web sites whose scripts may call
    std::filesystem::path tls_cert;         ///< PEM, with the chain; read again at SIGHUP
    std::filesystem::path tls_key;          ///< PEM
    bool behind_proxy = false;              ///< a proxy in front ends TLS and names the callers

    std::filesystem::path data_folder;
    std::filesystem::path owner_key_out;  ///< where the first start writes the owner's key (0600)
    std::filesystem::path ready_file;     ///< gets the base URL once clients can connect
    std::filesystem::path deno;           ///< empty: looked for
    /// Protections of the sandbox (jail/checkup.h) without which runs are accepted all the same.
    std::vector<std::string> allow_weak_sandbox;

    std::optional<Signup> signup;        ///< none: open if bound only to loopback, else closed
    bool approval_by_link = false;       ///< insecure; refuses other addresses than loopback...
    bool allow_insecure_remote = false;  ///< ...unless this says otherwise
    bool no_auth = false;                ///< for tests: agents need no key; loopback only

    base::Seconds approval_ttl{24 * 3600};
    base::Seconds retention{30 * 86400};  ///< at least 7 days
    base::Millis poll_hold{50'000};
    std::size_t max_pending = 50;
    std::size_t parallel_runs = 4;

    /// A second opinion on each request (notify/review_command.h); empty: none. Runs with the
    /// server's rights, outside of any jail.
    std::string review_command;
    base::Millis review_timeout{10'000};  ///< no opinion after this

    std::string metrics_listen;  ///< an address for GET /metrics without a key; empty: none
    std::string version;
};

/// Where in the data folder the server can be asked by its own user, over a unix socket of mode
/// 0600: POST /login-link answers {"url","expires_at"}.
inline constexpr const char* kControlSocket = "control.sock";

/// Runs the self-hosted server until SIGTERM or SIGINT. Must be called while the process has one
/// thread and no secret. Throws base::Error with a hint where it refuses to start.
void run_server(const ServerOptions& options);

}  // namespace oauth3::api
