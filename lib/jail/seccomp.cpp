#include "jail/seccomp.h"

#include "base/error.h"
#include "base/fd.h"
#include "jail/namespaces.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace oauth3::jail::seccomp {
namespace {

using Names = std::span<const char* const>;

/// What any program does, and what pid 1 of the jail and the start of a program need.
constexpr const char* kCommon[] = {
    // memory
    "brk", "madvise", "mmap", "mprotect", "mremap", "munmap", "pkey_alloc",
    // itself, its threads, its end
    "arch_prctl", "execve", "exit", "exit_group", "futex", "getegid", "geteuid", "getgid", "getpid",
    "getppid", "getrandom", "getrusage", "gettid", "getuid", "membarrier", "restart_syscall",
    "rseq", "sched_getaffinity", "sched_getparam", "sched_getscheduler", "sched_yield",
    "set_robust_list", "set_tid_address", "setsid", "sysinfo", "uname", "wait4",
    // signals: tgkill is abort(); no other process is reached by it, nor by anything outside
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "tgkill",
    // time
    "clock_getres", "clock_gettime", "clock_nanosleep", "gettimeofday", "nanosleep", "time",
    // files and pipes
    "access", "chdir", "close", "dup", "dup2", "dup3", "fchown", "fcntl", "fdatasync", "fstat",
    "fsync", "ftruncate", "getcwd", "getdents64", "lseek", "lstat", "mkdir", "newfstatat", "openat",
    "pipe2", "pread64", "pwrite64", "read", "readlink", "readv", "rename", "stat", "statx",
    "symlink", "unlink", "write", "writev",
    // waiting
    "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_wait", "eventfd2", "poll", "ppoll",
    // sockets; which families, is a condition below
    "bind", "connect", "getpeername", "getsockname", "getsockopt", "recvfrom", "recvmsg",
    "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown"};

/// Children, jobs and files, as a shell handles them.
constexpr const char* kShell[] = {"alarm",         "chmod",           "copy_file_range",
                                  "creat",         "faccessat",       "fadvise64",
                                  "fallocate",     "fchdir",          "fchmod",
                                  "fchmodat",      "flock",           "fork",
                                  "fstatfs",       "getdents",        "getgroups",
                                  "getitimer",     "getpgid",         "getpgrp",
                                  "getpriority",   "getresgid",       "getresuid",
                                  "getrlimit",     "getsid",          "kill",
                                  "link",          "linkat",          "mkdirat",
                                  "open",          "pause",           "pipe",
                                  "pselect6",      "readlinkat",      "renameat",
                                  "renameat2",     "rmdir",           "rt_sigpending",
                                  "rt_sigsuspend", "rt_sigtimedwait", "select",
                                  "sendfile",      "setitimer",       "setpgid",
                                  "setpriority",   "setrlimit",       "splice",
                                  "statfs",        "symlinkat",       "tee",
                                  "times",         "tkill",           "truncate",
                                  "umask",         "unlinkat",        "utime",
                                  "utimensat",     "utimes",          "vfork",
                                  "waitid"};

/// Interpreters with a large standard library.
constexpr const char* kPython[] = {"accept",
                                   "accept4",
                                   "epoll_create",
                                   "eventfd",
                                   "fchownat",
                                   "inotify_add_watch",
                                   "inotify_init1",
                                   "inotify_rm_watch",
                                   "listen",
                                   "memfd_create",
                                   "mincore",
                                   "mlock",
                                   "msync",
                                   "munlock",
                                   "preadv",
                                   "pwritev",
                                   "recvmmsg",
                                   "rt_sigqueueinfo",
                                   "sched_get_priority_max",
                                   "sched_get_priority_min",
                                   "signalfd4",
                                   "sync_file_range",
                                   "timer_create",
                                   "timer_delete",
                                   "timer_getoverrun",
                                   "timer_gettime",
                                   "timer_settime",
                                   "timerfd_create",
                                   "timerfd_gettime",
                                   "timerfd_settime"};

/// Compilers, package managers, version control.
constexpr const char* kBuild[] = {
    "chown",      "fgetxattr",     "flistxattr",        "futimesat", "getcpu",     "getxattr",
    "ioprio_get", "lchown",        "lgetxattr",         "listxattr", "llistxattr", "preadv2",
    "pwritev2",   "sched_getattr", "sched_setaffinity", "sync",      "syncfs"};

/// Calls that libseccomp knows and that are yet refused with ENOSYS: the C library then makes an
/// older call, whose arguments a filter can see.
constexpr const char* kFallBack[] = {"clone3", "openat2", "faccessat2", "epoll_pwait2",
                                     "close_range"};

/// With this call the second program is installed under the first, which hence allows it; the
/// second refuses it.
constexpr const char* kInstall = "seccomp";

/// One allowed combination of a call's arguments.
struct Condition {
    const char* call;
    std::vector<scmp_arg_cmp> arguments;
};

scmp_arg_cmp equal(unsigned argument, std::uint64_t value) {
    // The kernel takes most of these as 32 bits and ignores the others, and so does this.
    return scmp_arg_cmp{argument, SCMP_CMP_MASKED_EQ, 0xffffffffU, value};
}

scmp_arg_cmp masked(unsigned argument, std::uint64_t mask, std::uint64_t value) {
    return scmp_arg_cmp{argument, SCMP_CMP_MASKED_EQ, mask, value};
}

void add_common_conditions(std::vector<Condition>& out) {
    // No namespaces: within a new user namespace a program would have capabilities again.
    // (CLONE_NEWTIME shares its bit with the exit signal, and clone() does not know it.)
    constexpr std::uint64_t kNew = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                   CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
    out.push_back({"clone", {masked(0, kNew, 0)}});

    // Local streams and datagrams, TCP and UDP: nothing raw, no netlink, vsock, packet, bluetooth
    // ..., and no other protocol of IP, which the kernel would load for whoever asks (SCTP,
    // UDP-Lite), or which passes where TCP is refused (MPTCP under Landlock).
    constexpr std::uint64_t kType = 0xf;
    const auto of_type = [](int type) {
        return masked(1, kType, static_cast<std::uint64_t>(type));
    };
    for (const int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}) {
        out.push_back({"socket", {equal(0, AF_UNIX), of_type(type)}});
        out.push_back({"socketpair", {equal(0, AF_UNIX), of_type(type)}});
    }
    for (const int family : {AF_INET, AF_INET6})
        for (const auto& [type, protocol] :
             {std::pair(SOCK_STREAM, 0), std::pair(SOCK_STREAM, int{IPPROTO_TCP}),
              std::pair(SOCK_DGRAM, 0), std::pair(SOCK_DGRAM, int{IPPROTO_UDP})})
            out.push_back({"socket",
                           {equal(0, static_cast<std::uint64_t>(family)), of_type(type),
                            equal(2, static_cast<std::uint64_t>(protocol))}});

