#pragma once

#include "jail/finding.h"
#include "jail/spawner.h"
#include "jail/spec.h"

#include <string>
#include <vector>

namespace oauth3::jail {

/// What a check-up found: one row for each protection, always in the same order; only "sandbox"
/// where no jail can be had.
struct CheckUp {
    std::vector<Finding> findings;
    /// What jails on this machine have to be made without. A layer that is missing has the verdict
    /// `no` among the findings.
    Without without;
};

/// The findings that are a `no` and not named in `accepted`. With any, no program must be run.
std::vector<Finding> unacceptable(const CheckUp& found, const std::vector<std::string>& accepted);

/// Starts a few throw-away jails, in which this program itself tries what must fail, and looks at
/// what came of it. Takes well under a second. Throws SystemError if not even an empty folder for
/// the jails can be made, and what Spawner::launch() does once a first jail could be had. Layers in
/// `without` are left out from the start, and found missing.
CheckUp check_up(const Spawner& spawner, const Without& without = {});

}  // namespace oauth3::jail
