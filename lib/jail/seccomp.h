#pragma once

#include "jail/spec.h"

#include <linux/filter.h>

#include <array>
#include <string_view>
#include <vector>

/// The system-call filter: seccomp(2), compiled by libseccomp. Default-deny: what a profile does
/// not name is refused, with EPERM if it is a call that existed when libseccomp was made, and with
/// ENOSYS if not, so that the C library falls back to an older one. Calls of a foreign
/// architecture (32-bit, x32) kill the process.
namespace oauth3::jail::seccomp {

/// One profile, as the kernel takes it: two programs that both must allow a call.
struct Filter {
    std::vector<sock_filter> listed;  ///< else EPERM
    std::vector<sock_filter> known;   ///< else ENOSYS; to be installed last, since it wins
};

/// The filters of all profiles, by the profile's number.
using Filters = std::array<Filter, kSyscallProfiles>;

/// Some milliseconds of work, to be done before there is a jail. Throws SystemError.
Filters compile_all();

/// The names of the calls that a profile allows, those with conditions on their arguments
/// included.
std::vector<std::string_view> allowed(SyscallProfile profile);

/// Puts the calling thread under the filter, for good, and all that it starts. Wants no_new_privs.
/// Throws SystemError.
void apply(const Filter& filter);

}  // namespace oauth3::jail::seccomp
