#pragma once

#include "base/fd.h"
#include "http/server.h"

#include <sys/socket.h>
#include <sys/types.h>

#include <filesystem>
#include <memory>

namespace oauth3::http {

/// An address in the form that the kernel takes.
struct RawAddress {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
    int family() const { return storage.ss_family; }
};

RawAddress to_raw(const Address& address);
/// For AF_INET and AF_INET6.
Address from_raw(const RawAddress& raw);

/// The file of a unix socket: removed when this dies, unless another one lies there by then.
class SocketFile {
  public:
    /// Takes over the socket that was bound to this path.
    explicit SocketFile(std::filesystem::path path);
    ~SocketFile();
    SocketFile(const SocketFile&) = delete;
    SocketFile& operator=(const SocketFile&) = delete;

  private:
    std::filesystem::path path_;
    dev_t device_ = 0;
    ino_t inode_ = 0;
};

/// A socket that listens.
struct Listening {
    base::Fd fd;
    int family = 0;
    Address address;                   ///< TCP: with the real port
    std::unique_ptr<SocketFile> file;  ///< unix
};

/// Throws as the constructor of Server does.
Listening open_listener(const Listener& listener);

}  // namespace oauth3::http
