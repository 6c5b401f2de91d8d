#pragma once

#include "http/asio.h"
#include "http/head.h"
#include "http/hold.h"
#include "http/server.h"
#include "http/stream.h"

#include <algorithm>
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
    std::size_t body_bytes = 0;  ///< of all Weights

    /// One read buffer for all: it is emptied before the coroutine that filled it suspends.
    std::vector<char> scratch = std::vector<char>(std::size_t{64} << 10);
    std::string date;
    std::time_t date_second = 0;
};

/// What the body of one request counts in Options::body_budget.
class Weight {
  public:
    explicit Weight(Loop& loop) : loop_(loop) {}
    ~Weight() { set(0); }
    Weight(const Weight&) = delete;
    Weight& operator=(const Weight&) = delete;

    /// For a body of so many bytes. False if it is large and all together are above the budget.
    bool set(std::size_t bytes) {
        loop_.body_bytes -= counted_;
        counted_ = bytes - std::min(bytes, kFree);
        loop_.body_bytes += counted_;
        return counted_ == 0 || loop_.body_bytes <= loop_.options.body_budget;
    }

  private:
    static constexpr std::size_t kFree = std::size_t{16} << 10;
    Loop& loop_;
    std::size_t counted_ = 0;
};

/// One client: reads its requests one after the other and answers each before the next.
class Connection : public std::enable_shared_from_this<Connection> {
  public:
    /// Where it came in, and who is at the other end: as in Request.
    struct Ends {
        std::string remote_address;
        std::string local_address;
        std::uint16_t remote_port = 0;
        std::uint16_t local_port = 0;
        bool remote_is_loopback = false;
        int listener = 0;
        std::optional<uid_t> peer_uid;
    };

    /// `place` is given up when the connection is closed.
    Connection(Loop& loop, Stream stream, Ends ends, std::shared_ptr<void> place,
               const Executor& executor);
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
        explicit Exchange(Loop& loop) : weight(loop) {}
        Weight weight;
        Request request;
        bool keep_alive = false;
        std::optional<Failure> failure;
    };
    /// What came of writing one reply.
    struct Written {
        unsigned status = 0;
        std::size_t bytes = 0;
        bool is_complete = false;
    };

    Task<void> session();
    Task<void> serve();
    Task<bool> shake_hands();
    Task<bool> wait_for_request(base::Millis limit);
    Task<std::unique_ptr<Exchange>> read_request();
    Task<std::optional<Failure>> read_head(std::size_t& size);
    Task<Input> fill();
    Io take_input();
    void describe(Request& request) const;
    void reduce(Request& request, std::string method, std::string path) const;
    std::optional<Response> call(Exchange& exchange);
    Task<bool> hold();
    Response fail(Failure failure, const Request& request);
    Task<Written> write(Response response, bool is_head, bool keep_alive);
    Task<std::size_t> send(std::string_view first, std::string_view second);
    void observe(const Request& request, const Written& written, Steady::time_point began,
                 bool held) const;
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
    Ends ends_;
    std::shared_ptr<void> place_in_room_;
    std::string in_;  ///< bytes that were read and not used yet
    Phase phase_ = Phase::idle;

    // The timer is moved lazily: a later deadline leaves it alone until it fires.
    Timer timer_;
    Steady::time_point deadline_ = Steady::time_point::max();
    Steady::time_point armed_until_ = Steady::time_point::max();
    bool timed_out_ = false;

    struct Waiting {
        Hold hold;
        const Request* request = nullptr;  ///< of the exchange, reduced
        std::optional<Response> answer;
        std::multimap<std::string, Connection*, std::less<>>::iterator place;
    };
    std::unique_ptr<Waiting> waiting_;
    std::list<Connection*>::iterator place_;
};

}  // namespace oauth3::http
