#pragma once

#include "base/secret_string.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

// One HTTP exchange at a time over libcurl, ended by a deadline or by an interrupt at once.

namespace oauth3::client {

using Moment = std::chrono::steady_clock::time_point;

/// How an exchange ended.
enum class Ending {
    answered,
    network,    ///< no connection, or it broke
    untrusted,  ///< the server's TLS certificate cannot be verified
    garbage,    ///< what came is not HTTP, or too big
    deadline,
    interrupted,
};

struct Exchange {
    bool post = false;
    std::string url;
    std::string body = {};                    ///< JSON; only for POST
    const base::SecretString* key = nullptr;  ///< sent as bearer key unless null or empty
    std::string idempotency_key = {};
    Moment deadline;
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

/// Keeps connections between exchanges. A POST always gets a new one, for libcurl silently sends a
/// request again when a kept connection turns out to be dead.
class Transport {
  public:
    /// `loopback`: the server is this machine, so no proxy of the environment is used.
    /// `interrupt_fd`: as in Client::Options.
    Transport(bool loopback, int interrupt_fd);
    ~Transport();
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;

    Outcome run(const Exchange& exchange);

    /// Sleeps until `moment`. False if it was interrupted.
    bool sleep_until(Moment moment) const;

  private:
    struct Handles;
    std::unique_ptr<Handles> handles_;
    bool loopback_;
    int interrupt_fd_;
};

}  // namespace oauth3::client
