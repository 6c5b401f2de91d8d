#include "notify/child.h"

#include "base/error.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <exception>
#include <thread>

// Why not Boost.Process. Its version 1 forks, which copies the page tables of a large server, and
// its vfork and version 2 (Boost 1.81) run code of their own in a child that shares the memory of a
// running server: allocating, with the server's signal handlers in place, and ending with exit(3),
// that is, with the server's destructors, where the program cannot be started. Both leave ignored
// and blocked signals as they are (the server ignores SIGPIPE), and kill and wait for the shell
// alone. posix_spawn(3) of glibc shares the memory too, but blocks all signals, does only system
// calls there, has an attribute for all that is wanted, and tells in the parent what failed.

namespace oauth3::notify {
namespace {

using Clock = std::chrono::steady_clock;

/// How long a killed shell may take to die. It takes longer only if it is stuck in the kernel, or
/// has become another user by a set-user-ID program (sudo), so that it could not be killed.
constexpr std::chrono::seconds kDeath{1};

void must(int error, const char* action) {
    if (error != 0) throw base::SystemError(error, action);
}

class Actions {
  public:
    Actions() { must(::posix_spawn_file_actions_init(&actions_), "prepare the command"); }
    Actions(const Actions&) = delete;
    Actions& operator=(const Actions&) = delete;
    ~Actions() { ::posix_spawn_file_actions_destroy(&actions_); }

    void put(int fd, int place) {
        must(::posix_spawn_file_actions_adddup2(&actions_, fd, place), "prepare the streams");
    }
    /// All of the server's are close-on-exec. This is for one that some library forgets.
    void close_from(int fd) {
        must(::posix_spawn_file_actions_addclosefrom_np(&actions_, fd), "prepare the descriptors");
    }
    void enter(const char* folder) {
        must(::posix_spawn_file_actions_addchdir_np(&actions_, folder), "prepare the folder");
    }
    const posix_spawn_file_actions_t* get() const { return &actions_; }

  private:
    posix_spawn_file_actions_t actions_{};
};

class Attributes {
  public:
    Attributes() {
        must(::posix_spawnattr_init(&attributes_), "prepare the command");
        sigset_t signals;
        ::sigemptyset(&signals);
        ::posix_spawnattr_setsigmask(&attributes_, &signals);
        // Handlers do not outlive execve(2), but what is ignored stays ignored.
        ::sigfillset(&signals);
        ::sigdelset(&signals, SIGKILL);
        ::sigdelset(&signals, SIGSTOP);
        ::posix_spawnattr_setsigdefault(&attributes_, &signals);
        ::posix_spawnattr_setflags(
            &attributes_, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    Attributes(const Attributes&) = delete;
    Attributes& operator=(const Attributes&) = delete;
    ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
    const posix_spawnattr_t* get() const { return &attributes_; }

  private:
    posix_spawnattr_t attributes_{};
};

pid_t spawn(std::vector<std::string> arguments, std::vector<std::string> environment,
            const Actions& actions) {
    const auto pointers = [](std::vector<std::string>& texts) {
        std::vector<char*> out;
        for (std::string& text : texts) out.push_back(text.data());
        out.push_back(nullptr);
        return out;
    };
    const std::vector<char*> argv = pointers(arguments);
    const std::vector<char*> envp = pointers(environment);
    const Attributes attributes;
    pid_t pid = -1;
    must(::posix_spawn(&pid, argv[0], actions.get(), attributes.get(), argv.data(), envp.data()),
         "start /bin/sh");
    return pid;
}

void make_non_blocking(const base::Fd& fd) {
    if (::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) base::throw_errno("O_NONBLOCK");
}

/// Waits for the end of a process, but not for ever.
void wait_for_death(int pidfd) {
    const auto until = Clock::now() + kDeath;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
        pollfd death{pidfd, POLLIN, 0};
        const int ready = ::poll(&death, 1, std::max(0, static_cast<int>(left.count())));
        if (ready >= 0 || errno != EINTR) return;
    }
}

pid_t wait_for(pid_t pid, int& status, int options) {
    for (;;) {
        const pid_t waited = ::waitpid(pid, &status, options);
        if (waited >= 0 || errno != EINTR) return waited;
    }
}

/// Keeps a process that outlives its kill from staying in the table of processes for good.
void reap_some_day(pid_t pid) {
    try {
        std::thread([pid] {
            int status = 0;
            wait_for(pid, status, 0);
        }).detach();
    } catch (const std::exception&) {
        // No thread to be had: then it does stay, until the server ends.
    }
}

}  // namespace

Child::Child(const std::string& command, const std::vector<std::string>& environment, int input) {
    base::Pipe out = base::make_pipe();
    base::Pipe err = base::make_pipe();
    make_non_blocking(out.read);
    make_non_blocking(err.read);
    Actions actions;
    actions.put(input, STDIN_FILENO);
    actions.put(out.write.get(), STDOUT_FILENO);
    actions.put(err.write.get(), STDERR_FILENO);
    actions.close_from(STDERR_FILENO + 1);
    actions.enter("/");
    const pid_t pid = spawn({"/bin/sh", "-c", command}, environment, actions);
    // Its number stays its own until it is reaped.
    pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!pidfd_) {
        const int number = errno;
        ::kill(-pid, SIGKILL);
        reap_some_day(pid);
        throw base::SystemError(number, "pidfd_open");
    }
    pid_ = pid;
    out_ = std::move(out.read);
    err_ = std::move(err.read);
}

std::optional<int> Child::end() {
    if (pid_ < 0) return status_;
    // Dead or not, the shell is not reaped yet: the number of the group is still its own.
    ::kill(-pid_, SIGKILL);
    wait_for_death(pidfd_.get());
    int status = 0;
    const pid_t reaped = wait_for(pid_, status, WNOHANG);
    if (reaped == pid_) status_ = status;
    if (reaped == 0) reap_some_day(pid_);
    pid_ = -1;
    return status_;
}

}  // namespace oauth3::notify
