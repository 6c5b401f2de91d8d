// Processes: how they end, or do not, and how many there are.
#include "words.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace hostile {
namespace {

std::atomic<unsigned> spins{0};

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

constexpr Word kWords[] = {
    {"exit", [](const Arguments& a) { return number(a); }},
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
    {"fork-many", fork_many},
    {"fork-bomb", fork_bomb},
    {"burn", burn},
    {"attack-init", attack_init},
    {"setuid",
     [](const Arguments&) {
         tell(::setuid(0));
         tell(::setgid(0));
         return 0;
     }},
    {"new-user-namespace",
     [](const Arguments&) {
         tell(::unshare(CLONE_NEWUSER));
         return 0;
     }},
};

}  // namespace

std::span<const Word> process_words() {
    return kWords;
}

}  // namespace hostile
