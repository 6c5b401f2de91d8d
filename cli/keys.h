#pragma once

#include "cli/command.h"

#include <oauth3/client.h>

#include <optional>
#include <string>

// Where keys come from and where they are kept (wire section 11).

namespace oauth3::cli {

/// The agent's key for this server, from --key-file, --key, $OAUTH3_API_KEY, ~/.oauth3/key or the
/// configuration's `jwt`; nullopt if there is none. Binds a stored key to `url` at its first use.
/// Throws base::Error "authentication" if the stored key belongs to another server.
std::optional<std::string> find_agent_key(const Arguments& arguments, const ServerUrl& url,
                                          Console& console);

/// Stores a new key for `url` in ~/.oauth3/key, bound to that server, unless another process was
/// faster. Returns the key to use: that of the file. Throws base::Error "authentication" if the
/// faster one signed up at another server.
std::string store_agent_key(const std::string& key, const ServerUrl& url);

/// The owner's key, from --owner-key-file or $OAUTH3_OWNER_KEY. Throws base::Error
/// "authentication" without one.
std::string owner_key(const Arguments& arguments, Console& console);

/// A client for agent calls that ends everything at `deadline` and has a key: signs up if there is
/// none.
Client connect_agent(const Arguments& arguments, Context& context,
                     std::chrono::steady_clock::time_point deadline);

/// A client that has no key yet.
Client connect_without_key(const ServerUrl& url, Context& context);

/// A client for owner calls.
Client connect_owner(const Arguments& arguments, Context& context);

/// The time within which a command that does not wait for a human must be done.
inline constexpr std::chrono::seconds kShortCall{30};

}  // namespace oauth3::cli
