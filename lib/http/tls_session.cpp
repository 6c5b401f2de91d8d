#include "http/tls_session.h"

#include "base/error.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace oauth3::http {
namespace {

/// What one TLS record can hold (RFC 8446 section 5.1).
constexpr std::size_t kRecord = std::size_t{16} << 10;

TlsSession& session_of(BIO* bio) {
    return *static_cast<TlsSession*>(::BIO_get_data(bio));
}

int bio_read(BIO* bio, char* data, int size) {
    ::BIO_clear_retry_flags(bio);
    TlsSession& session = session_of(bio);
    const ssize_t got =
        ::recv(session.fd(), data, static_cast<std::size_t>(std::max(size, 0)), MSG_DONTWAIT);
    if (got > 0) session.note_input();
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) ::BIO_set_retry_read(bio);
    return static_cast<int>(got);
}

int bio_write(BIO* bio, const char* data, int size) {
    ::BIO_clear_retry_flags(bio);
    const ssize_t sent =
        ::send(session_of(bio).fd(), data, static_cast<std::size_t>(std::max(size, 0)),
               MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) ::BIO_set_retry_write(bio);
    return static_cast<int>(sent);
}

long bio_control(BIO*, int command, long, void*) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;  // nothing is kept here, so all is flushed
}

/// OpenSSL's own socket BIO would raise SIGPIPE.
const BIO_METHOD* socket_method() {
    static const std::shared_ptr<BIO_METHOD> method = [] {
        std::shared_ptr<BIO_METHOD> made(
            ::BIO_meth_new(::BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket"),
            &::BIO_meth_free);
        if (made) {
            ::BIO_meth_set_read(made.get(), bio_read);
            ::BIO_meth_set_write(made.get(), bio_write);
            ::BIO_meth_set_ctrl(made.get(), bio_control);
        }
        return made;
    }();
    return method.get();
}

[[noreturn]] void out_of_memory() {
    throw base::Error("tls", "There is no memory for a TLS connection.");
}

}  // namespace

TlsSession::TlsSession(const Tls& tls, int fd) : fd_(fd) {
    ssl_.reset(::SSL_new(tls.context().get()), &::SSL_free);
    BIO* bio = socket_method() != nullptr ? ::BIO_new(socket_method()) : nullptr;
    if (!ssl_ || bio == nullptr) {
        ::BIO_free(bio);
        out_of_memory();
    }
    ::BIO_set_data(bio, this);
    ::BIO_set_init(bio, 1);
    ::SSL_set_bio(ssl_.get(), bio, bio);  // owns it from now on
    ::SSL_set_accept_state(ssl_.get());
}

TlsSession::~TlsSession() = default;

Io TlsSession::settle(int result, bool& wants_output) {
    wants_output = false;
    switch (::SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_NONE:
            return Io::done;
        case SSL_ERROR_WANT_READ:
            return Io::would_block;
        case SSL_ERROR_WANT_WRITE:
            wants_output = true;
            return Io::would_block;
        case SSL_ERROR_ZERO_RETURN:
            is_input_over_ = true;
            return Io::closed;
        default:
            // Also the end of the connection without close_notify: somebody may have cut it.
            has_failed_ = true;
            return Io::closed;
    }
}

// OpenSSL's queue of errors belongs to the thread, and SSL_get_error looks into it: it must be
// empty before each call.

Io TlsSession::handshake() {
    if (has_failed_) return Io::closed;
    ::ERR_clear_error();
    const Io io = settle(::SSL_do_handshake(ssl_.get()), input_wants_output_);
    is_whole_ = io == Io::done;
    return io;
}

Io TlsSession::read(std::span<char> buffer, std::size_t& count) {
    std::size_t filled = 0;
    Io io = is_input_over() ? Io::closed : Io::done;
    do {
        if (is_input_over()) break;
        std::size_t got = 0;
        ::ERR_clear_error();
        io = settle(::SSL_read_ex(ssl_.get(), buffer.data() + filled, buffer.size() - filled, &got),
                    input_wants_output_);
        filled += got;
        // Less room than a record needs could leave a part of it inside.
    } while (io == Io::done && buffer.size() - filled >= kRecord);
    if (filled == 0) return io;
    count = filled;
    return Io::done;
}

Io TlsSession::write(std::string_view& first, std::string_view& second) {
    while (!first.empty() || !second.empty()) {
        if (has_failed_) return Io::closed;
        // One record for head and body where they fit: one packet, and one encryption. After
        // would_block the same bytes are put together again, as OpenSSL demands.
        std::array<char, kRecord> record;
        const std::size_t of_first = first.copy(record.data(), record.size());
        const std::size_t size =
            of_first + second.copy(record.data() + of_first, record.size() - of_first);
        std::size_t sent = 0;
        bool wants_output = false;
        ::ERR_clear_error();
        const Io io = settle(::SSL_write_ex(ssl_.get(), record.data(), size, &sent), wants_output);
        output_wants_input_ = io == Io::would_block && !wants_output;
        if (io != Io::done) return io;
        const std::size_t taken = std::min(sent, first.size());
        first.remove_prefix(taken);
        second.remove_prefix(sent - taken);
    }
    return Io::done;
}

Io TlsSession::finish() {
    if (is_finished_ || has_failed_ || !is_whole_) return Io::done;
    ::ERR_clear_error();
    const int result = ::SSL_shutdown(ssl_.get());
    // 0: sent, and the client has not sent its own yet, for which nobody needs to wait.
    bool wants_output = false;
    if (result < 0 && settle(result, wants_output) == Io::would_block && wants_output) {
        return Io::would_block;
    }
    is_finished_ = true;
    return Io::done;
}

}  // namespace oauth3::http
