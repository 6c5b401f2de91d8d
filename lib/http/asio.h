#pragma once

// Asio as this room uses it. Only .cpp files may include this.

// Asio 1.81 uses std::exchange without including <utility>, so the order matters.
// clang-format off
#include <utility>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
// clang-format on

#include <chrono>

namespace oauth3::http {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;
/// TCP over either IP, and unix sockets.
using Protocol = asio::generic::stream_protocol;
using Steady = std::chrono::steady_clock;

// The concrete executor: a type-erased one would cost memory in every socket, timer and frame.
using Executor = asio::io_context::executor_type;
template <typename T>
using Task = asio::awaitable<T, Executor>;
using Socket = asio::basic_stream_socket<Protocol, Executor>;
using Timer = asio::basic_waitable_timer<Steady, asio::wait_traits<Steady>, Executor>;

/// For co_await: the error goes to `error` instead of being thrown.
inline auto resume_with(ErrorCode& error) {
    return asio::redirect_error(asio::use_awaitable_t<Executor>(), error);
}

}  // namespace oauth3::http
