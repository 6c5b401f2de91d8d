#include "http/connection.h"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <limits>

namespace oauth3::http {
namespace {

namespace beast = boost::beast;
using Parser = beast::http::request_parser<beast::http::string_body>;

constexpr std::string_view kEndOfHead = "\r\n\r\n";
/// RFC 9112 section 2.2 wants some tolerance for empty lines before a request.
constexpr int kEmptyLines = 4;
/// Chunks may cost so many times the size of what they carry, before they count as too large.
constexpr std::size_t kChunkOverhead = 8;

/// False if the unfinished head can no longer become a good one. Seen early, so that a client that
/// speaks TLS, or ends lines with a bare LF, gets an answer at once and not after a time-out.
bool may_become_head(std::string_view text, std::size_t from) {
    if (!is_token(text.substr(0, 1))) return false;
    for (std::size_t i = std::max<std::size_t>(from, 1); i < text.size(); ++i) {
        if (text[i] == '\n' && text[i - 1] != '\r') return false;
    }
    return true;
}

std::string_view view(beast::string_view text) {
    return {text.data(), text.size()};
}

}  // namespace

/// Reads what is there into in_.
Io Connection::take_input() {
    std::size_t count = 0;
    const Io io = stream_.read_now(loop_.scratch, count);
    in_.append(loop_.scratch.data(), count);
    return io;
}

/// True once TLS is ready; at once for a plain connection.
Task<bool> Connection::shake_hands() {
    enter(Phase::idle, loop_.options.request_timeout);
    while (true) {
        const Io io = stream_.handshake_now();
        if (io != Io::would_block) co_return io == Io::done;
        // Who has begun is let finish when the server stops, as with a request.
        if (stream_.has_begun()) phase_ = Phase::reading;
        if (timed_out_ || loop_.grace_over) co_return false;
        if (loop_.stopping && phase_ == Phase::idle) co_return false;
        ErrorCode error;
        co_await stream_.wait_input(error);
    }
}

/// Waits until there is more in in_.
Task<Connection::Input> Connection::fill() {
    while (!loop_.grace_over) {
        if (stream_.is_input_over()) co_return Input::closed;
        ErrorCode error;
        co_await stream_.wait_input(error);
        if (timed_out_) co_return Input::timed_out;
        if (loop_.grace_over) break;
        switch (take_input()) {
            case Io::done:
                co_return Input::data;
            case Io::closed:
                co_return Input::closed;
            case Io::would_block:
                break;
        }
        if (loop_.stopping && phase_ == Phase::idle) break;
    }
    co_return Input::stopped;
}

/// True as soon as a request has begun; false if none did in time.
Task<bool> Connection::wait_for_request(base::Millis limit) {
    enter(Phase::idle, limit);
    int empty_lines = 0;
    while (true) {
        while (empty_lines < kEmptyLines && in_.compare(0, 2, "\r\n") == 0) {
            in_.erase(0, 2);
            ++empty_lines;
        }
        if (!in_.empty() && in_ != "\r") co_return true;
        if (loop_.stopping) co_return take_input() == Io::done;
        if (co_await fill() != Input::data) co_return false;
    }
}

/// Waits until in_ begins with a whole head, of `size` bytes.
Task<std::optional<Failure>> Connection::read_head(std::size_t& size) {
    std::size_t scanned = 0;
    while (true) {
        const std::size_t overlap = std::min<std::size_t>(scanned, kEndOfHead.size() - 1);
        const std::size_t end = in_.find(kEndOfHead, scanned - overlap);
        const bool whole = end != std::string::npos;
        size = whole ? end + kEndOfHead.size() : in_.size();
        if (size > loop_.options.header_limit) co_return Failure::header_too_large;
        if (whole) co_return std::nullopt;
        if (!may_become_head(in_, scanned)) co_return Failure::malformed;
        scanned = in_.size();
        switch (co_await fill()) {
            case Input::data:
                break;
            case Input::closed:
                co_return Failure::malformed;
            case Input::timed_out:
                co_return Failure::timeout;
            case Input::stopped:
                co_return Failure::shutting_down;
        }
    }
}

Task<std::unique_ptr<Connection::Exchange>> Connection::read_request() {
    auto exchange = std::make_unique<Exchange>(loop_);
    Request& request = exchange->request;
    describe(request);
    const auto refuse = [&exchange](Failure failure) {
        exchange->failure = failure;
        return std::move(exchange);
    };

    enter(Phase::reading, loop_.options.request_timeout);
    std::size_t head_size = 0;
    if (const auto failure = co_await read_head(head_size)) co_return refuse(*failure);
    const std::string_view head = std::string_view(in_).substr(0, head_size);
    if (!is_well_formed_head(head)) co_return refuse(Failure::malformed);

    // The parser stops at the end of the head: the limits are checked here, with the request known.
    ErrorCode error;
    Parser parser;
    parser.header_limit(std::numeric_limits<std::uint32_t>::max());
    parser.body_limit(boost::none);
    parser.put(asio::buffer(head), error);
    if (error || !parser.is_header_done()) co_return refuse(Failure::malformed);
    in_.erase(0, head_size);
    const auto& message = parser.get();
    request.method = view(message.method_string());
    for (const auto& field : message) {
        request.fields.emplace_back(view(field.name_string()), view(field.value()));
    }
    const auto framing = read_framing(request.fields, static_cast<int>(message.version()));
    if (!framing || framing->chunked != parser.chunked() ||
        !set_target(request, view(message.target()))) {
        co_return refuse(Failure::malformed);
    }
    const std::size_t limit = loop_.options.body_limit;
    if (framing->content_length > limit) co_return refuse(Failure::body_too_large);
    parser.body_limit(limit);

    if (framing->expects_continue && in_.empty() && !parser.is_done()) {
        constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
        if (co_await send(kContinue, {}) != kContinue.size()) {
            co_return refuse(Failure::malformed);
        }
    }
    parser.eager(true);
    const auto began = Steady::now();
    std::size_t received = 0;
    // A chunked body ends with at least "0\r\n\r\n", and the parser asserts that it is not asked
    // again with less.
    const std::size_t least = framing->chunked ? 5 : 1;
    while (!parser.is_done()) {
        if (in_.size() >= least) {
            const std::size_t used = parser.put(asio::buffer(in_), error);
            in_.erase(0, used);
            received += used;
            if (!exchange->weight.set(received)) co_return refuse(Failure::overloaded);
            if (error == beast::http::error::body_limit ||
                received > kChunkOverhead * limit + loop_.options.header_limit) {
                co_return refuse(Failure::body_too_large);
            }
            if (error && error != beast::http::error::need_more) {
                co_return refuse(Failure::malformed);
            }
            if (parser.is_done()) break;
            if (used != 0 && !error) continue;
            // What is left is the unfinished line of a chunk, or trailers.
            if (in_.size() > loop_.options.header_limit) co_return refuse(Failure::malformed);
        }
        const auto earned = base::Seconds(static_cast<base::Seconds::rep>(
            received / std::max<std::size_t>(loop_.options.min_rate, 1)));
        enter(Phase::reading, began + loop_.options.request_timeout + earned - Steady::now());
        switch (co_await fill()) {
            case Input::data:
                break;
            case Input::closed:
                co_return refuse(Failure::malformed);
            case Input::timed_out:
                co_return refuse(Failure::timeout);
            case Input::stopped:
                co_return refuse(Failure::shutting_down);
        }
    }
    request.body = std::move(parser.get().body());
    exchange->keep_alive = framing->keep_alive;
    co_return exchange;
}

}  // namespace oauth3::http
