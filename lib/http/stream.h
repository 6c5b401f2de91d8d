#pragma once

#include "http/asio.h"
#include "http/tls_session.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <memory>
#include <span>
#include <string_view>

namespace oauth3::http {

/// One client's byte stream: the one place that knows that it is a socket, with or without TLS.
/// All calls but the waits return at once.
class Stream {
  public:
    /// `tls` is null for a plain stream.
    Stream(Socket socket, std::unique_ptr<TlsSession> tls)
        : socket_(std::move(socket)), tls_(std::move(tls)) {}

    bool is_tls() const { return tls_ != nullptr; }
    /// With TLS: as TlsSession::handshake. Its waits are wait_input.
    Io handshake_now() { return tls_->handshake(); }
    /// With TLS: true once the client has sent anything.
    bool has_begun() const { return tls_->has_begun(); }
    /// True if the client has ended its side in a way that wait_input does not see.
    bool is_input_over() const { return tls_ && tls_->is_input_over(); }

    /// Suspends until there are bytes to read, the peer has closed, or cancel().
    auto wait_input(ErrorCode& error) {
        const bool turned = tls_ && tls_->input_wants_output();
        return socket_.async_wait(turned ? Socket::wait_write : Socket::wait_read,
                                  resume_with(error));
    }
    /// Suspends until bytes can be written, or cancel().
    auto wait_output(ErrorCode& error) {
        const bool turned = tls_ && tls_->output_wants_input();
        return socket_.async_wait(turned ? Socket::wait_read : Socket::wait_write,
                                  resume_with(error));
    }

    /// Reads what is there into `buffer`, of at least 16 KiB; `count` is set iff done, and not 0
    /// then.
    Io read_now(std::span<char> buffer, std::size_t& count) {
        return tls_ ? tls_->read(buffer, count) : discard_now(buffer, count);
    }

    /// As read_now, but never looks into TLS: for bytes that nobody wants.
    Io discard_now(std::span<char> buffer, std::size_t& count) {
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
        if (tls_) return tls_->write(first, second);
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
    /// Says that nothing more will be sent. If it would block, only the socket does not know yet.
    Io finish_now() {
        if (tls_ && tls_->finish() == Io::would_block) return Io::would_block;
        ErrorCode ignored;
        socket_.shutdown(Socket::shutdown_send, ignored);
        return Io::done;
    }
    void close() {
        if (tls_) tls_->finish();
        ErrorCode ignored;
        socket_.close(ignored);
        tls_.reset();
    }

  private:
    Socket socket_;
    std::unique_ptr<TlsSession> tls_;
};

}  // namespace oauth3::http
