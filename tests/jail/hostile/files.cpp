// What is written, and what is mounted.
#include "words.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace hostile {
namespace {

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

int open_many(const Arguments&) {
    int count = 0;
    while (count < 30000 && ::dup(0) >= 0) ++count;
    std::printf("%d\n", count);
    return 0;
}

constexpr Word kWords[] = {
    {"echo",
     [](const Arguments& a) {
         std::fputs(a[0].c_str(), stdout);
         std::fputs("to stderr", stderr);
         return 0;
     }},
    {"bytes",  // not UTF-8, with a NUL
     [](const Arguments&) { return ::write(1, "a\xff\xc3\0\xe2\x82z", 7) == 7 ? 0 : 1; }},
    {"flood", flood},
    {"write-big", write_big},
    {"make-files", make_files},
    {"open-many", open_many},
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
    {"mknod",
     [](const Arguments& a) {
         tell(::mknod(a[0].c_str(), S_IFCHR | 0600, 0x103));
         return 0;
     }},
};

}  // namespace

std::span<const Word> file_words() {
    return kWords;
}

}  // namespace hostile
