#pragma once

#include "cli/command.h"

#include <oauth3/client.h>

#include <optional>
#include <string>

// Where keys come from and where they are kept (wire section 11).

namespace oauth3::cli {

/// The agent's key for this server, from --key-file, --key, $OAUTH3_API_KEY or what is kept in
/// ~/.oauth3 (KeyStore); nullopt if there is none. Binds a stored key to `url` at its first use.
/// Throws base::Error "authentication" if only keys for other servers are kept.
std::optional<std::string> find_agent_key(const Arguments& arguments, const ServerUrl& url,
                                          Console& console);

/// Keeps a key that an agent without any has just signed up for, bound to `url`, unless another
/// process was faster. Returns the key to use. Throws base::Error "authentication" if the faster
/// one signed up at another server.
std::string keep_first_key(const std::string& key, const ServerUrl& url);

/// Keeps a key that the user has asked for, unless there is one for `url`, and whatever there is
/// for other servers. Returns the key that is kept.
std::string keep_key(const std::string& key, const ServerUrl& url);

/// The owner's key, from --owner-key-file or $OAUTH3_OWNER_KEY. Throws base::Error
/// "authentication" without one.
std::string owner_key(const Arguments& arguments, Console& console);

/// A client for agent calls that ends everything at `deadline` and has a key: signs up if there is
/// none and a new one can be kept. With --no-wait and --bg it does not wait for room for one more
/// request.
Client connect_agent(const Arguments& arguments, Context& context,
                     std::chrono::steady_clock::time_point deadline);

/// A client that has no key yet.
Client connect_without_key(const ServerUrl& url, Context& context);

/// A client for owner calls. The key goes only to servers where it was used before, unless this is
/// the first use of it or --url names the server: throws base::Error "authentication".
Client connect_owner(const Arguments& arguments, Context& context);

/// A client for the calls that an owner and an agent have in common, and in whose name they are to
/// be made: the owner's if --owner-key-file is given, or if $OAUTH3_OWNER_KEY is set and neither
/// --key-file nor --key is given; else the agent's. Never signs up. Throws UsageError if both are
/// named, base::Error "authentication" if there is no key.
Client connect_either(const Arguments& arguments, Context& context, Caller& caller);

/// The time within which a command that does not wait for a human must be done.
inline constexpr std::chrono::seconds kShortCall{30};

}  // namespace oauth3::cli
