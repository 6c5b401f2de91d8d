#include "base/fd.h"

#include "base/error.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace oauth3::base {

Pipe make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("pipe2");
    return {Fd(ends[0]), Fd(ends[1])};
}

SocketPair make_seqpacket_pair() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
        throw_errno("socketpair");
    return {Fd(ends[0]), Fd(ends[1])};
}

Fd make_sealed_memory(const char* name, std::string_view bytes) {
    Fd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!fd) throw_errno("memfd_create");
    write_all(fd.get(), bytes);
    if (::lseek(fd.get(), 0, SEEK_SET) != 0) throw_errno("lseek");
    constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    if (::fcntl(fd.get(), F_ADD_SEALS, kSeals) != 0) throw_errno("F_ADD_SEALS");
    return fd;
}

void write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0) {
            if (errno == EINTR) continue;
            throw_errno("write");
        }
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
}

std::string read_all(int fd, std::size_t limit) {
    std::string out;
    std::array<char, 65536> buffer{};
    for (;;) {
        const ssize_t n = ::read(fd, buffer.data(), buffer.size());
        if (n < 0) {
            if (errno == EINTR) continue;
            throw_errno("read");
        }
        if (n == 0) return out;
        if (out.size() + static_cast<std::size_t>(n) > limit)
            throw Error("file_too_large", "the input is larger than the limit");
        out.append(buffer.data(), static_cast<std::size_t>(n));
    }
}

}  // namespace oauth3::base
