#pragma once

#include "base/clock.h"
#include "policy/status.h"
#include "runtime/outcome.h"
#include "store/requests.h"

#include <optional>
#include <string>

namespace oauth3::orchestrator {

/// stdout and stderr of a result are at most this long each, in bytes (wire 5.7).
inline constexpr std::size_t kMaxOutput = 1 << 20;

/// The most bytes of an error: lists show many of them. The result holds the whole stderr.
inline constexpr std::size_t kMaxError = 4096;

/// What a run's end means for its request.
struct Settlement {
    policy::Status status = policy::Status::failed;
    std::optional<std::string> error;        ///< absent iff completed
    std::optional<store::ResultRow> result;  ///< absent if the program never started
};

/// Maps how a run ended to what is stored and sent. Pure.
Settlement settlement_of(const runtime::Outcome& outcome, base::Seconds timeout);

}  // namespace oauth3::orchestrator
