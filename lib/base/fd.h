#pragma once

#include <unistd.h>

#include <string>
#include <string_view>
#include <utility>

namespace oauth3::base {

/// Owns one file descriptor and closes it when it dies. -1 means none.
class Fd {
  public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        if (this != &other) reset(std::exchange(other.fd_, -1));
        return *this;
    }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() { reset(); }

    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    int release() { return std::exchange(fd_, -1); }
    void reset(int fd = -1) {
        if (fd_ >= 0) ::close(fd_);
        fd_ = fd;
    }

  private:
    int fd_ = -1;
};

/// Two ends of a pipe, both close-on-exec.
struct Pipe {
    Fd read;
    Fd write;
};
Pipe make_pipe();

/// Two ends of a connected SOCK_SEQPACKET pair, both close-on-exec.
struct SocketPair {
    Fd first;
    Fd second;
};
SocketPair make_seqpacket_pair();

/// An anonymous file in memory that holds `bytes`, sealed against any change; offset 0.
/// `name` is only for /proc/<pid>/fd.
Fd make_sealed_memory(const char* name, std::string_view bytes);

/// Writes all of `bytes`, going on after EINTR and short writes. Throws SystemError.
void write_all(int fd, std::string_view bytes);

/// Reads to the end of the file. Throws SystemError; "file_too_large" above `limit` bytes.
std::string read_all(int fd, std::size_t limit);

}  // namespace oauth3::base
