// Ways to live longer than the run. Each says "ok" when what is to be killed lives.
#include "words.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace hostile {
namespace {

[[noreturn]] void live_for_ever() {
    for (;;) ::pause();
}

void ignore_everything() {
    for (int i = 1; i < NSIG; ++i) ::signal(i, SIG_IGN);
}

void exit_with_status(const Arguments& a) {
    ::_exit(static_cast<int>(number(a.at(0))));
}
void signal_itself(const Arguments& a) {
    ::kill(::getpid(), static_cast<int>(number(a.at(0))));
}

/// A daemon: two forks, a session of its own, deaf, and with the output in its hands.
void leave_daemon() {
    int said[2];
    need(::pipe(said), "pipe");
    if (::fork() == 0) {
        ::setsid();
        if (::fork() == 0) {
            ::prctl(PR_SET_PDEATHSIG, 0);
            ignore_everything();
            say("ok");
            ::close(said[0]);
            ::close(said[1]);
            live_for_ever();
        }
        ::_exit(0);
    }
    ::close(said[1]);
    char byte = 0;
    need(::read(said[0], &byte, 1), "wait for the daemon");
    ::wait(nullptr);
}

void daemon(const Arguments&) {
    leave_daemon();
    ::_exit(7);
}

void deaf(const Arguments&) {
    ignore_everything();
    leave_daemon();
    live_for_ever();
}

/// Never the same process for long: whoever looks for it finds the one before.
void moving_target(const Arguments&) {
    say("ok");
    if (::fork() > 0) live_for_ever();
    for (;;) {
        const pid_t pid = ::fork();
        if (pid > 0) ::_exit(0);
        ::setsid();
    }
}

/// The parent of a vfork sleeps where no signal wakes it until its child ends.
void sleep_in_vfork(const Arguments&) {
    const pid_t pid = ::vfork();
    if (pid == 0) {
        // Only calls that touch nothing of the parent's memory.
        if (::write(1, "ok\n", 3) != 3) ::_exit(1);
        for (;;) ::pause();
    }
}

/// Stopped processes take no signal but one.
void stopped(const Arguments&) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::raise(SIGSTOP);
        live_for_ever();
    }
    int status = 0;
    ::waitpid(pid, &status, WUNTRACED);
    say(WIFSTOPPED(status) ? "ok" : "not stopped");
    ::raise(SIGSTOP);
    live_for_ever();
}

/// Children that end and are never waited for, under a parent that lives.
void zombies(const Arguments&) {
    for (int i = 0; i < 20; ++i)
        if (::fork() == 0) ::_exit(0);
    say("ok");
    live_for_ever();
}

/// The first thread ends, the process lives on in another.
void headless(const Arguments&) {
    pthread_t thread{};
    ::pthread_create(
        &thread, nullptr,
        [](void*) -> void* {
            say("ok");
            live_for_ever();
        },
        nullptr);
    ::pthread_exit(nullptr);
}

/// Answers its end with a new process.
void reborn(const Arguments&) {
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGALRM})
        ::signal(number, [](int) { ::fork(); });
    std::atexit([] {
        if (::fork() == 0) live_for_ever();
    });
    say("ok");
    live_for_ever();
}

void close_everything(const Arguments&) {
    say("ok");
    for (int fd = 0; fd < 3; ++fd) ::close(fd);
    live_for_ever();
}

constexpr Word kWords[] = {
    {"exit", exit_with_status},
    {"signal-itself", signal_itself},
    {"daemon", daemon},
    {"deaf", deaf},
    {"moving-target", moving_target},
    {"sleep-in-vfork", sleep_in_vfork},
    {"stopped", stopped},
    {"zombies", zombies},
    {"headless", headless},
    {"reborn", reborn},
    {"close-everything", close_everything},
};

}  // namespace

std::span<const Word> survival_words() {
    return kWords;
}

}  // namespace hostile
