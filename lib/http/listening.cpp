#include "http/listening.h"

#include "base/error.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace oauth3::http {
namespace {

namespace fs = std::filesystem;

Listening open_tcp(const Address& wanted) {
    const std::string where = "listening on " + wanted.to_string();
    Listening out;
    out.family = wanted.is_v6 ? AF_INET6 : AF_INET;
    out.fd.reset(::socket(out.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!out.fd) base::throw_errno(where);
    const int on = 1;
    // Connections of the server before this one must not keep the port for minutes.
    ::setsockopt(out.fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (wanted.is_v6) ::setsockopt(out.fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    RawAddress raw = to_raw(wanted);
    if (::bind(out.fd.get(), raw.get(), raw.size) != 0 || ::listen(out.fd.get(), SOMAXCONN) != 0) {
        const int number = errno;
        throw base::SystemError(number, where,
                                number == EADDRINUSE
                                    ? "Another program uses this port: stop it or choose another."
                                    : "");
    }
    raw.size = sizeof raw.storage;
    if (::getsockname(out.fd.get(), raw.get(), &raw.size) != 0) base::throw_errno(where);
    out.address = from_raw(raw);
    return out;
}

base::Fd unix_socket(const std::string& where) {
    base::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) base::throw_errno(where);
    return fd;
}

RawAddress to_raw(const fs::path& path) {
    RawAddress raw;
    auto& address = reinterpret_cast<sockaddr_un&>(raw.storage);
    if (path.native().size() >= sizeof address.sun_path) {
        throw base::Error("bad_socket_path",
                          "The path " + path.string() + " is too long for a unix socket.",
                          "The kernel takes at most 107 bytes: choose a shorter one.");
    }
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.native().size() + 1);
    raw.size = sizeof address;
    return raw;
}

/// Removes what a dead server left at `path`; throws if anything else lies there.
void clear_path(const fs::path& path, RawAddress raw, const std::string& where) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
        if (errno == ENOENT) return;
        base::throw_errno(where);
    }
    if (!S_ISSOCK(status.st_mode)) {
        throw base::Error("bad_socket_path", "At " + path.string() + " lies something else.",
                          "It is no socket: move it away, or choose another path.");
    }
    const base::Fd probe = unix_socket(where);
    const bool is_dead = ::connect(probe.get(), raw.get(), raw.size) != 0 && errno == ECONNREFUSED;
    if (!is_dead) {
        throw base::Error("socket_in_use", "Another server answers at " + path.string() + ".",
                          "Stop it, or choose another path.");
    }
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) base::throw_errno(where);
}

Listening open_unix(const fs::path& path) {
    const std::string where = "listening on " + path.string();
    RawAddress raw = to_raw(path);
    const fs::path folder = path.has_parent_path() ? path.parent_path() : ".";
    // Of two servers that find the same dead socket, the slower one must not remove the living
    // socket of the other.
    const base::Fd lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!lock) base::throw_errno(where);
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        throw base::Error("socket_in_use",
                          "Another server is about to listen at " + path.string() + ".",
                          "Stop it, or choose another path.");
    }
    clear_path(path, raw, where);
    Listening out;
    out.family = AF_UNIX;
    out.fd = unix_socket(where);
    // On Linux the file gets the mode of the socket, less the umask: it is never open to others,
    // not even for a moment.
    if (::fchmod(out.fd.get(), 0600) != 0 || ::bind(out.fd.get(), raw.get(), raw.size) != 0) {
        base::throw_errno(where);
    }
    out.file = std::make_unique<SocketFile>(path);
    if (::chmod(path.c_str(), 0600) != 0 || ::listen(out.fd.get(), SOMAXCONN) != 0) {
        base::throw_errno(where);
    }
    return out;
}

}  // namespace

RawAddress to_raw(const Address& address) {
    RawAddress raw;
    if (address.is_v6) {
        auto& v6 = reinterpret_cast<sockaddr_in6&>(raw.storage);
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(address.port);
        ::inet_pton(AF_INET6, address.host.c_str(), &v6.sin6_addr);
        raw.size = sizeof v6;
    } else {
        auto& v4 = reinterpret_cast<sockaddr_in&>(raw.storage);
        v4.sin_family = AF_INET;
        v4.sin_port = htons(address.port);
        ::inet_pton(AF_INET, address.host.c_str(), &v4.sin_addr);
        raw.size = sizeof v4;
    }
    return raw;
}

Address from_raw(const RawAddress& raw) {
    Address address;
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (raw.family() == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(raw.storage);
        address.is_v6 = true;
        address.port = ntohs(v6.sin6_port);
        ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    } else {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(raw.storage);
        address.port = ntohs(v4.sin_port);
        ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    }
    address.host = text.data();
    return address;
}

SocketFile::SocketFile(fs::path path) : path_(std::move(path)) {
    struct stat status {};
    if (::lstat(path_.c_str(), &status) == 0) {
        device_ = status.st_dev;
        inode_ = status.st_ino;
    }
}

SocketFile::~SocketFile() {
    struct stat status {};
    if (::lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ &&
        status.st_ino == inode_) {
        ::unlink(path_.c_str());
    }
}

Listening open_listener(const Listener& listener) {
    return listener.unix_socket.empty() ? open_tcp(listener.address)
                                        : open_unix(listener.unix_socket);
}

}  // namespace oauth3::http
