#pragma once

#include "http/tls.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

struct ssl_st;

namespace oauth3::http {

/// What a read or a write came to.
enum class Io { done, would_block, closed };

/// TLS on one connected, non-blocking socket, which it does not own. All calls return at once.
class TlsSession {
  public:
    /// Throws Error "tls" if OpenSSL has no memory.
    TlsSession(const Tls& tls, int fd);
    ~TlsSession();
    TlsSession(const TlsSession&) = delete;
    TlsSession& operator=(const TlsSession&) = delete;

    /// Goes on with the handshake; to be called until it is done, before all else. `closed` if it
    /// cannot succeed any more: then the client was told why, as far as the kernel took it.
    Io handshake();
    /// Reads what is there; `count` is set iff done, and not 0 then. A buffer of 16 KiB or more
    /// leaves no byte inside the session, so that waiting for the socket is enough. `closed` is
    /// the client's close_notify, or the end of the connection without one.
    Io read(std::span<char> buffer, std::size_t& count);
    /// Writes what fits now of `first` and `second`, and takes it off them.
    Io write(std::string_view& first, std::string_view& second);
    /// Sends close_notify, unless the session has failed or was never whole; `done` ever after.
    Io finish();

    /// True if the call that would block (handshake and read, or write) waits for the other
    /// direction of the socket.
    bool input_wants_output() const { return input_wants_output_; }
    bool output_wants_input() const { return output_wants_input_; }
    /// True once the client has sent anything.
    bool has_begun() const { return has_begun_; }
    /// True if read() will only say `closed` from now on, whatever the socket holds.
    bool is_input_over() const { return is_input_over_ || has_failed_; }

    /// For the one who moves its bytes (a BIO).
    int fd() const { return fd_; }
    void note_input() { has_begun_ = true; }

  private:
    Io settle(int result, bool& wants_output);

    int fd_;
    bool has_begun_ = false;
    bool is_whole_ = false;  ///< the handshake is done
    bool has_failed_ = false;
    bool is_input_over_ = false;
    bool is_finished_ = false;
    bool input_wants_output_ = false;
    bool output_wants_input_ = false;
    std::shared_ptr<ssl_st> ssl_;
};

}  // namespace oauth3::http
