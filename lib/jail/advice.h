#pragma once

#include <string>

namespace oauth3::jail {

/// How the owner of this machine can mend a step of a jail's set-up that failed with this errno
/// value, from what the kernel's own switches say. Empty if nothing is known.
std::string advice_for(int number);

}  // namespace oauth3::jail
