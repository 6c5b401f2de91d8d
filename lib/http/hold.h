#pragma once

#include "base/clock.h"
#include "http/message.h"

#include <functional>
#include <optional>
#include <string>
#include <variant>

namespace oauth3::http {

/// A reply that waits (long poll). It costs no thread and about 4 KiB. If the client closes or
/// half-closes its connection first, the Hold is destroyed at once and never asked again.
///
/// `attempt` must not refer to the Request, which is gone by then.
struct Hold {
    /// Woken by Server::wake(key).
    std::string key;
    /// Answered at the latest after this time.
    base::Millis limit{0};
    /// Asked on the loop: once before waiting, at each wake of the key, and once with `last` when
    /// the time is up or the server stops; then it must answer. nullopt means: wait on. If it
    /// throws, or has no answer at the last, the client gets Failure::internal.
    std::function<std::optional<Response>(bool last)> attempt;
};

/// What a handler returns.
using Reply = std::variant<Response, Hold>;

/// Answers one request; called on the loop, so it must not block for long.
using Handler = std::function<Reply(const Request&)>;

}  // namespace oauth3::http
