#pragma once

#include "jail/spawner.h"
#include "jail/spec.h"

#include <string>
#include <string_view>
#include <vector>

namespace oauth3::jail {

/// How well a protection holds on this machine, for this user.
enum class Verdict {
    yes,
    weaker,  ///< it holds, but less than it could: `seen` says in what
    watch,   ///< a limit that this program holds instead of the kernel, up to 1 s late
    no,
};

/// The word of the enum.
std::string_view to_string(Verdict verdict);

/// One protection, and what was seen of it.
struct Finding {
    std::string name;  ///< a few words joined by dashes, such as "system-calls"
    Verdict verdict = Verdict::no;
    std::string seen;  ///< what was tried, and what came of it: one sentence
    std::string mend;  ///< what to do about it, if anything can be done
};

/// What a check-up found: one row for each protection, always the same ones in the same order.
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
/// the jails can be made. Layers in `without` are left out from the start, and found missing.
CheckUp check_up(const Spawner& spawner, const Without& without = {});

}  // namespace oauth3::jail
