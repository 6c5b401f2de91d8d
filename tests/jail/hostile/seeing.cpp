// What a program sees of its surroundings, and of the host.
#include "words.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

extern char** environ;

namespace hostile {
namespace {

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

constexpr Word kWords[] = {
    {"env", environment},
    {"find-key", find_key},
    {"fds", descriptors},
    {"identity", identity},
    {"ns", namespaces},
    {"interfaces", interfaces},
    {"connect", connect_to},
    {"read", read_file},
    {"list", list},
    {"limits", limits},
    {"raise-limits", raise_limits},
};

}  // namespace

std::span<const Word> seeing_words() {
    return kWords;
}

}  // namespace hostile
