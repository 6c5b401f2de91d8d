#pragma once

#include "jail/cgroup_find.h"

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

/// Where groups for jails can be made: below the group that this process is in, in a folder for
/// each life of the server, which says by its name whose it is.
namespace oauth3::jail::cgroups {

/// One hierarchy in which jails get groups.
struct Branch {
    bool unified = false;
    std::string own;     ///< the group that the server was in when it started
    std::string folder;  ///< the one of this life, below it
    bool memory = false;
    bool tasks = false;
    bool cpu = false;
    bool account = false;  ///< processor time is counted here
    /// Version 2: what was switched on in `own` for this life, and whether the server had to move.
    std::vector<std::string> enabled = {};
    bool moved = false;
};

/// "oauth3-<pid namespace>-<pid>-<start time>" of this process.
std::string name_of_life();

/// True if `name` is made as name_of_life() does, in this pid namespace, and that process is gone.
bool is_of_dead(std::string_view name);

/// Kills and removes what lives below `own` left that ended without tidying up. Never what belongs
/// to a process that lives or that this one cannot see.
void sweep(const std::string& own);

/// Switches on `wanted` for the groups below `own`, one by one. Version 2 allows that only where no
/// process is, the root excepted: if there are none but `ours`, they move to `leaf`, which is made.
/// Returns what is on now; says in `moved` whether they did.
std::vector<std::string> enable(const std::string& own, const std::vector<std::string>& wanted,
                                const std::vector<pid_t>& ours, const std::string& leaf,
                                bool& moved);

/// Makes the folder of this life in one place, after a sweep. Nothing useful comes of most places:
/// then what is returned has no folder, and `reasons` gets one sentence if there should have been
/// one.
Branch settle(const Place& place, std::vector<std::string>& reasons);

/// The reverse. The groups of jails in it must be gone.
void unsettle(const Branch& branch) noexcept;

}  // namespace oauth3::jail::cgroups
