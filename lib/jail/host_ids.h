#pragma once

#include <sys/types.h>

#include <optional>
#include <string_view>

namespace oauth3::jail {

/// First of the host's user ids that jails run as when the server is root, one for each of
/// kMaxJails slots. It lies above all ranges that distributions, systemd and container tools give
/// away (the last ends at 1879048191), and below 2^31.
inline constexpr uid_t kFirstHostId = 1'879'048'192;

/// The host ids that jails get.
struct HostIds {
    uid_t uid = 0;
    gid_t gid = 0;
    /// Each jail has ids of its own: those above + the number of its slot. Otherwise all have
    /// these ones, which are the server's own.
    bool separate = false;
    /// The ids are subordinate ones of an ordinary user (subuid(5)): only newuidmap and newgidmap
    /// may map them.
    bool by_tool = false;
};

/// What the given user may map. `id_map` is the text of /proc/self/uid_map: root in a container
/// may have too few ids, or others than the usual ones; the last kMaxJails of its largest range
/// are taken then, or, like an ordinary user, its own id.
HostIds choose_host_ids(uid_t uid, gid_t gid, std::string_view id_map);

/// The first of at least kMaxJails subordinate ids that a user has, or nothing. `subids` is the
/// text of /etc/subuid or /etc/subgid, whose lines name a user by name or number; `passwd`, that of
/// /etc/passwd, says which names are this user's.
std::optional<uid_t> subordinate_ids(std::string_view subids, std::string_view passwd, uid_t uid);

/// Ids for the jails of the calling process, from the files of this machine and after a trial. To
/// be called while it has one thread.
HostIds usable_host_ids();

}  // namespace oauth3::jail
