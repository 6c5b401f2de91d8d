#include "jail/privileges.h"

#include "base/error.h"
#include "jail/namespaces.h"

#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace oauth3::jail::privileges {
namespace {

constexpr unsigned kSecureBits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                                 SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                                 SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

}  // namespace

void become_inside_user() {
    if (::prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) != 0)
        base::throw_errno("set securebits");
    // Not glibc's setresuid(), which would look for other threads to tell.
    constexpr unsigned kId = namespaces::kInsideId;
    if (::syscall(SYS_setresgid, kId, kId, kId) != 0) base::throw_errno("setresgid");
    if (::syscall(SYS_setresuid, kId, kId, kId) != 0) base::throw_errno("setresuid");
}

void leave_keyring() {
    // A kernel without CONFIG_KEYS has nothing to leave.
    if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) < 0 && errno != ENOSYS)
        base::throw_errno("leave the keyring");
}

void drop_all() {
    if (::prctl(PR_SET_SECUREBITS, kSecureBits, 0, 0, 0) != 0) base::throw_errno("set securebits");
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
        base::throw_errno("clear ambient capabilities");
    // EINVAL is the first number that this kernel does not know.
    for (unsigned long capability = 0;; ++capability)
        if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) {
            if (errno == EINVAL && capability > CAP_SYSLOG) break;
            base::throw_errno("drop the bounding set");
        }
    __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
    const std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
    if (::syscall(SYS_capset, &head, none.data()) != 0) base::throw_errno("capset");
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) base::throw_errno("set no_new_privs");
}

}  // namespace oauth3::jail::privileges
