#pragma once

#include "http/asio.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <span>
#include <string>
#include <string_view>

namespace oauth3::http {

/// One client's byte stream: the one place that knows that it is a TCP socket. All calls but the
/// waits return at once.
class Stream {
  public:
    explicit Stream(Socket socket) : socket_(std::move(socket)) {}

    /// What a read or a write came to.
    enum class Io { done, would_block, closed };

    /// Suspends until there are bytes to read, the peer has closed, or cancel().
    auto wait_input(ErrorCode& error) {
        return socket_.async_wait(Socket::wait_read, resume_with(error));
    }
    /// Suspends until bytes can be written, or cancel().
    auto wait_output(ErrorCode& error) {
        return socket_.async_wait(Socket::wait_write, resume_with(error));
    }

    /// Reads what is there into `buffer`; `count` is set iff done, and not 0 then.
    Io read_now(std::span<char> buffer, std::size_t& count) {
        while (true) {
            const ssize_t got =
                ::recv(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
            if (got > 0) {
                count = static_cast<std::size_t>(got);
                return Io::done;
            }
            if (got == 0) return Io::closed;
            if (errno == EAGAIN) return Io::would_block;
            if (errno != EINTR) return Io::closed;
        }
    }

    /// Writes what fits now of `first` and `second`, and takes it off them.
    Io write_now(std::string_view& first, std::string_view& second) {
        while (!first.empty() || !second.empty()) {
            std::array<iovec, 2> parts{{{const_cast<char*>(first.data()), first.size()},
                                        {const_cast<char*>(second.data()), second.size()}}};
            msghdr message{};
            message.msg_iov = parts.data();
            message.msg_iovlen = parts.size();
            const ssize_t sent =
                ::sendmsg(socket_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (sent < 0 && errno == EINTR) continue;
            if (sent < 0) return errno == EAGAIN ? Io::would_block : Io::closed;
            const auto count = static_cast<std::size_t>(sent);
            const std::size_t of_first = std::min(count, first.size());
            first.remove_prefix(of_first);
            second.remove_prefix(count - of_first);
        }
        return Io::done;
    }

    /// Ends both waits; they resume later, on the loop.
    void cancel() {
        ErrorCode ignored;
        socket_.cancel(ignored);
    }
    /// Says that nothing more will be sent.
    void shutdown_send() {
        ErrorCode ignored;
        socket_.shutdown(Socket::shutdown_send, ignored);
    }
    void close() {
        ErrorCode ignored;
        socket_.close(ignored);
    }

  private:
    Socket socket_;
};

}  // namespace oauth3::http
