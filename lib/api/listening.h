#pragma once

#include "api/server.h"
#include "http/address.h"

#include <optional>
#include <string>
#include <vector>

namespace oauth3::api {

/// Where the server listens and what follows from it.
struct Listening {
    std::vector<http::Address> addresses;
    std::optional<http::Address> metrics;
    /// Nobody but this machine can call: every address is loopback and no proxy stands in front.
    bool local_only = true;
    std::string public_url;  ///< without a final '/'; empty: that of the first address
    std::vector<std::string> cors_origins;  ///< as browsers send them
    Signup signup = Signup::open;
};

/// Reads what was asked for and refuses what would be unsafe: another address than loopback without
/// TLS or a proxy, insecure modes that others than this machine could reach. Throws base::Error
/// with a hint.
Listening plan_listening(const ServerOptions& options);

/// The base URL in its one form: the host as browsers send it in Origin, no default port, no final
/// '/'. Throws base::Error "usage" for what is none.
std::string read_base_url(const std::string& text);

}  // namespace oauth3::api
