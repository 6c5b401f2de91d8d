#pragma once

#include "jail/spec.h"

namespace oauth3::jail::limits {

/// Sets the resource limits, soft and hard, of this process and its children. Never above a hard
/// limit that there is. Throws SystemError.
void apply(const Limits& limits);

}  // namespace oauth3::jail::limits
