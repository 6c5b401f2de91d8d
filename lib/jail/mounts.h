#pragma once

#include "base/fd.h"
#include "jail/spec.h"

#include <string>
#include <utility>
#include <vector>

namespace oauth3::jail::mounts {

/// What a jail takes from the host: copies of mounts, made read-only and not attached yet.
struct Sources {
    base::Fd root;
    std::vector<std::pair<base::Fd, std::string>> extra;    ///< and their path in the jail
    std::vector<std::pair<base::Fd, std::string>> devices;  ///< and their name in /dev
};

/// Cuts the mount namespace off from the host's: nothing that is mounted later, on either side,
/// shows on the other.
void cut_propagation();

/// Opens everything that comes from the host. Still with the server's uid, since paths to it may
/// be private (a data folder with mode 0700). Attaches the root, on itself.
Sources take(const Isolation& isolation);

/// Fills the new root: extra mounts, /dev, /tmp, /proc. With the inside uid, since
/// new files can only belong to an id that is mapped.
void fill(const Isolation& isolation, const Sources& sources);

/// Makes `root` "/" and lets go of the host's file system for good.
void pivot(const base::Fd& root);

}  // namespace oauth3::jail::mounts
