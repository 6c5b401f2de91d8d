#pragma once

#include "base/fd.h"

#include <sys/types.h>

#include <string>

namespace oauth3::jail::namespaces {

/// The uid and gid that the jailed program has in its own eyes.
inline constexpr unsigned kInsideId = 1000;

/// As clone3(2): 0 in the child, which is pid 1 of new namespaces of every kind (but cgroup: see
/// leave_cgroups()) and has a user id that is mapped nowhere yet. It starts in the version 2 group
/// `cgroup`, unless that is -1. The parent gets the pid and a descriptor for it. Only for a process
/// with a single thread. Throws SystemError.
pid_t clone_into_new(int cgroup, base::Fd& pidfd);

/// The same without new namespaces.
pid_t clone_into(int cgroup, base::Fd& pidfd);

/// In the child, once it is in its groups: they are "/" to it from here on. A namespace that
/// clone3(2) makes would begin at the parent's groups, even with CLONE_INTO_CGROUP.
void leave_cgroups();

/// Maps kInsideId in the user namespace of `pid` to the given ids of the host, and nothing else.
/// Called by the parent, since only it may choose ids other than its own. Throws SystemError.
void map_ids(pid_t pid, uid_t host_uid, gid_t host_gid);

/// The same for subordinate ids (subuid(5)), by newuidmap and newgidmap.
void map_subordinate_ids(pid_t pid, uid_t host_uid, gid_t host_gid);

/// In the child: no further user namespaces, in which the program would have capabilities again
/// and reach parts of the kernel that are closed to it. Needs the host's /proc.
void forbid_nested();

/// In the child: how many files the whole jail may watch (inotify(7), fanotify(7)). As above.
void limit_watches();

/// In the child: host name, and no domain name.
void set_names(const std::string& hostname);

}  // namespace oauth3::jail::namespaces