    // Not TIOCSTI and TIOCLINUX, which type into a terminal; nothing of devices.
    for (const int request : {TCGETS, TCSETS, TCSETSW, TCSETSF, TIOCGWINSZ, TIOCGPGRP, TIOCSPGRP,
                              TIOCOUTQ, FIONREAD, FIONBIO, FIOASYNC, FIOCLEX, FIONCLEX})
        out.push_back({"ioctl", {equal(1, static_cast<std::uint64_t>(request))}});

    // Names of threads and of memory, death signals and slack. Nothing of privileges, and no
    // seccomp of one's own.
    for (const int option :
         {PR_SET_NAME, PR_GET_NAME, PR_SET_PDEATHSIG, PR_GET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_VMA,
          PR_GET_NO_NEW_PRIVS, PR_GET_SECCOMP, PR_GET_SECUREBITS, PR_SET_TIMERSLACK,
          PR_GET_TIMERSLACK, PR_SET_THP_DISABLE, PR_GET_THP_DISABLE})
        out.push_back({"prctl", {equal(0, static_cast<std::uint64_t>(option))}});

    // Its own limits only; a hard limit can only go down.
    out.push_back({"prlimit64", {equal(0, 0)}});
}

void add_shell_conditions(std::vector<Condition>& out) {
    // Pipes and plain files; devices would need a privilege anyway.
    for (const int kind : {S_IFIFO, S_IFREG, 0}) {
        const auto type = static_cast<std::uint64_t>(kind);
        out.push_back({"mknod", {masked(1, S_IFMT, type)}});
        out.push_back({"mknodat", {masked(2, S_IFMT, type)}});
    }
    // To become whom it is already, as posix_spawn() does when it is told to give up privileges.
    for (const char* call : {"setresuid", "setresgid"})
        out.push_back(
            {call,
             {equal(0, 0xffffffffU), equal(1, namespaces::kInsideId), equal(2, 0xffffffffU)}});
    // To ask, and to set what is set already: others weaken address randomisation.
    out.push_back({"personality", {equal(0, 0xffffffffU)}});
    out.push_back({"personality", {equal(0, 0)}});
}

