#include "http/connection.h"

#include "base/log.h"
#include "http/render.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include <exception>

namespace oauth3::http {
namespace {

/// What a client may go on sending after a final response, so that it gets to reading it.
constexpr std::size_t kLingerBytes = std::size_t{64} << 20;
/// The same while the server stops: a second is enough for those who read at all.
constexpr base::Millis kLingerAtStop{1'000};

}  // namespace

Connection::Connection(Loop& loop, Stream stream, Ends ends, std::shared_ptr<void> place,
                       const Executor& executor)
    : loop_(loop),
      stream_(std::move(stream)),
      executor_(executor),
      ends_(std::move(ends)),
      place_in_room_(std::move(place)),
      timer_(executor),
      place_(loop.connections.insert(loop.connections.end(), this)) {
    ++loop_.open;
}

Connection::~Connection() {
    close();
}

void Connection::close() {
    if (place_ == loop_.connections.end()) return;
    end_hold();
    stream_.close();
    timer_.cancel();
    place_in_room_.reset();
    loop_.connections.erase(place_);
    place_ = loop_.connections.end();
    --loop_.open;
}

void Connection::start() {
    asio::co_spawn(
        executor_, [self = shared_from_this()] { return self->session(); }, asio::detached);
}

Task<void> Connection::session() {
    const auto self = shared_from_this();
    try {
        co_await serve();
    } catch (const std::exception& error) {
        base::log_error("http: a connection ended: {}", error.what());
    }
    close();
    if (loop_.closed) loop_.closed();
}

Task<void> Connection::serve() {
    if (stream_.is_tls() && !co_await shake_hands()) {
        // So that the alert arrives that says what was wrong.
        if (stream_.is_input_over()) co_await linger(true);
        co_return;
    }
    base::Millis idle = loop_.options.request_timeout;
    while (true) {
        if (!co_await wait_for_request(idle)) co_return;
        idle = loop_.options.keep_alive_timeout;
        // On the heap, since this frame is as large for an idle client as for a busy one.
        auto exchange = co_await read_request();
        const bool refused = exchange->failure.has_value();
        const Steady::time_point began = Steady::now();
        std::optional<Response> response = call(*exchange);
        exchange->weight.set(0);  // the body is gone
        const bool held = !response;
        if (held) {
            if (!co_await hold()) {
                observe(exchange->request, {}, began, held);
                co_return;
            }
            response = std::move(waiting_->answer);
            waiting_.reset();
        }
        const bool keep_alive = exchange->keep_alive && !response->close && !loop_.stopping;
        const bool is_head = exchange->request.method == "HEAD";
        const Written written = co_await write(std::move(*response), is_head, keep_alive);
        observe(exchange->request, written, began, held);
        if (!written.is_complete) co_return;
        if (!keep_alive) {
            co_await linger(refused || !in_.empty());
            co_return;
        }
        // A client that pipelines without end must not keep the loop from the others.
        if (!in_.empty()) {
            co_await asio::post(executor_, asio::use_awaitable_t<Executor>());
        } else if (in_.capacity() > 4096) {
            in_.shrink_to_fit();
        }
    }
}

/// Says where a request came from.
void Connection::describe(Request& request) const {
    request.remote_address = ends_.remote_address;
    request.remote_port = ends_.remote_port;
    request.remote_is_loopback = ends_.remote_is_loopback;
    request.local_address = ends_.local_address;
    request.local_port = ends_.local_port;
    request.listener = ends_.listener;
    request.is_tls = stream_.is_tls();
    request.peer_uid = ends_.peer_uid;
}

/// Leaves of a request what is told of it after it was handled: its line, and where it came from.
void Connection::reduce(Request& request, std::string method, std::string path) const {
    Request kept;
    describe(kept);
    kept.method = std::move(method);
    kept.path = std::move(path);
    std::swap(request, kept);  // assigning would keep the memory of what goes
}

void Connection::observe(const Request& request, const Written& written, Steady::time_point began,
                         bool held) const {
    if (!loop_.options.observe) return;
    Observed seen;
    seen.method = request.method;
    seen.path = request.path;
    seen.status = written.status;
    seen.listener = request.listener;
    seen.remote_address = request.remote_address;
    seen.peer_uid = request.peer_uid;
    seen.time = std::chrono::duration_cast<std::chrono::microseconds>(Steady::now() - began);
    seen.bytes_sent = written.bytes;
    seen.held = held;
    seen.is_complete = written.is_complete;
    try {
        loop_.options.observe(seen);
    } catch (const std::exception& error) {
        base::log_error("http: observing a reply failed: {}", error.what());
    }
}

// Answers -----------------------------------------------------------------------------------------

Response Connection::fail(Failure failure, const Request& request) {
    Response response;
    try {
        response = loop_.failure(failure, request);
    } catch (const std::exception& error) {
        base::log_error("http: rendering a failure failed: {}", error.what());
        response = {};
        response.status = status_of(failure);
    }
    if (failure != Failure::internal) response.close = true;
    return response;
}

/// The response, or nullopt if a Hold waits now. The request is reduced after that.
std::optional<Response> Connection::call(Exchange& exchange) {
    Request& request = exchange.request;
    if (exchange.failure) return fail(*exchange.failure, request);
    std::string method = request.method;  // the handler may change the request
    std::string path = request.path;
    try {
        Reply reply = loop_.handler(request);
        if (auto* response = std::get_if<Response>(&reply)) {
            reduce(request, std::move(method), std::move(path));
            return std::move(*response);
        }
        waiting_ = std::make_unique<Waiting>();
        waiting_->place = loop_.waiters.end();
        waiting_->hold = std::move(std::get<Hold>(reply));
    } catch (const std::exception& error) {
        base::log_error("http: {} {} failed: {}", method, path, error.what());
        Response response = fail(Failure::internal, request);
        reduce(request, std::move(method), std::move(path));
        return response;
    }
    reduce(request, std::move(method), std::move(path));
    waiting_->request = &request;
    waiting_->place = loop_.waiters.emplace(waiting_->hold.key, this);
    ++loop_.waiting;
    ask(loop_.stopping || waiting_->hold.limit <= base::Millis::zero());
    if (!waiting_->answer) return std::nullopt;
    std::optional<Response> response = std::move(waiting_->answer);
    waiting_.reset();
    return response;
}

void Connection::ask(bool last) {
    if (!waiting_ || waiting_->answer) return;
    try {
        waiting_->answer = waiting_->hold.attempt(last);
        if (last && !waiting_->answer) {
            base::log_error("http: {} had no last answer", waiting_->request->path);
            waiting_->answer = fail(Failure::internal, *waiting_->request);
        }
    } catch (const std::exception& error) {
        base::log_error("http: {} failed: {}", waiting_->request->path, error.what());
        waiting_->answer = fail(Failure::internal, *waiting_->request);
    }
    if (!waiting_->answer) return;
    end_hold();
    stream_.cancel();
}

/// Takes the Hold off the list, and frees what it holds.
void Connection::end_hold() {
    if (!waiting_ || waiting_->place == loop_.waiters.end()) return;
    loop_.waiters.erase(waiting_->place);
    waiting_->place = loop_.waiters.end();
    waiting_->hold = {};
    --loop_.waiting;
}

/// Waits until the Hold is answered. False if the client went away before.
Task<bool> Connection::hold() {
    // What is not needed while waiting is given back: there may be thousands of us.
    in_.shrink_to_fit();
    enter(Phase::holding, waiting_->hold.limit);
    while (!waiting_->answer) {
        if (in_.size() > loop_.options.header_limit) {
            // It goes on sending and we do not go on storing, so we would not see it leave: the
            // Hold is answered with what is known now.
            ask(true);
            break;
        }
        if (stream_.is_input_over()) {
            end_hold();
            co_return false;
        }
        ErrorCode error;
        co_await stream_.wait_input(error);
        if (waiting_->answer) break;
        if (loop_.grace_over || take_input() == Io::closed) {
            end_hold();
            co_return false;
        }
    }
    co_return true;
}

/// Returns how many bytes went out: all of them, unless the client is gone or too slow.
Task<std::size_t> Connection::send(std::string_view first, std::string_view second) {
    const std::size_t all = first.size() + second.size();
    const auto size =
        static_cast<base::Seconds::rep>(all / std::max<std::size_t>(loop_.options.min_rate, 1));
    enter(Phase::writing, loop_.options.request_timeout + base::Seconds(size));
    while (stream_.write_now(first, second) == Io::would_block) {
        if (timed_out_ || loop_.grace_over) break;
        ErrorCode error;
        co_await stream_.wait_output(error);
    }
    co_return all - first.size() - second.size();
}

Task<Connection::Written> Connection::write(Response response, bool is_head, bool keep_alive) {
    if (!is_sendable(response)) {
        base::log_error("http: a response with status {} cannot be sent", response.status);
        response = fail(Failure::internal, {});
        if (!is_sendable(response)) response = {500, {}, {}, false};
    }
    // Said to HTTP/1.1 as well, where it is the default, since old proxies like to hear it.
    const std::string head = render_head(response, keep_alive ? "keep-alive" : "close", date());
    const bool bare = is_head || !has_body(response.status);
    const std::string_view body = bare ? std::string_view() : response.body;
    const std::size_t sent = co_await send(head, body);
    co_return Written{response.status, sent, sent == head.size() + body.size()};
}

std::string_view Connection::date() {
    const std::time_t now = std::time(nullptr);
    if (now != loop_.date_second || loop_.date.empty()) {
        loop_.date_second = now;
        loop_.date = format_date(now);
    }
    return loop_.date;
}

/// Closes so that the last response arrives: closing while bytes from the client are unread would
/// send a reset, which may overtake the response. So it is half-closed first, and what the client
/// still sends is thrown away, within limits.
Task<void> Connection::linger(bool unread) {
    in_ = {};
    enter(Phase::lingering, loop_.stopping ? kLingerAtStop : loop_.options.linger);
    ErrorCode error;
    while (stream_.finish_now() == Io::would_block) {
        if (timed_out_ || loop_.grace_over) co_return;
        co_await stream_.wait_output(error);
    }
    if (loop_.grace_over || (loop_.stopping && !unread)) co_return;
    std::size_t drained = 0;
    while (drained < kLingerBytes) {
        co_await stream_.wait_input(error);
        if (timed_out_ || loop_.grace_over) co_return;
        std::size_t count = 0;
        if (stream_.discard_now(loop_.scratch, count) == Io::closed) co_return;
        drained += count;
    }
}

// Time and stopping -------------------------------------------------------------------------------

void Connection::enter(Phase phase, Steady::duration limit) {
    phase_ = phase;
    timed_out_ = false;
    deadline_ = Steady::now() + limit;
    if (deadline_ < armed_until_) arm_timer();
}

void Connection::arm_timer() {
    armed_until_ = deadline_;
    timer_.expires_at(deadline_);
    timer_.async_wait([self = shared_from_this()](const ErrorCode& error) {
        if (!error) self->on_timer();
    });
}

void Connection::on_timer() {
    armed_until_ = Steady::time_point::max();
    if (place_ == loop_.connections.end()) return;
    if (Steady::now() < deadline_) {
        arm_timer();
    } else if (phase_ == Phase::holding) {
        ask(true);
    } else {
        timed_out_ = true;
        stream_.cancel();
    }
}

void Connection::stop() {
    switch (phase_) {
        case Phase::idle:
            stream_.cancel();
            break;
        case Phase::holding:
            ask(true);
            break;
        case Phase::lingering:
            enter(Phase::lingering, kLingerAtStop);
            break;
        case Phase::reading:
        case Phase::writing:
            break;
    }
}

void Connection::abandon() {
    stream_.cancel();
}

}  // namespace oauth3::http
