#pragma once

#include "base/secret_string.h"
#include "client/clocks.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

// One HTTP exchange at a time over libcurl, ended by a deadline or by an interrupt at once.

namespace oauth3::client {

/// How an exchange ended.
enum class Ending {
    answered,
    network,    ///< no connection, it broke, or the machine slept meanwhile
    untrusted,  ///< the server's TLS certificate cannot be verified
    garbage,    ///< what came is not HTTP, or too big
    deadline,
    interrupted,
};

struct Exchange {
    std::string method = "GET";  ///< or POST, DELETE
    std::string url = {};
    std::string body = {};                    ///< JSON; not for GET
    const base::SecretString* key = nullptr;  ///< sent as bearer key unless null or empty
    /// Makes it harmless to send the request twice; sent unless empty.
    std::string idempotency_key = {};
    Moment deadline = {};
};

struct Outcome {
    Ending ending = Ending::network;
    /// The connection was up and the request was handed to it: the server may have seen it.
    bool maybe_sent = false;
    std::string reason = {};  ///< for all but `answered`: a few words, lower-case, no full stop
    int status = 0;
    std::string body = {};
    std::optional<std::chrono::seconds> retry_after = {};
};

/// Where a transport goes, and what ends it.
struct TransportOptions {
    bool loopback = false;         ///< this machine: no proxy of the environment is used
    std::string unix_socket = {};  ///< if not empty, connections go to this path
    int interrupt_fd = -1;         ///< as in Client::Options
};

struct CurlHandles;

/// Keeps connections between exchanges. A request that must not be sent twice always gets a new
/// one, for libcurl silently sends again when a kept connection turns out to be dead.
class Transport {
  public:
    explicit Transport(TransportOptions options, const Clocks& clocks = system_clocks());
    ~Transport();
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;

    Outcome run(const Exchange& exchange);

    /// Sleeps until `moment`. False if it was interrupted.
    bool sleep_until(Moment moment) const;

  private:
    int wait_ms(Moment until) const;

    std::unique_ptr<CurlHandles> handles_;
    TransportOptions options_;
    const Clocks* clocks_;
    std::chrono::nanoseconds asleep_;
};

}  // namespace oauth3::client
