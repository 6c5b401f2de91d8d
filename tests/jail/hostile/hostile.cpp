// A program that does in a jail what a jail must withstand: one word, one probe. It is also run
// outside, to see that the same probe succeeds there.
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

extern char** environ;

namespace {

std::atomic<unsigned> spins{0};

using Arguments = std::vector<std::string>;

/// "ok" or the name of the errno value, one line.
void tell(long result) {
    std::printf("%s\n", result >= 0 ? "ok" : strerrorname_np(errno));
    std::fflush(stdout);
}

int number(const Arguments& a) {
    return a.empty() ? 0 : std::atoi(a[0].c_str());
}

void ignore_all_signals() {
    for (int i = 1; i < NSIG; ++i) ::signal(i, SIG_IGN);
}

/// A grandchild in a session of its own that ignores everything and holds the output.
void leave_daemon() {
    if (::fork() == 0) {
        ::setsid();
        if (::fork() == 0) {
            ::prctl(PR_SET_PDEATHSIG, 0);
            ignore_all_signals();
            tell(0);
            for (;;) ::pause();
        }
        ::_exit(0);
    }
    ::wait(nullptr);
}

int read_file(const Arguments& a) {
    const int fd = ::open(a[0].c_str(), O_RDONLY);
    if (fd < 0) {
        tell(-1);
        return 1;
    }
    char buffer[4096];
    ssize_t size = 0;
    while ((size = ::read(fd, buffer, sizeof buffer)) > 0)
        if (::write(1, buffer, static_cast<size_t>(size)) < 0) return 1;
    if (size < 0) tell(-1);
    return size < 0;
}

int list(const Arguments& a) {
    DIR* folder = ::opendir(a[0].c_str());
    if (folder == nullptr) {
        tell(-1);
        return 1;
    }
    while (const dirent* entry = ::readdir(folder))
        if (entry->d_name[0] != '.') std::printf("%s\n", entry->d_name);
    return 0;
}

int flood(const Arguments& a) {
    const std::string block(65536, 'x');
    for (long left = std::atol(a[0].c_str()); left > 0;) {
        const size_t size = left < 65536 ? static_cast<size_t>(left) : block.size();
        const ssize_t n = ::write(1, block.data(), size);
        if (n < 0) return 1;
        left -= n;
    }
    return 0;
}

int namespaces(const Arguments&) {
    for (const char* kind : {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"}) {
        char target[64] = {};
        if (::readlink((std::string("/proc/self/ns/") + kind).c_str(), target, 63) < 0) return 1;
        std::printf("%s\n", target);
    }
    return 0;
}

int descriptors(const Arguments&) {
    for (int fd = 0; fd < 20000; ++fd)
        if (::fcntl(fd, F_GETFD) >= 0) std::printf("%d\n", fd);
    return 0;
}

int interfaces(const Arguments&) {
    const int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
    for (int i = 1; i < 1024; ++i) {
        ifreq request{};
        request.ifr_ifindex = i;
        if (::ioctl(fd, SIOCGIFNAME, &request) == 0) std::printf("%s\n", request.ifr_name);
    }
    return 0;
}

int connect_to(const Arguments& a) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(std::atoi(a[1].c_str())));
    ::inet_pton(AF_INET, a[0].c_str(), &to.sin_addr);
    tell(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to));
    return 0;
}

int fork_many(const Arguments&) {
    int count = 0;
    while (count < 5000) {
        const pid_t pid = ::fork();
        if (pid < 0) break;
        if (pid == 0) {
            ::pause();
            ::_exit(0);
        }
        ++count;
    }
    std::printf("%d %s\n", count, strerrorname_np(errno));
    std::fflush(stdout);
    return 0;
}

