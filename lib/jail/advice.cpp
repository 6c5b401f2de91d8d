#include "jail/advice.h"

#include "base/error.h"
#include "base/files.h"

#include <cerrno>

namespace oauth3::jail {
namespace {

/// The first character of a switch of the kernel, or '?' where this kernel does not have it.
char switch_of_kernel(const char* path) {
    try {
        const std::string text = base::read_file(path, 4096);
        return text.empty() ? '?' : text.front();
    } catch (const base::Error&) {
        return '?';
    }
}

}  // namespace

std::string advice_for(int number) {
    switch (number) {
        case EPERM:
        case EACCES:
        case ENOSPC:
        case EUSERS:
            break;
        case ENOSYS:
        case EINVAL:
            return "Linux 5.12 or newer is needed, with all kinds of namespaces built in";
        default:
            return {};
    }
    if (switch_of_kernel("/proc/sys/user/max_user_namespaces") == '0')
        return "user namespaces are switched off: sysctl user.max_user_namespaces=10000";
    if (number == ENOSPC) return "too many namespaces: raise the sysctls user.max_*_namespaces";
    if (switch_of_kernel("/proc/sys/kernel/unprivileged_userns_clone") == '0')
        return "user namespaces are forbidden to ordinary users: "
               "sysctl kernel.unprivileged_userns_clone=1";
    if (switch_of_kernel("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == '1')
        return "AppArmor forbids user namespaces to ordinary users: give oauth3 a profile with "
               "\"userns,\", or sysctl kernel.apparmor_restrict_unprivileged_userns=0";
    return "inside a container, it must be allowed to make user namespaces and to mount /proc";
}

}  // namespace oauth3::jail
