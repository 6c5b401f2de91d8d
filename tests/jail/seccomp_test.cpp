// The system-call filter by itself: what the compiled programs answer for every number, and that a
// jailed program is under them.
#include "jail/seccomp.h"

#include "jail/fixture.h"
#include "support/catch.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <set>

using namespace oauth3;
using namespace oauth3::jail;
using namespace oauth3::jail::test;

namespace {

using Arguments = std::array<std::uint64_t, 6>;

constexpr std::uint32_t kNative = AUDIT_ARCH_X86_64;

/// Runs a classic BPF program over one call, as the kernel does: only what libseccomp emits.
std::uint32_t evaluate(const std::vector<sock_filter>& program, const seccomp_data& data) {
    std::uint32_t a = 0;
    for (std::size_t pc = 0; pc < program.size(); ++pc) {
        const sock_filter& op = program[pc];
        const auto jump = [&](bool taken) { pc += taken ? op.jt : op.jf; };
        switch (op.code) {
            case BPF_LD | BPF_W | BPF_ABS:
                REQUIRE(op.k + 4 <= sizeof data);
                std::memcpy(&a, reinterpret_cast<const char*>(&data) + op.k, 4);
                break;
            case BPF_ALU | BPF_AND | BPF_K:
                a &= op.k;
                break;
            case BPF_JMP | BPF_JEQ | BPF_K:
                jump(a == op.k);
                break;
            case BPF_JMP | BPF_JGT | BPF_K:
                jump(a > op.k);
                break;
            case BPF_JMP | BPF_JGE | BPF_K:
                jump(a >= op.k);
                break;
            case BPF_JMP | BPF_JA:
                pc += op.k;
                break;
            case BPF_RET | BPF_K:
                return op.k;
            default:
                FAIL("an instruction that this test does not know: " << op.code);
        }
    }
    FAIL("the program has no end");
    return 0;
}

/// "allow", "kill" or the errno value that a call gets: the strictest of both programs, and the
/// value of the later where both refuse.
std::string answer(const seccomp::Filter& filter, long number, const Arguments& arguments = {},
                   std::uint32_t architecture = kNative) {
    seccomp_data data{};
    data.nr = static_cast<int>(number);
    data.arch = architecture;
    std::copy(arguments.begin(), arguments.end(), std::begin(data.args));
    const std::uint32_t listed = evaluate(filter.listed, data);
    const std::uint32_t known = evaluate(filter.known, data);
    if (listed == SECCOMP_RET_KILL_PROCESS || known == SECCOMP_RET_KILL_PROCESS) return "kill";
    const std::uint32_t refused = known != SECCOMP_RET_ALLOW ? known : listed;
    if (refused == SECCOMP_RET_ALLOW) return "allow";
    REQUIRE((refused & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO);
    return strerrorname_np(static_cast<int>(refused & SECCOMP_RET_DATA));
}

const seccomp::Filters& filters() {
    static const seccomp::Filters all = seccomp::compile_all();
    return all;
}

const seccomp::Filter& filter(SyscallProfile profile) {
    return filters()[static_cast<std::size_t>(profile)];
}

constexpr std::array kProfiles = {SyscallProfile::deno, SyscallProfile::shell,
                                  SyscallProfile::python, SyscallProfile::build};

}  // namespace

TEST_CASE("the doors of the kernel are shut in every profile") {
    const std::vector<long> shut = {SYS_mount,
                                    SYS_umount2,
                                    SYS_pivot_root,
                                    SYS_chroot,
                                    SYS_open_tree,
                                    SYS_move_mount,
                                    SYS_fsopen,
                                    SYS_fsconfig,
                                    SYS_fsmount,
                                    SYS_fspick,
                                    SYS_mount_setattr,
                                    SYS_open_by_handle_at,
                                    SYS_name_to_handle_at,
                                    SYS_unshare,
                                    SYS_setns,
                                    SYS_ptrace,
                                    SYS_process_vm_readv,
                                    SYS_process_vm_writev,
                                    SYS_process_madvise,
                                    SYS_pidfd_getfd,
                                    SYS_pidfd_open,
                                    SYS_pidfd_send_signal,
                                    SYS_kcmp,
                                    SYS_add_key,
                                    SYS_request_key,
                                    SYS_keyctl,
                                    SYS_bpf,
                                    SYS_io_uring_setup,
                                    SYS_io_uring_enter,
                                    SYS_io_uring_register,
                                    SYS_userfaultfd,
                                    SYS_perf_event_open,
                                    SYS_init_module,
                                    SYS_finit_module,
                                    SYS_delete_module,
                                    SYS_kexec_load,
                                    SYS_kexec_file_load,
                                    SYS_reboot,
                                    SYS_swapon,
                                    SYS_swapoff,
                                    SYS_syslog,
                                    SYS_acct,
                                    SYS_quotactl,
                                    SYS_sethostname,
                                    SYS_setdomainname,
                                    SYS_settimeofday,
                                    SYS_clock_settime,
                                    SYS_adjtimex,
                                    SYS_clock_adjtime,
                                    SYS_iopl,
                                    SYS_ioperm,
                                    SYS_setuid,
                                    SYS_setgid,
                                    SYS_setresuid,
                                    SYS_setresgid,
                                    SYS_setgroups,
                                    SYS_capset,
                                    SYS_seccomp,
                                    SYS_memfd_secret,
                                    SYS_landlock_create_ruleset,
                                    SYS_move_pages,
                                    SYS_migrate_pages,
                                    SYS_mbind,
                                    SYS_fanotify_init,
                                    SYS_lookup_dcookie,
                                    SYS_vhangup,
                                    SYS_modify_ldt,
                                    SYS_shmget,
                                    SYS_msgget,
                                    SYS_semget,
                                    SYS_mq_open,
                                    SYS_vmsplice,
                                    SYS_remap_file_pages,
                                    SYS_nfsservctl};
    for (const SyscallProfile profile : kProfiles)
        for (const long number : shut) {
            INFO("call " << number << " in profile " << static_cast<int>(profile));
            CHECK(answer(filter(profile), number) == "EPERM");
        }
}

TEST_CASE("what no list knows is ENOSYS, and so is what hides its arguments") {
    for (const SyscallProfile profile : kProfiles) {
        for (const long number : {SYS_clone3, SYS_openat2, SYS_faccessat2, SYS_close_range})
            CHECK(answer(filter(profile), number) == "ENOSYS");
        for (const long number : {1000L, 4095L, 100'000L, 0x3fffffffL})
            CHECK(answer(filter(profile), number) == "ENOSYS");
    }
}

TEST_CASE("foreign architectures and x32 end the process") {
    constexpr long kX32 = 0x40000000;
    for (const SyscallProfile profile : kProfiles) {
        CHECK(answer(filter(profile), SYS_read) == "allow");
        CHECK(answer(filter(profile), kX32 + SYS_read) == "kill");
        CHECK(answer(filter(profile), 3, {}, AUDIT_ARCH_I386) == "kill");
        CHECK(answer(filter(profile), 63, {}, AUDIT_ARCH_AARCH64) == "kill");
    }
}

TEST_CASE("nothing but what a list names is allowed, for any number and argument") {
    std::set<long> always;
    for (const SyscallProfile profile : kProfiles) {
        std::size_t count = 0;
        for (long number = 0; number < 1024; ++number)
            for (const std::uint64_t argument :
                 {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
                Arguments all{};
                all.fill(argument);
                if (answer(filter(profile), number, all) == "allow") {
                    ++count;
                    break;
                }
            }
        INFO("profile " << static_cast<int>(profile));
        CHECK(count <= seccomp::allowed(profile).size());
        CHECK(count > 60);
    }
    // Each wider profile allows all that the narrower one does.
    for (std::size_t i = 1; i < kProfiles.size(); ++i) {
        const auto narrow = seccomp::allowed(kProfiles[i - 1]);
        const auto wide = seccomp::allowed(kProfiles[i]);
        CHECK(std::includes(wide.begin(), wide.end(), narrow.begin(), narrow.end()));
        CHECK(wide.size() > narrow.size());
    }
}

TEST_CASE("clone makes threads and processes, and no namespace") {
    const auto clone = [](std::uint64_t flags) {
        return answer(filter(SyscallProfile::deno), SYS_clone, {flags, 0, 0, 0, 0, 0});
    };
    constexpr std::uint64_t kThread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
                                      CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |
                                      CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
    CHECK(clone(kThread) == "allow");
    CHECK(clone(SIGCHLD | CLONE_CHILD_SETTID) == "allow");
    for (const std::uint64_t flag : {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                                     CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET}) {
        CHECK(clone(flag) == "EPERM");
        CHECK(clone(flag | kThread) == "EPERM");
        CHECK(clone(flag | SIGCHLD) == "EPERM");
    }
}

TEST_CASE("sockets are local or IP streams and datagrams") {
    const auto socket = [](std::uint64_t family, std::uint64_t type) {
        return answer(filter(SyscallProfile::build), SYS_socket, {family, type, 0, 0, 0, 0});
    };
    for (const int family : {AF_UNIX, AF_INET, AF_INET6})
        for (const int type : std::array<int, 3>{SOCK_STREAM, SOCK_DGRAM,
                                                 SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK})
            CHECK(socket(static_cast<std::uint64_t>(family), static_cast<std::uint64_t>(type)) ==
                  "allow");
    CHECK(socket(AF_UNIX, SOCK_SEQPACKET) == "allow");
    for (std::uint64_t family = 0; family < 64; ++family)
        for (std::uint64_t type = 0; type < 16; ++type) {
            const bool ip = family == AF_INET || family == AF_INET6;
            const bool plain = type == SOCK_STREAM || type == SOCK_DGRAM;
            const bool good =
                (ip && plain) || (family == AF_UNIX && (plain || type == SOCK_SEQPACKET));
            INFO("family " << family << " type " << type);
            CHECK(socket(family, type) == (good ? "allow" : "EPERM"));
            // The kernel looks at the lower half alone: what stands above must not open a door.
            if (!good) CHECK(socket(family | (std::uint64_t{1} << 32), type) == "EPERM");
        }
}

TEST_CASE("ioctl, prctl, prlimit and personality do a few harmless things") {
    const seccomp::Filter& widest = filter(SyscallProfile::build);
    const auto ioctl = [&](std::uint64_t request) {
        return answer(widest, SYS_ioctl, {0, request, 0, 0, 0, 0});
    };
    CHECK(ioctl(FIONBIO) == "allow");
    CHECK(ioctl(TCGETS) == "allow");
    for (const std::uint64_t high : {std::uint64_t{0}, std::uint64_t{1} << 32}) {
        CHECK(ioctl(high | TIOCSTI) == "EPERM");
        CHECK(ioctl(high | TIOCLINUX) == "EPERM");
        CHECK(ioctl(high | TIOCSETD) == "EPERM");
    }
    const auto prctl = [&](std::uint64_t option) {
        return answer(widest, SYS_prctl, {option, 0, 0, 0, 0, 0});
    };
    CHECK(prctl(PR_SET_NAME) == "allow");
    for (const int option :
         {PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_MM, PR_SET_PTRACER, PR_CAP_AMBIENT,
          PR_CAPBSET_DROP, PR_SET_SECUREBITS, PR_SET_KEEPCAPS, PR_SET_CHILD_SUBREAPER, PR_SET_TSC})
        CHECK(prctl(static_cast<std::uint64_t>(option)) == "EPERM");
    CHECK(answer(widest, SYS_prlimit64, {0, 7, 0, 0, 0, 0}) == "allow");
    CHECK(answer(widest, SYS_prlimit64, {1, 7, 0, 0, 0, 0}) == "EPERM");
    CHECK(answer(widest, SYS_personality, {0xffffffff, 0, 0, 0, 0, 0}) == "allow");
    CHECK(answer(widest, SYS_personality, {0x0040000, 0, 0, 0, 0, 0}) == "EPERM");
    constexpr std::uint64_t kSame = 0xffffffff;
    CHECK(answer(widest, SYS_setresuid, {kSame, 1000, kSame, 0, 0, 0}) == "allow");
    CHECK(answer(widest, SYS_setresuid, {kSame, 0, kSame, 0, 0, 0}) == "EPERM");
    CHECK(answer(widest, SYS_setresuid, {0, 1000, kSame, 0, 0, 0}) == "EPERM");
    CHECK(answer(filter(SyscallProfile::deno), SYS_personality, {0, 0, 0, 0, 0, 0}) == "EPERM");
}

TEST_CASE("a program in a jail is under both filters, pid 1 as well, and without them is not") {
    const auto seccomp_of = [](const Spec& job) {
        const Process process = spawner().launch(job);
        REQUIRE(eventually([&] { return tree_of(process).size() == 2; }));
        std::set<std::string> modes;
        for (const pid_t pid : tree_of(process))
            modes.insert(status_line(pid, "Seccomp") + " " + status_line(pid, "Seccomp_filters"));
        return modes;
    };
    Spec job = spec({"wait"});
    CHECK(seccomp_of(job) == std::set<std::string>{"2 2"});
    job.without.syscall_filter = true;
    CHECK(seccomp_of(job) == std::set<std::string>{"0 0"});
}