int write_big(const Arguments& a) {
    ::signal(SIGXFSZ, SIG_IGN);
    const int fd = ::open(a[0].c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const std::string block(1 << 20, 'x');
    long written = 0;
    while (written < (1L << 32)) {
        const ssize_t n = ::write(fd, block.data(), block.size());
        if (n <= 0) break;
        written += n;
    }
    std::printf("%ld %s\n", written, strerrorname_np(errno));
    return 0;
}

constexpr size_t kMegabyte = size_t{1} << 20;

/// Touches so many MiB, and keeps them.
bool eat(long megabytes, int sharing) {
    for (long i = 0; i < megabytes; ++i) {
        void* block =
            ::mmap(nullptr, kMegabyte, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0);
        if (block == MAP_FAILED) return false;
        std::memset(block, 1, kMegabyte);
    }
    return true;
}

/// Eats, says so, and stays.
int eat_and_stay(const Arguments& a, int sharing) {
    tell(eat(number(a), sharing) ? 0 : -1);
    for (;;) ::pause();
    return 0;
}

/// So many children of which each eats so many MiB and stays.
int eat_in_children(const Arguments& a) {
    for (int i = std::atoi(a[0].c_str()); i > 0; --i)
        if (::fork() == 0) {
            eat(std::atoi(a[1].c_str()), MAP_PRIVATE);
            for (;;) ::pause();
        }
    tell(0);
    for (;;) ::pause();
    return 0;
}

/// Touched once, before the children are there: all of them have it, and it is there once.
int share_with_children(const Arguments& a) {
    eat(std::atoi(a[1].c_str()), MAP_PRIVATE);
    eat(std::atoi(a[1].c_str()), MAP_SHARED);
    for (int i = std::atoi(a[0].c_str()); i > 0; --i)
        if (::fork() == 0)
            for (;;) ::pause();
    tell(0);
    for (;;) ::pause();
    return 0;
}

/// With a name that could be taken for other fields of its files in /proc.
int eat_in_disguise(const Arguments& a) {
    ::prctl(PR_SET_NAME, ") R 1\nRssAnon:");
    return eat_and_stay(a, MAP_PRIVATE);
}

/// In the child of a thread that is not the first.
int eat_below_thread(const Arguments& a) {
    std::thread other([&] {
        if (::fork() == 0) eat_and_stay(a, MAP_PRIVATE);
        for (;;) ::pause();
    });
    other.join();
    return 0;
}

/// With the first thread gone, which /proc/<pid> tells of.
int eat_without_leader(const Arguments& a) {
    std::thread([a] { eat_and_stay(a, MAP_PRIVATE); }).detach();
    ::syscall(SYS_exit, 0);
    return 1;
}

/// So many MiB of page tables, each for a page of nothing.
int eat_page_tables(const Arguments& a) {
    constexpr size_t kPerTable = 2 * kMegabyte;
    ::prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    const size_t tables = static_cast<size_t>(number(a)) * 256;
    void* all = ::mmap(nullptr, tables * kPerTable, PROT_READ,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all != MAP_FAILED)
        for (size_t i = 0; i < tables; ++i) static_cast<volatile const char*>(all)[i * kPerTable];
    tell(all == MAP_FAILED ? -1 : 0);
    for (;;) ::pause();
    return 0;
}

/// So many files of 1 MiB.
int eat_in_files(const Arguments& a) {
    const std::string block(kMegabyte, 'x');
    for (int i = number(a); i > 0; --i) {
        const int fd =
            ::open(("/tmp/" + std::to_string(i)).c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (::write(fd, block.data(), block.size()) < 0) break;
        ::close(fd);
    }
    tell(0);
    for (;;) ::pause();
    return 0;
}

int make_files(const Arguments&) {
    int count = 0;
    while (count < 100'000) {
        const int fd = ::open(("/tmp/" + std::to_string(count)).c_str(), O_CREAT | O_WRONLY, 0600);
        if (fd < 0) break;
        ::close(fd);
        ++count;
    }
    std::printf("%d %s\n", count, strerrorname_np(errno));
    return 0;
}

/// Every process forks as long as it can.
int fork_bomb(const Arguments&) {
    ignore_all_signals();
    for (;;) ::fork();
    return 0;
}

/// So many processes that do nothing but use the processor.
int burn(const Arguments& a) {
    ignore_all_signals();
    for (int i = number(a); i > 1; --i)
        if (::fork() == 0) break;
    for (;;) ++spins;
    return 0;
}

int open_many(const Arguments&) {
    int count = 0;
    while (count < 30000 && ::dup(0) >= 0) ++count;
    std::printf("%d\n", count);
    return 0;
}

int limits(const Arguments&) {
    const std::pair<const char*, __rlimit_resource> kinds[] = {
        {"core", RLIMIT_CORE},   {"nofile", RLIMIT_NOFILE},   {"nproc", RLIMIT_NPROC},
        {"fsize", RLIMIT_FSIZE}, {"memlock", RLIMIT_MEMLOCK}, {"cpu", RLIMIT_CPU}};
    for (const auto& [name, kind] : kinds) {
        rlimit limit{};
        ::getrlimit(kind, &limit);
        std::printf("%s %lu %lu\n", name, limit.rlim_cur, limit.rlim_max);
    }
    return 0;
}

int raise_limits(const Arguments&) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_max += 1;
    tell(::setrlimit(RLIMIT_NOFILE, &limit));
    return 0;
}

int identity(const Arguments&) {
    utsname names{};
    ::uname(&names);
    const mode_t mask = ::umask(0);
    std::printf("uid %u gid %u groups %d pid %d ppid %d session %s host %s domain %s umask %o\n",
                ::getuid(), ::getgid(), ::getgroups(0, nullptr), ::getpid(), ::getppid(),
                ::getsid(0) == ::getpid() ? "own" : "other", names.nodename, names.domainname,
                mask);
    std::printf("securebits %d\n", ::prctl(PR_GET_SECUREBITS));
    return 0;
}

/// A key of the session that the program was started in.
int find_key(const Arguments&) {
    const long key =
        ::syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", "oauth3-test", 0);
    tell(key);
    return 0;
}

int environment(const Arguments&) {
    for (char** entry = environ; *entry != nullptr; ++entry) std::printf("%s\n", *entry);
    return 0;
}

/// What a program could do to pid 1, which has the same user id.
int attack_init(const Arguments& a) {
    const pid_t pid = a.empty() ? 1 : number(a);
    const std::string folder = "/proc/" + std::to_string(pid);
    tell(::open((folder + "/mem").c_str(), O_RDWR));
    tell(::open((folder + "/environ").c_str(), O_RDONLY));
    tell(::open((folder + "/fd/3").c_str(), O_RDWR));
    tell(::ptrace(PTRACE_ATTACH, pid, nullptr, nullptr));
    const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    tell(::syscall(SYS_pidfd_getfd, pidfd, 3, 0));
    return 0;
}

const std::map<std::string, std::function<int(const Arguments&)>> kProbes{
    {"exit", [](const Arguments& a) { return number(a); }},
    {"echo",
     [](const Arguments& a) {
         std::fputs(a[0].c_str(), stdout);
         std::fputs("to stderr", stderr);
         return 0;
     }},
    {"bytes",  // not UTF-8, with a NUL
     [](const Arguments&) { return ::write(1, "a\xff\xc3\0\xe2\x82z", 7) == 7 ? 0 : 1; }},
    {"signal", [](const Arguments& a) { return ::kill(::getpid(), number(a)); }},
    {"loop",
     [](const Arguments&) {
         for (;;) {
             ++spins;
         }
         return 0;
     }},
    {"immortal",
     [](const Arguments&) {
         ignore_all_signals();
         leave_daemon();
         for (;;) ::pause();
         return 0;
     }},
    {"daemon",
     [](const Arguments&) {
         leave_daemon();
         return 7;
     }},
    {"wait",
     [](const Arguments&) {
         tell(0);
         for (;;) ::pause();
         return 0;
     }},
    {"close-output",
     [](const Arguments&) {
         ::close(1);
         ::close(2);
         ::close(0);
         for (;;) ::pause();
         return 0;
     }},
    {"kill-all",
     [](const Arguments&) {
         ::kill(1, SIGKILL);
         ::kill(1, SIGSTOP);
         tell(::kill(-1, SIGKILL));
         return 5;
     }},
    {"orphans",  // many children that die after their parent
     [](const Arguments&) {
         for (int i = 0; i < 50; ++i)
             if (::fork() == 0) {
                 if (::fork() == 0) ::_exit(0);
                 ::_exit(0);
             }
         return 0;
     }},
    {"flood", flood},
    {"env", environment},
    {"find-key", find_key},
    {"fds", descriptors},
    {"identity", identity},
    {"ns", namespaces},
    {"interfaces", interfaces},
    {"connect", connect_to},
    {"read", read_file},
    {"list", list},
    {"fork-many", fork_many},
    {"write-big", write_big},
    {"eat", [](const Arguments& a) { return eat_and_stay(a, MAP_PRIVATE); }},
    {"eat-shared", [](const Arguments& a) { return eat_and_stay(a, MAP_SHARED); }},
    {"eat-in-children", eat_in_children},
    {"eat-in-disguise", eat_in_disguise},
    {"eat-below-thread", eat_below_thread},
    {"eat-without-leader", eat_without_leader},
    {"eat-page-tables", eat_page_tables},
    {"eat-in-files", eat_in_files},
    {"share-with-children", share_with_children},
    {"make-files", make_files},
    {"fork-bomb", fork_bomb},
    {"burn", burn},
    {"open-many", open_many},
    {"limits", limits},
    {"raise-limits", raise_limits},
    {"attack-init", attack_init},
    {"write",
     [](const Arguments& a) {
         const int fd = ::open(a[0].c_str(), O_WRONLY | O_CREAT, 0700);
         tell(fd < 0 ? -1 : ::write(fd, "x", 1));
         return 0;
     }},
    {"chmod",
     [](const Arguments& a) {
         tell(::chmod(a[0].c_str(), 0777));
         return 0;
     }},
    {"copy-and-run",  // a program written at run time
     [](const Arguments& a) {
         const int from = ::open("/proc/self/exe", O_RDONLY);
         const int to = ::open(a[0].c_str(), O_WRONLY | O_CREAT, 0700);
         char buffer[65536];
         for (ssize_t n = 0; (n = ::read(from, buffer, sizeof buffer)) > 0;)
             if (::write(to, buffer, static_cast<size_t>(n)) != n) return 1;
         ::close(to);
         tell(::execl(a[0].c_str(), a[0].c_str(), "exit", "0", nullptr));
         return 0;
     }},
    {"setuid",
     [](const Arguments&) {
         tell(::setuid(0));
         tell(::setgid(0));
         return 0;
     }},
    {"mount",
     [](const Arguments&) {
         tell(::mount("none", "/tmp", "tmpfs", 0, nullptr));
         return 0;
     }},
    {"remount",
     [](const Arguments&) {
         tell(::mount(nullptr, "/", nullptr, MS_REMOUNT | MS_BIND, nullptr));
         return 0;
     }},
    {"umount",
     [](const Arguments& a) {
         tell(::umount2(a[0].c_str(), MNT_DETACH));
         return 0;
     }},
    {"new-user-namespace",
     [](const Arguments&) {
         tell(::unshare(CLONE_NEWUSER));
         return 0;
     }},
    {"mknod",
     [](const Arguments& a) {
         tell(::mknod(a[0].c_str(), S_IFCHR | 0600, 0x103));
         return 0;
     }},
};

}  // namespace

int main(int argc, char** argv) {
    const auto probe = argc > 1 ? kProbes.find(argv[1]) : kProbes.end();
    if (probe == kProbes.end()) return 99;
    const int result = probe->second(Arguments(argv + 2, argv + argc));
    std::fflush(stdout);
    return result;
}
