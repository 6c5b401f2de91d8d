#pragma once

#include "jail/job.h"

namespace oauth3::jail {

/// What pid 1 of a jail does once the jail stands: starts the program, reaps whatever dies, reports
/// the program's end to `status` and ends. The kernel then kills all that is left in the jail.
[[noreturn]] void run_init(const Job& job, int status);

}  // namespace oauth3::jail
