#pragma once

#include "jail/spec.h"

namespace oauth3::jail::files {

/// In the jail: makes the job's files below /tmp, and its working folder if that is there.
/// Throws SystemError.
void lay(const Job& job);

}  // namespace oauth3::jail::files