std::vector<Names> lists(SyscallProfile profile) {
    switch (profile) {
        case SyscallProfile::deno:
            return {kCommon};
        case SyscallProfile::shell:
            return {kCommon, kShell};
        case SyscallProfile::python:
            return {kCommon, kShell, kPython};
        case SyscallProfile::build:
            return {kCommon, kShell, kPython, kBuild};
    }
    return {};
}

std::vector<Condition> conditions(SyscallProfile profile) {
    std::vector<Condition> out;
    add_common_conditions(out);
    if (profile != SyscallProfile::deno) add_shell_conditions(out);
    return out;
}

struct Release {
    void operator()(void* context) const { seccomp_release(context); }
};
using Context = std::unique_ptr<void, Release>;

/// libseccomp returns a negative errno value.
void check(int result, std::string_view step) {
    if (result < 0) throw base::SystemError(-result, "seccomp: " + std::string(step));
}

Context new_context(int refusal) {
    Context context(seccomp_init(SCMP_ACT_ERRNO(static_cast<std::uint32_t>(refusal))));
    if (!context) throw base::SystemError(ENOMEM, "seccomp: make a filter");
    check(seccomp_attr_set(context.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS),
          "foreign architectures");
    check(seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2), "optimise");
    return context;
}

std::vector<sock_filter> program_of(const Context& context) {
    const base::Fd file(::memfd_create("oauth3-filter", MFD_CLOEXEC));
    if (!file) base::throw_errno("memfd_create");
    check(seccomp_export_bpf(context.get(), file.get()), "compile");
    const off_t size = ::lseek(file.get(), 0, SEEK_END);
    std::vector<sock_filter> out(static_cast<std::size_t>(size) / sizeof(sock_filter));
    const auto bytes = static_cast<ssize_t>(out.size() * sizeof(sock_filter));
    if (size <= 0 || ::pread(file.get(), out.data(), static_cast<std::size_t>(bytes), 0) != bytes)
        throw base::SystemError(EIO, "seccomp: read the compiled filter");
    return out;
}

void allow(const Context& context, const char* name,
           const std::vector<scmp_arg_cmp>& arguments = {}) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number < 0) return;  // this architecture does not have it
    check(seccomp_rule_add_array(context.get(), SCMP_ACT_ALLOW, number,
                                 static_cast<unsigned>(arguments.size()), arguments.data()),
          name);
}

std::vector<sock_filter> compile_listed(SyscallProfile profile) {
    const Context context = new_context(EPERM);
    for (const Names& names : lists(profile))
        for (const char* name : names) allow(context, name);
    for (const Condition& condition : conditions(profile))
        allow(context, condition.call, condition.arguments);
    allow(context, kInstall);
    return program_of(context);
}

std::vector<sock_filter> compile_known() {
    const Context context = new_context(ENOSYS);
    // No architecture has this many, so that all that libseccomp knows are met.
    constexpr int kNumbers = 1024;
    for (int number = 0; number < kNumbers; ++number) {
        const std::unique_ptr<char, decltype(&std::free)> name(
            seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number), &std::free);
        if (!name || std::find(std::begin(kFallBack), std::end(kFallBack),
                               std::string_view(name.get())) != std::end(kFallBack))
            continue;
        if (name.get() != std::string_view(kInstall)) allow(context, name.get());
    }
    check(seccomp_rule_add(context.get(), SCMP_ACT_ERRNO(EPERM),
                           seccomp_syscall_resolve_name(kInstall), 0),
          kInstall);
    return program_of(context);
}

void install(const std::vector<sock_filter>& program) {
    // The kernel only reads it.
    const sock_fprog given{static_cast<unsigned short>(program.size()),
                           const_cast<sock_filter*>(program.data())};
    if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &given) != 0)
        base::throw_errno("install the system-call filter");
}

}  // namespace

Filters compile_all() {
    const std::vector<sock_filter> known = compile_known();
    Filters filters;
    for (std::size_t i = 0; i < filters.size(); ++i)
        filters[i] = {compile_listed(static_cast<SyscallProfile>(i)), known};
    return filters;
}

std::vector<std::string_view> allowed(SyscallProfile profile) {
    std::vector<std::string_view> out;
    for (const Names& names : lists(profile)) out.insert(out.end(), names.begin(), names.end());
    for (const Condition& condition : conditions(profile)) out.push_back(condition.call);
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

void apply(const Filter& filter) {
    // Both must allow a call; where both refuse, the errno value of the later one counts.
    install(filter.listed);
    install(filter.known);
}

}  // namespace oauth3::jail::seccomp
