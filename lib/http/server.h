#pragma once

#include "base/clock.h"
#include "http/address.h"
#include "http/hold.h"
#include "http/message.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace oauth3::http {

/// What never reaches the handler, or came to nothing there.
enum class Failure {
    malformed,         ///< 400: not HTTP/1.x, ambiguous framing, bad or missing Host
    header_too_large,  ///< 431
    body_too_large,    ///< 413
    timeout,           ///< 408: the request came too slowly
    internal,          ///< 500: a handler threw, or gave a response that cannot be sent
    shutting_down,     ///< 503: the request was not complete when the grace time ended
};

/// The usual status of a failure, such as 413.
unsigned status_of(Failure failure);

struct Options {
    /// Where to listen; at least one. Port 0 lets the kernel choose (see local_endpoints).
    std::vector<Address> listen;
    std::size_t body_limit = std::size_t{1} << 20;     ///< bytes, after transfer decoding
    std::size_t header_limit = std::size_t{16} << 10;  ///< bytes of request line and headers
    base::Millis request_timeout{30'000};              ///< for the headers, from their first byte
    base::Millis keep_alive_timeout{75'000};           ///< between two requests
    /// A body or a reply may take request_timeout plus one second for each `min_rate` bytes.
    std::size_t min_rate = std::size_t{8} << 10;
    base::Millis linger{5'000};  ///< how long a client may go on sending after a final response
    base::Millis grace{5'000};   ///< for what is under way when the server stops
    /// More connections wait in the kernel's queue. Lowered to leave a quarter of the process's
    /// open files (at most 512) to the rest of the program.
    std::size_t max_connections = 20'000;
    /// Stop on SIGTERM and SIGINT; a second signal ends the grace time at once.
    bool handle_signals = false;
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
    /// SystemError, with a hint if the address is in use; Error "no_address" if there is none.
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

    /// The addresses in the order of Options::listen, with the real ports.
    const std::vector<Address>& local_endpoints() const;

    /// Any thread: number of Holds that wait, and of open connections.
    std::size_t waiting() const;
    std::size_t connections() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace oauth3::http
