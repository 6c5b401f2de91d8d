// What takes until nothing is left. Every one stops by itself at a size that no machine minds, so
// that it is harmless where nothing stops it.
#include "words.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <ctime>

namespace hostile {
namespace {

/// With the word "hold", a bomb never lets go of what it got: it says nothing and waits to be
/// ended.
void hold(const Arguments& a) {
    if (a.size() > 1 && a.at(1) == "hold")
        for (;;) ::pause();
}

/// Takes as often as the first argument says; "ok" if there was no end to it.
template <typename Take>
void take_many(const Arguments& a, Take take) {
    const long count = number(a.at(0));
    for (long i = 0; i < count; ++i)
        if (take(i) < 0) return tell(-1);
    hold(a);
    tell(0);
}

void forks(const Arguments& a) {
    int pipe[2];
    need(::pipe(pipe), "pipe");
    take_many(a, [&](long) {
        const pid_t pid = ::fork();
        if (pid != 0) return static_cast<long>(pid);
        // Ends with its parent.
        ::close(pipe[1]);
        char byte = 0;
        ::_exit(static_cast<int>(::read(pipe[0], &byte, 1)));
    });
}

void threads(const Arguments& a) {
    pthread_attr_t small;
    ::pthread_attr_init(&small);
    ::pthread_attr_setstacksize(&small, 65536);
    take_many(a, [&](long) {
        pthread_t thread{};
        errno = ::pthread_create(
            &thread, &small,
            [](void*) -> void* {
                for (;;) ::pause();
            },
            nullptr);
        return errno == 0 ? 0L : -1L;
    });
    ::_exit(0);
}

void descriptors(const Arguments& a) {
    take_many(a, [](long) { return ::dup(0); });
}

void files(const Arguments& a) {
    const std::string folder = a.at(1) + "/bomb";
    ::mkdir(folder.c_str(), 0700);
    const auto path = [&](long i) { return folder + "/" + std::to_string(i); };
    long made = 0;
    take_many(a, [&](long i) {
        const int fd = ::open(path(i).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (fd >= 0) ::close(fd);
        if (fd >= 0) ++made;
        return fd;
    });
    for (long i = 0; i < made; ++i) ::unlink(path(i).c_str());
    ::rmdir(folder.c_str());
}

/// Mebibytes, into as many files as are needed to pass the limit for one.
void disk(const Arguments& a) {
    const std::string block(1 << 20, 'x');
    take_many(a, [&](long i) {
        const std::string path = a.at(1) + "/bomb" + std::to_string(i);
        const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0) return static_cast<ssize_t>(-1);
        std::size_t written = 0;
        while (written < block.size()) {
            const ssize_t n = ::write(fd, block.data() + written, block.size() - written);
            if (n < 0) return n;
            written += static_cast<std::size_t>(n);
        }
        ::close(fd);
        return static_cast<ssize_t>(0);
    });
    for (long i = 0; i < number(a.at(0)); ++i)
        ::unlink((a.at(1) + "/bomb" + std::to_string(i)).c_str());
}

/// One file of so many mebibytes; in the end there is nothing in it.
void one_file(const Arguments& a) {
    ::signal(SIGXFSZ, SIG_IGN);
    const int fd = static_cast<int>(
        need(::open(a.at(1).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600), "create"));
    tell(::ftruncate(fd, number(a.at(0)) << 20));
    ::unlink(a.at(1).c_str());
}

/// Without SIG_IGN the kernel ends the program.
void one_file_or_die(const Arguments& a) {
    const int fd = static_cast<int>(
        need(::open(a.at(1).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600), "create"));
    ::unlink(a.at(1).c_str());
    tell(::ftruncate(fd, number(a.at(0)) << 20));
}

void lock_memory(const Arguments& a) {
    const auto size = static_cast<std::size_t>(number(a.at(0))) << 20;
    void* const memory =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) unable("mmap");
    tell(::mlock(memory, size));
}

/// Mebibytes, each written to.
void memory(const Arguments& a) {
    constexpr std::size_t kSize = 1 << 20;
    take_many(a, [](long) {
        void* const block =
            ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (block == MAP_FAILED) return -1L;
        std::memset(block, 'x', kSize);
        return 0L;
    });
}

/// The same in processes, each of which stays small.
void memory_of_many(const Arguments& a) {
    constexpr std::size_t kProcesses = 16;
    const auto each = (static_cast<std::size_t>(number(a.at(0))) << 20) / kProcesses;
    int pipe[2];
    need(::pipe(pipe), "pipe");
    std::vector<pid_t> children;
    while (children.size() < kProcesses) {
        const pid_t pid = ::fork();
        if (pid == 0) {
            const std::string block(each, 'x');
            if (::write(pipe[1], block.data(), 1) != 1) ::_exit(1);
            ::close(pipe[1]);
            for (;;) ::pause();
        }
        children.push_back(pid);
    }
    ::close(pipe[1]);
    std::size_t have = 0;
    for (char byte = 0; have < kProcesses && ::read(pipe[0], &byte, 1) == 1;) ++have;
    if (have == kProcesses) hold(a);
    say(have == kProcesses ? "ok" : "some were killed");
    for (const pid_t pid : children) ::kill(pid, SIGKILL);
}

/// In files without a name, each small, mapped and closed.
void memory_files(const Arguments& a) {
    constexpr std::size_t kSize = 1 << 20;
    take_many(a, [](long) {
        const int fd = ::memfd_create("bomb", MFD_CLOEXEC);
        if (fd < 0 || ::ftruncate(fd, kSize) != 0) return -1L;
        void* const block = ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        ::close(fd);
        if (block == MAP_FAILED) return -1L;
        std::memset(block, 'x', kSize);
        return 0L;
    });
}

/// Kernel objects that are counted for each user of the host. Says "ok" and keeps them.
void inotify_instances(const Arguments& a) {
    take_many(a, [](long) { return ::inotify_init1(IN_CLOEXEC); });
    for (;;) ::pause();
}

void pending_signals(const Arguments& a) {
    sigevent nothing{};
    nothing.sigev_notify = SIGEV_NONE;
    take_many(a, [&](long) {
        timer_t timer{};
        return ::syscall(SYS_timer_create, CLOCK_MONOTONIC, &nothing, &timer);
    });
    for (;;) ::pause();
}

/// Sent to a socket that nobody reads: closed here, and not there yet.
void descriptors_in_flight(const Arguments& a) {
    constexpr std::size_t kAtOnce = 250;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(kAtOnce * sizeof(int))> control{};
    const std::array<int, kAtOnce> all_the_same{};
    char byte = 'x';
    iovec part{&byte, 1};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof all_the_same);
    std::memcpy(CMSG_DATA(head), all_the_same.data(), sizeof all_the_same);
    take_many(a, [&](long) {
        int pair[2];
        if (::socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) != 0) return static_cast<ssize_t>(-1);
        return ::sendmsg(pair[0], &message, MSG_DONTWAIT);
    });
    for (;;) ::pause();
}

void output(const Arguments& a) {
    const std::string block(1 << 20, 'x');
    for (long i = 0; i < number(a.at(0)); ++i)
        for (std::size_t written = 0; written < block.size();) {
            const ssize_t n = ::write(1, block.data() + written, block.size() - written);
            if (n < 0) ::_exit(1);
            written += static_cast<std::size_t>(n);
        }
}

constexpr Word kWords[] = {
    {"forks", forks},
    {"threads", threads},
    {"descriptors", descriptors},
    {"files", files},
    {"disk", disk},
    {"one-file", one_file},
    {"one-file-or-die", one_file_or_die},
    {"lock-memory", lock_memory},
    {"memory", memory},
    {"memory-of-many", memory_of_many},
    {"memory-files", memory_files},
    {"inotify-instances", inotify_instances},
    {"pending-signals", pending_signals},
    {"descriptors-in-flight", descriptors_in_flight},
    {"output", output},
};

}  // namespace

std::span<const Word> bomb_words() {
    return kWords;
}

}  // namespace hostile
