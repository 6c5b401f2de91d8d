#pragma once

#include "jail/seccomp.h"

namespace oauth3::jail {

class Cgroup;

/// The descriptors that the helper hands to a new jail's pid 1.
struct Handles {
    int job = -1;     ///< encode_job(), in memory
    int out = -1;     ///< the program's stdout
    int err = -1;     ///< and stderr
    int status = -1;  ///< where reports go
    int go = -1;  ///< read end; one byte comes once the ids are mapped, its end if the helper dies
    const Cgroup* group = nullptr;  ///< in the helper's memory, of which this is a copy
};

/// The whole life of pid 1 of a jail, right after clone3: enters isolation step by step, then runs
/// the program. A step that fails is reported by its name, and nothing is run.
[[noreturn]] void enter(const Handles& handles, const seccomp::Filters& filters) noexcept;

}  // namespace oauth3::jail
