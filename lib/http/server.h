#pragma once

#include "base/clock.h"
#include "http/address.h"
#include "http/hold.h"
#include "http/message.h"

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace oauth3::http {

class Tls;

/// One place where the server can be reached.
struct Listener {
    Listener() = default;
    /// On a TCP address. Implicit, since this is what nearly every listener is.
    Listener(Address where, std::shared_ptr<Tls> with = nullptr, int name = 0)
        : address(std::move(where)), tls(std::move(with)), tag(name) {}
    /// On a stream socket in the file system. The folder must be one that only this user may write
    /// to: see unix_socket.
    static Listener at_path(std::filesystem::path path, int tag = 0) {
        Listener listener;
        listener.unix_socket = std::move(path);
        listener.tag = tag;
        listener.is_reserved = true;
        return listener;
    }

    Address address;
    /// If not empty: a unix socket of mode 0600 at this path stands in the place of the address.
    /// What a dead server left there is replaced; the file is removed when the server stops.
    std::filesystem::path unix_socket;
    std::shared_ptr<Tls> tls;  ///< null: plain
    int tag = 0;               ///< comes back as Request::listener
    /// Has a few places of its own beside Options::max_connections, as every unix socket has: it is
    /// reached also while clients of the others take all of theirs.
    bool is_reserved = false;
};

/// What came of one request, for logs and counters. The views are valid during the call only.
struct Observed {
    std::string_view method;  ///< "" if it could not be read
    std::string_view path;    ///< raw and without the query; "" if it could not be read
    unsigned status = 0;      ///< 0 if the client went away before there was a reply
    int listener = 0;
    std::string_view remote_address;   ///< as Request::remote_address
    std::optional<uid_t> peer_uid;     ///< as Request::peer_uid
    std::chrono::microseconds time{};  ///< from the whole request to the end of the write
    std::uint64_t bytes_sent = 0;      ///< head and body, before TLS
    bool held = false;                 ///< a Hold waited
    bool is_complete = false;          ///< the kernel took the whole reply
};

/// What never reaches the handler, or came to nothing there.
enum class Failure {
    malformed,         ///< 400: not HTTP/1.x, ambiguous framing, bad or missing Host
    header_too_large,  ///< 431
    body_too_large,    ///< 413
    timeout,           ///< 408: the request came too slowly
    internal,          ///< 500: a handler threw, or gave a response that cannot be sent
    shutting_down,     ///< 503: the request was not complete when the grace time ended
    overloaded,        ///< 503: large bodies of many clients are under way (Options::body_budget)
};

/// The usual status of a failure, such as 413.
unsigned status_of(Failure failure);

struct Options {
    /// Where to listen; at least one. Port 0 lets the kernel choose (see local_endpoints).
    std::vector<Listener> listen;
    std::size_t body_limit = std::size_t{1} << 20;     ///< bytes, after transfer decoding
    std::size_t header_limit = std::size_t{16} << 10;  ///< bytes of request line and headers
    /// Bytes of all bodies that are being read, or wait for their handler. The first 16 KiB of each
    /// do not count, so that nobody's large ones keep out a log-in or a decision.
    std::size_t body_budget = std::size_t{256} << 20;
    base::Millis request_timeout{30'000};     ///< for the headers, from their first byte
    base::Millis keep_alive_timeout{75'000};  ///< between two requests
    /// A body or a reply may take request_timeout plus one second for each `min_rate` bytes.
    std::size_t min_rate = std::size_t{8} << 10;
    base::Millis linger{5'000};  ///< how long a client may go on sending after a final response
    base::Millis grace{5'000};   ///< for what is under way when the server stops
    /// More connections wait in the kernel's queue. Lowered to leave a quarter of the process's
    /// open files (at most 512) to the rest of the program. One client (rate_key(); this machine is
    /// one, whichever of its loopback addresses it calls from) gets three quarters, or 16 if that
    /// is more: what is above is closed at once.
    std::size_t max_connections = 20'000;
    /// Stop on SIGTERM and SIGINT; a second signal ends the grace time at once.
    bool handle_signals = false;
    /// Called on the loop after each reply was written, or came to nothing because the client went
    /// away. An exception is logged and changes nothing.
    std::function<void(const Observed&)> observe;
};

/// Answers HTTP/1.1 and 1.0 on one loop, in the thread that calls run(). It adds no header but
/// Content-Length, Connection and Date, and knows no routes.
class Server {
  public:
    /// Called on the loop for each request. It may change the request (set `params`, move the body
    /// away). If it throws, the text goes to the log and the client gets Failure::internal.
    using RequestHandler = std::function<Reply(Request&)>;
    /// Renders a failure. The request may be incomplete or empty; after a Hold only its method,
    /// path and remote address are left. Apart from `internal` the connection is closed after it.
    /// If it throws, an empty reply with status_of() is sent.
    using FailureHandler = std::function<Response(Failure, const Request&)>;

    /// Binds and listens, so clients can connect from now on; they are answered in run(). Throws
    /// SystemError, with a hint if the address is in use; Error "no_address" if there is none,
    /// "socket_in_use" if a server answers at the path of a unix socket, "bad_socket_path" if
    /// something else lies there or the path is too long for the kernel.
    Server(Options options, RequestHandler handler, FailureHandler failure);
    /// run() must have returned. Held replies that were never answered are destroyed.
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Runs the loop until it was stopped and the last connection is closed. Once only.
    void run();

    /// Any thread. Stops accepting, answers every Hold, lets requests under way finish (they still
    /// reach the handler; a Hold is asked for its last answer at once), closes idle connections,
    /// and after the grace time all others. Returns at once.
    void stop();

    /// Any thread. Runs `work` on the loop, soon, after what runs there now. Dropped if run() has
    /// returned. An exception is logged and ends only this work.
    void post(std::function<void()> work);

    /// Any thread. Asks the Holds of this key again, soon, on the loop. Several wakes of one key
    /// may become one. A change that was visible before wake() was called is seen by each Hold.
    void wake(std::string_view key);

    /// Before run() or on the loop: calls `work` on the loop each `period` (> 0), counted from the
    /// end of the call before, until the last connection is closed. Exceptions are logged.
    void every(base::Millis period, std::function<void()> work);

    /// Before run() or on the loop: called on the loop when stopping begins, before the Holds are
    /// answered.
    void on_stop(std::function<void()> work);

    /// Before run(), with Options::handle_signals: called on the loop at each SIGHUP. Without any
    /// such call SIGHUP is left alone and ends the process.
    void on_hangup(std::function<void()> work);

    /// The TCP addresses in the order of Options::listen, with the real ports.
    const std::vector<Address>& local_endpoints() const;

    /// Any thread: number of Holds that wait, and of open connections.
    std::size_t waiting() const;
    std::size_t connections() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace oauth3::http
