#pragma once

#include "base/clock.h"

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace oauth3::api {

/// What `oauth3 serve` is told.
struct ServerOptions {
    std::vector<std::string> listen{
        "127.0.0.1:3737"};  ///< loopback only; port 0 lets the kernel choose
    std::filesystem::path data_folder;
    std::filesystem::path owner_key_out;  ///< where the first start writes the owner's key (0600)
    std::filesystem::path ready_file;     ///< gets the base URL once clients can connect
    std::filesystem::path deno;           ///< empty: looked for
    base::Seconds approval_ttl{24 * 3600};
    base::Millis poll_hold{50'000};
    std::size_t max_pending = 50;
    std::size_t parallel_runs = 4;
    std::string version;
};

/// Runs the self-hosted server until SIGTERM or SIGINT. Must be called while the process has one
/// thread and no secret. Throws base::Error with a hint where it refuses to start.
void run_server(const ServerOptions& options);

}  // namespace oauth3::api
