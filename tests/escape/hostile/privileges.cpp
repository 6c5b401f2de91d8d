// Rights: other ids, capabilities, new namespaces (whose owner has all of them), an own filter.
#include "words.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>

namespace hostile {
namespace {

/// What an int keeps of a 64-bit argument: the kernel looks at the lower half alone, a filter that
/// compares the whole can be led past.
constexpr unsigned long kUpperHalf = 1UL << 32;

unsigned long kind(const std::string& name) {
    constexpr std::array<std::pair<const char*, unsigned long>, 8> kKinds{
        {{"user", CLONE_NEWUSER},
         {"mnt", CLONE_NEWNS},
         {"pid", CLONE_NEWPID},
         {"net", CLONE_NEWNET},
         {"ipc", CLONE_NEWIPC},
         {"uts", CLONE_NEWUTS},
         {"cgroup", CLONE_NEWCGROUP},
         {"time", 0x80}}};
    for (const auto& [known, flag] : kKinds)
        if (name == known) return flag;
    return 0;
}

void new_namespace(const Arguments& a) {
    tell(::unshare(static_cast<int>(kind(a.at(0)))));
}

void child_in_new_namespace(unsigned long flags) {
    const long pid = ::syscall(SYS_clone, flags | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
    if (pid == 0) ::_exit(0);
    tell(pid);
}

void clone_into(const Arguments& a) {
    child_in_new_namespace(kind(a.at(0)));
}

void clone_into_with_upper_half(const Arguments& a) {
    child_in_new_namespace(kind(a.at(0)) | kUpperHalf);
}

void clone3_into(const Arguments& a) {
    clone_args arguments{};
    arguments.flags = kind(a.at(0));
    arguments.exit_signal = SIGCHLD;
    const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid == 0) ::_exit(0);
    tell(pid);
}

void join_namespace(const Arguments& a) {
    const int fd = ::open(a.at(0).c_str(), O_RDONLY | O_CLOEXEC);
    tell(fd < 0 ? -1 : ::setns(fd, 0));
}

// Not through the C library, which would look for other threads to tell.
void become_user(const Arguments& a) {
    tell(::syscall(SYS_setuid, number(a.at(0))));
}
void become_group(const Arguments& a) {
    tell(::syscall(SYS_setgid, number(a.at(0))));
}
void become_all(const Arguments& a) {
    const long id = number(a.at(0));
    tell(::syscall(SYS_setresuid, id, id, id));
}

void join_groups(const Arguments&) {
    const gid_t root = 0;
    tell(::syscall(SYS_setgroups, 1, &root));
}

void take_capability(const Arguments&) {
    __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
    sets[0].permitted = sets[0].effective = sets[0].inheritable = 1U << CAP_SYS_ADMIN;
    tell(::syscall(SYS_capset, &head, sets.data()));
}

void unlock_root(const Arguments&) {
    tell(::prctl(PR_SET_SECUREBITS, 0, 0, 0, 0));
}

/// Harmless, and of no use to any program here: a filter that lists what is needed refuses it.
void rare_prctl(const Arguments& a) {
    const unsigned long upper = a.empty() ? 0 : kUpperHalf;
    tell(::syscall(SYS_prctl, PR_TASK_PERF_EVENTS_DISABLE | upper, 0, 0, 0, 0));
}

/// A second filter that allows everything, and then what the first forbids.
void allow_all_then_new_namespace(const Arguments&) {
    sock_filter allow{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
    const sock_fprog filter{1, &allow};
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter);
    tell(::unshare(CLONE_NEWUSER));
}

constexpr Word kWords[] = {
    {"new-namespace", new_namespace},
    {"clone-into", clone_into},
    {"clone-into-with-upper-half", clone_into_with_upper_half},
    {"clone3-into", clone3_into},
    {"join-namespace", join_namespace},
    {"become-user", become_user},
    {"become-group", become_group},
    {"become-all", become_all},
    {"join-groups", join_groups},
    {"take-capability", take_capability},
    {"unlock-root", unlock_root},
    {"rare-prctl", rare_prctl},
    {"allow-all-then-new-namespace", allow_all_then_new_namespace},
};

}  // namespace

std::span<const Word> privilege_words() {
    return kWords;
}

}  // namespace hostile
