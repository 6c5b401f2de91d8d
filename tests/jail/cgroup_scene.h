#pragma once

#include "jail/cgroup_find.h"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace oauth3::jail::test {

inline constexpr std::uint64_t kMegabyte = std::uint64_t{1} << 20;

/// Where a process is in each hierarchy of this machine.
std::vector<cgroups::Place> places_of(const std::string& pid);

/// Those of this process that it can make groups in.
std::vector<cgroups::Place> own_places();

/// Of those, the one with this controller; "unified" for version 2.
std::optional<cgroups::Place> own_place(const std::string& controller);

/// The folders that the helper with this pid has in any hierarchy, those of jails included.
std::vector<std::string> groups_of(pid_t helper);

}  // namespace oauth3::jail::test
