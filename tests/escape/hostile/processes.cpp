// Other processes: those of the host, the jail's pid 1, and others of the jail as stand-ins.
#include "words.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hostile {
namespace {

pid_t pid_of(const Arguments& a) {
    return static_cast<pid_t>(number(a.at(0)));
}

/// Another process of the same user that waits to be attacked; it dies with this one.
struct Victim {
    pid_t pid = -1;
    int pidfd = -1;
    Victim() {
        // Not pidfd_open(2), which is an attack of its own.
        pid = static_cast<pid_t>(
            ::syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, nullptr, &pidfd, nullptr, nullptr));
        need(pid, "clone");
        if (pid == 0)
            for (;;) ::pause();
    }
    ~Victim() {
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
    }
    Victim(const Victim&) = delete;
    Victim& operator=(const Victim&) = delete;
};

void send_signal(const Arguments& a) {
    tell(::kill(pid_of(a), static_cast<int>(number(a.at(1)))));
}

/// All that this user may signal. Outside only where nobody else is.
void signal_all(const Arguments&) {
    tell(::kill(-1, SIGTERM));
}

/// The jail's pid 1 has the same user: if it could be ended or stopped, nobody would tell how the
/// program ended.
void kill_init(const Arguments&) {
    for (const int signal : {SIGTERM, SIGSEGV, SIGSTOP, SIGKILL}) ::kill(1, signal);
    say("nothing happens");
}

void trace(const Arguments& a) {
    tell(::ptrace(PTRACE_ATTACH, pid_of(a), nullptr, nullptr));
}

void seize_child(const Arguments&) {
    const Victim victim;
    tell(::ptrace(PTRACE_SEIZE, victim.pid, nullptr, nullptr));
}

void ask_to_be_traced(const Arguments&) {
    tell(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr));
}

char place = 'x';  ///< where the victim has it, too

void read_memory(const Arguments&) {
    const Victim victim;
    char copy = 0;
    iovec here{&copy, 1};
    iovec there{&place, 1};
    tell(::process_vm_readv(victim.pid, &here, 1, &there, 1, 0));
}

void write_memory(const Arguments&) {
    const Victim victim;
    iovec here{&place, 1};
    tell(::process_vm_writev(victim.pid, &here, 1, &here, 1, 0));
}

void read_memory_of(const Arguments& a) {
    char copy = 0;
    iovec here{&copy, 1};
    iovec there{&place, 1};
    tell(::process_vm_readv(pid_of(a), &here, 1, &there, 1, 0));
}

void page_out_memory(const Arguments&) {
    const Victim victim;
    iovec page{reinterpret_cast<void*>(reinterpret_cast<unsigned long>(&place) & ~4095UL), 4096};
    tell(::syscall(SYS_process_madvise, victim.pidfd, &page, 1UL, MADV_COLD, 0U));
}

void take_descriptor(const Arguments&) {
    const Victim victim;
    tell(::syscall(SYS_pidfd_getfd, victim.pidfd, 1, 0U));
}

void open_process(const Arguments& a) {
    tell(::syscall(SYS_pidfd_open, pid_of(a), 0U));
}

void compare_processes(const Arguments&) {
    const Victim victim;
    tell(::syscall(SYS_kcmp, ::getpid(), victim.pid, KCMP_VM, 0UL, 0UL));
}

void limits_of(const Arguments& a) {
    rlimit limit{};
    tell(::prlimit(pid_of(a), RLIMIT_NOFILE, nullptr, &limit));
}

void raise_limit(const Arguments&) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NPROC, &limit);
    limit.rlim_max += 1;
    tell(::setrlimit(RLIMIT_NPROC, &limit));
}

void raise_own_share(const Arguments&) {
    const sched_param first{1};
    tell(::sched_setscheduler(0, SCHED_FIFO, &first));
}

/// System V and POSIX ways to meet processes that have the same key or name.
void find_shared_memory(const Arguments& a) {
    tell(::shmget(static_cast<key_t>(number(a.at(0))), 0, 0));
}

void open_queue(const Arguments& a) {
    tell(::mq_open(a.at(0).c_str(), O_RDONLY));
}

constexpr Word kWords[] = {
    {"signal", send_signal},
    {"signal-all", signal_all},
    {"kill-init", kill_init},
    {"trace", trace},
    {"seize-child", seize_child},
    {"ask-to-be-traced", ask_to_be_traced},
    {"read-memory", read_memory},
    {"write-memory", write_memory},
    {"read-memory-of", read_memory_of},
    {"page-out-memory", page_out_memory},
    {"take-descriptor", take_descriptor},
    {"open-process", open_process},
    {"compare-processes", compare_processes},
    {"limits-of", limits_of},
    {"raise-limit", raise_limit},
    {"raise-own-share", raise_own_share},
    {"find-shared-memory", find_shared_memory},
    {"open-queue", open_queue},
};

}  // namespace

std::span<const Word> process_words() {
    return kWords;
}

}  // namespace hostile
