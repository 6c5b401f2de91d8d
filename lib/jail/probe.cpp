#include "jail/probe.h"

#include <fcntl.h>
#include <linux/keyctl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

namespace oauth3::jail {
namespace {

void say(std::string_view key, std::string_view value) {
    std::string line(key);
    line += ' ';
    line += value;
    line += '\n';
    [[maybe_unused]] const ssize_t written = ::write(1, line.data(), line.size());
}

void tell(std::string_view key, long result) {
    const char* const name = result >= 0 ? "ok" : strerrorname_np(errno);
    say(key, name != nullptr ? name : "?");
}

void try_open(std::string_view key, const char* path, int flags) {
    const int fd = ::open(path, flags | O_CLOEXEC, 0600);
    tell(key, fd);
    if (fd >= 0) ::close(fd);
}

void try_connect(std::string_view key, std::uint32_t address) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(9);  // "discard"
    to.sin_addr.s_addr = htonl(address);
    const int result = ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    tell(key, result);
    ::close(fd);
}

void tell_links() {
    for (const char* kind : {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"}) {
        std::array<char, 64> target{};
        const std::string path = std::string("/proc/self/ns/") + kind;
        if (::readlink(path.c_str(), target.data(), target.size() - 1) < 0)
            tell(std::string("ns.") + kind, -1);
        else
            say(std::string("ns.") + kind, target.data());
    }
}

/// The lines of /proc/self/status that tell of rights, as "CapEff 0000000000000000".
void tell_status() {
    const int fd = ::open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    std::string text(16384, '\0');
    const ssize_t size = fd < 0 ? -1 : ::read(fd, text.data(), text.size());
    if (size < 0) return tell("status", -1);
    std::string_view rest = std::string_view(text).substr(0, static_cast<std::size_t>(size));
    while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        const std::size_t colon = line.find(":\t");
        if (colon == std::string_view::npos) continue;
        const std::string_view name = line.substr(0, colon);
        if (name.starts_with("Cap") || name == "NoNewPrivs" || name == "Seccomp")
            say(name, line.substr(colon + 2));
    }
}

void try_calls() {
    tell("call.mount", ::mount("none", "/tmp", "tmpfs", 0, nullptr));
    tell("call.unshare", ::unshare(CLONE_NEWUSER));
    tell("call.ptrace", ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr));
    tell("call.keyctl", ::syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0));
    // With arguments that are wrong: a kernel that lets the call through answers EFAULT or EINVAL.
    tell("call.bpf", ::syscall(SYS_bpf, -1, nullptr, 0));
    tell("call.io_uring", ::syscall(SYS_io_uring_setup, 0, nullptr));
    tell("call.perf", ::syscall(SYS_perf_event_open, nullptr, 0, -1, -1, 0));
    tell("call.netlink", ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
    constexpr long kUnknown = 1'000'000;
    tell("call.unknown", ::syscall(kUnknown));
}

void look_around() {
    say("uid", std::to_string(::getuid()));
    say("pid", std::to_string(::getpid()));
    tell_links();
    tell_status();
    try_open("read./etc/passwd", "/etc/passwd", O_RDONLY);
    try_open("read./home", "/home", O_RDONLY);
    try_open("read./proc/1/environ", "/proc/1/environ", O_RDONLY);
    try_open("read./proc/sys", "/proc/sys/kernel/core_pattern", O_RDONLY);
    try_open("read./proc/sysrq-trigger", "/proc/sysrq-trigger", O_RDONLY);
    try_open("write./", "/probe", O_WRONLY | O_CREAT);
    try_open("write./dev", "/dev/probe", O_WRONLY | O_CREAT);
    try_open("write./tmp", "/tmp/probe", O_WRONLY | O_CREAT);
    tell("link.shm", ::symlink("/tmp", "/dev/shm/link"));  // only Landlock minds
    try_connect("connect.loopback", INADDR_LOOPBACK);
    try_connect("connect.outside", 0xC0000201);  // 192.0.2.1, which is nobody's (RFC 5737)
    try_calls();
}

/// Takes twice the memory that it may have, and then waits to be ended for it.
void use_memory() {
    constexpr std::size_t kPage = 4096;
    for (std::size_t done = 0; done < 2 * kProbeMemory; done += kPage << 8) {
        void* const block =
            ::mmap(nullptr, kPage << 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (block == MAP_FAILED) return tell("memory", -1);
        std::memset(block, 1, kPage << 8);
    }
    say("memory", "ok");
    for (;;) ::pause();
}

/// Starts children until no more may be.
void use_tasks() {
    for (std::uint64_t count = 0; count <= 2 * kProbeTasks; ++count) {
        const pid_t child = ::fork();
        if (child == 0)
            for (;;) ::pause();
        if (child < 0) return tell("tasks", -1);
    }
    say("tasks", "ok");
}

void use_disk() {
    const int fd = ::open("/tmp/probe", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const std::string block(65536, 'x');
    for (std::uint64_t done = 0; done <= 2 * kProbeDisk; done += block.size())
        if (::write(fd, block.data(), block.size()) < 0) return tell("disk", -1);
    say("disk", "ok");
}

}  // namespace

void run_probe(Probe kind) {
    switch (kind) {
        case Probe::none:
            return;
        case Probe::surroundings:
            return look_around();
        case Probe::memory:
            return use_memory();
        case Probe::tasks:
            return use_tasks();
        case Probe::disk:
            return use_disk();
        case Probe::endless:
            say("waiting", "ok");
            for (;;) ::pause();
    }
}

}  // namespace oauth3::jail
