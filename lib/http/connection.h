#pragma once

#include "http/asio.h"
#include "http/head.h"
#include "http/hold.h"
#include "http/server.h"
#include "http/stream.h"

#include <atomic>
#include <ctime>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace oauth3::http {

class Connection;

/// What the connections of one server share. It outlives them, and is used only on the loop but
/// for the two counters.
struct Loop {
    Loop(Options o, Server::RequestHandler h, Server::FailureHandler f)
        : options(std::move(o)), handler(std::move(h)), failure(std::move(f)) {}

    Options options;
    Server::RequestHandler handler;
    Server::FailureHandler failure;
    std::function<void()> closed;  ///< called after a connection was closed

    std::list<Connection*> connections;
    std::multimap<std::string, Connection*, std::less<>> waiters;
    bool stopping = false;
    bool grace_over = false;
    std::atomic<std::size_t> waiting{0};
    std::atomic<std::size_t> open{0};

    /// One read buffer for all: it is emptied before the coroutine that filled it suspends.
    std::vector<char> scratch = std::vector<char>(std::size_t{64} << 10);
    std::string date;
    std::time_t date_second = 0;
};

/// One client: reads its requests one after the other and answers each before the next.
class Connection : public std::enable_shared_from_this<Connection> {
  public:
    /// Who is at the other end.
    struct Remote {
        std::string address;
        bool is_loopback = false;
    };

    Connection(Loop& loop, Socket socket, Remote remote, const Executor& executor);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// Begins to serve; the connection keeps itself alive until it is closed.
    void start();

    /// Asks a Hold, if one waits here. With `last` it is answered in any case.
    void ask(bool last);

    /// The server stops: answers the Hold, closes if there is no request under way.
    void stop();

    /// The grace time is over: whatever waits is ended.
    void abandon();

  private:
    enum class Phase { idle, reading, holding, writing, lingering };
    /// Why a wait for input ended.
    enum class Input { data, closed, timed_out, stopped };
    /// One request as it was read. `failure` stands in the place of a handler's reply.
    struct Exchange {
        Request request;
        bool keep_alive = false;
        std::optional<Failure> failure;
    };

    Task<void> session();
    Task<void> serve();
    Task<bool> wait_for_request(base::Millis limit);
    Task<Exchange> read_request();
    Task<std::optional<Failure>> read_head(std::size_t& size);
    Task<Input> fill();
    Stream::Io take_input();
    std::optional<Response> call(Exchange& exchange);
    Task<bool> hold();
    Response fail(Failure failure, const Request& request);
    Task<bool> write(Response response, bool is_head, bool keep_alive);
    Task<bool> send(std::string_view first, std::string_view second);
    Task<void> linger(bool unread);
    void end_hold();
    void close();
    std::string_view date();

    void enter(Phase phase, Steady::duration limit);
    void arm_timer();
    void on_timer();

    Loop& loop_;
    Stream stream_;
    Executor executor_;
    Remote remote_;
    std::string in_;  ///< bytes that were read and not used yet
    Phase phase_ = Phase::idle;

    // The timer is moved lazily: a later deadline leaves it alone until it fires.
    Timer timer_;
    Steady::time_point deadline_ = Steady::time_point::max();
    Steady::time_point armed_until_ = Steady::time_point::max();
    bool timed_out_ = false;

    struct Waiting {
        Hold hold;
        Request request;  ///< only what a failure handler gets
        std::optional<Response> answer;
        std::multimap<std::string, Connection*, std::less<>>::iterator place;
    };
    std::unique_ptr<Waiting> waiting_;
    std::list<Connection*>::iterator place_;
};

}  // namespace oauth3::http
