#include "words.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace hostile {

void say(const char* text) {
    std::printf("%s\n", text);
    std::fflush(stdout);
}

void tell(long result) {
    say(result >= 0 ? "ok" : strerrorname_np(errno));
}

void unable(const char* step) {
    std::printf("unable: %s: %s\n", step, strerrorname_np(errno));
    std::fflush(stdout);
    ::_exit(98);
}

long need(long result, const char* step) {
    if (result < 0) unable(step);
    return result;
}

long number(const std::string& text) {
    return std::strtol(text.c_str(), nullptr, 0);
}

int copy_self(const char* path) {
    const int from = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    const int to = ::open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    if (from < 0 || to < 0) return -1;
    std::array<char, 65536> buffer;
    ssize_t size = 0;
    while ((size = ::read(from, buffer.data(), buffer.size())) > 0)
        if (::write(to, buffer.data(), static_cast<size_t>(size)) != size) return -1;
    ::close(from);
    ::close(to);
    return size < 0 ? -1 : 0;
}

namespace {

void put(const char* path, const std::string& text) {
    const int fd = static_cast<int>(need(::open(path, O_WRONLY | O_CLOEXEC), path));
    need(::write(fd, text.data(), text.size()), path);
    ::close(fd);
}

/// For outside only: makes the attack that follows in new namespaces of every kind, where whoever
/// runs it is root. So what needs a right is shown to succeed with that right, and without harm.
void alone(const Arguments& words) {
    const std::string uid = std::to_string(::geteuid());
    const std::string gid = std::to_string(::getegid());
    need(::unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
                   CLONE_NEWUTS | CLONE_NEWCGROUP),
         "unshare");
    put("/proc/self/setgroups", "deny");
    put("/proc/self/uid_map", "0 " + uid + " 1");
    put("/proc/self/gid_map", "0 " + gid + " 1");
    need(::mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr), "cut propagation");
    if (::fork() == 0) {
        // Pid 1. When it ends, the kernel kills the others.
        if (::fork() == 0)
            for (;;) ::pause();  // somebody to attack
        const pid_t attacker = ::fork();
        if (attacker == 0) {
            run(words);
            ::_exit(0);
        }
        ::waitpid(attacker, nullptr, 0);
        ::_exit(0);
    }
    ::wait(nullptr);
}

constexpr std::array<Word, 2> kWords{{
    {"alone", alone},
    {"say-ok", [](const Arguments&) { say("ok"); }},
}};

bool run_one_of(std::span<const Word> some, const Arguments& words) {
    for (const Word& word : some)
        if (words.front() == word.name) {
            word.attack(Arguments(words.begin() + 1, words.end()));
            return true;
        }
    return false;
}

}  // namespace

void run(const Arguments& words) {
    if (words.empty()) return;
    for (const auto& some : {std::span<const Word>(kWords), file_words(), process_words(),
                             privilege_words(), kernel_words(), mount_words(), network_words(),
                             foreign_words(), bomb_words(), survival_words()})
        if (run_one_of(some, words)) return;
    say("no such word");
}

}  // namespace hostile

int main(int argc, char** argv) {
    hostile::run(hostile::Arguments(argv + 1, argv + argc));
}
