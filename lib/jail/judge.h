#pragma once

#include "jail/finding.h"

#include <string>

namespace oauth3::jail {

/// Judges what a program told of its surroundings (Probe::surroundings): adds the findings "user",
/// "files", "processes", "network", "namespaces", "privileges", "system-calls" and "landlock".
/// `separate_ids` as Spawner::has_separate_ids(). To be called outside the jail, whose namespaces
/// are compared with the caller's.
void judge(const std::string& told, bool separate_ids, Findings& findings);

}  // namespace oauth3::jail
