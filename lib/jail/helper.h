#pragma once

#include "base/fd.h"

#include <cstddef>

namespace oauth3::jail {

inline constexpr std::size_t kMaxReady = 4096;

/// The whole life of the helper process, right after fork: takes jobs from `socket`, starts a jail
/// for each, reaps them, and ends, killing all of them, when the other end of the socket closes.
///
/// Its first packet says what it can do: a Ready and the text of Spawner::held_reasons(),
/// cut to kMaxReady bytes. A job is one packet, encode(Isolation), with the four descriptors that a
/// jail gets (Origin::line).
[[noreturn]] void run_helper(base::Fd socket) noexcept;

}  // namespace oauth3::jail
