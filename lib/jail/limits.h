#pragma once

#include "jail/spec.h"

namespace oauth3::jail::limits {

/// Sets the resource limits, soft and hard, of this process and its children. Never above a hard
/// limit that there is. Throws SystemError.
void apply(const Limits& limits);

/// Job::cpu_seconds, likewise.
void limit_cpu(std::uint64_t seconds);

}  // namespace oauth3::jail::limits
