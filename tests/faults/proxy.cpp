#include "faults/proxy.h"

#include "base/error.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <optional>
#include <vector>

namespace oauth3::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kDelay{50};
constexpr int kTick = 1;  // between two bytes of a trickle

sockaddr_in loopback(int port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    out.sin_port = htons(static_cast<std::uint16_t>(port));
    return out;
}

void no_delay(int fd) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

bool send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

void close_with_reset(base::Fd& fd) {
    const linger now{1, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    fd.reset();
}

}  // namespace

const char* name_of(Fault fault) {
    switch (fault) {
        case Fault::none:
            return "none";
        case Fault::cut:
            return "cut";
        case Fault::reset:
            return "reset";
        case Fault::half_close:
            return "half-close";
        case Fault::garbage:
            return "garbage";
        case Fault::stall:
            return "stall";
        case Fault::delay:
            return "delay";
        case Fault::trickle:
            return "trickle";
    }
    return "?";
}

struct FaultProxy::Flow {
    std::size_t seen = 0;
    bool open = true;  ///< more may be read
};

struct FaultProxy::Connection {
    base::Fd client;
    base::Fd server;
    Plan plan;            ///< of this connection; `none` once its fault is over
    bool first = false;   ///< the one that is measured
    bool broken = false;  ///< the fault has begun
    Flow request;
    Flow reply;
    std::string held;  ///< what a delay or a trickle keeps back
    steady_clock::time_point until{};

    Flow& flow(bool of_request) { return of_request ? request : reply; }
    base::Fd& source(bool of_request) { return of_request ? client : server; }
    base::Fd& target(bool of_request) { return of_request ? server : client; }
};

FaultProxy::FaultProxy(int port)
    : server_port_(port),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      stop_(base::make_pipe()) {
    const sockaddr_in address = loopback(0);
    if (!listener_ ||
        ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_.get(), 64) != 0)
        base::throw_errno("cannot listen");
    thread_ = std::thread([this] { run(); });
}

FaultProxy::~FaultProxy() {
    stop_.write.reset();
    thread_.join();
}

std::string FaultProxy::url() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    if (::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
        base::throw_errno("getsockname");
    return "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

void FaultProxy::set(const Plan& plan) {
    const std::lock_guard lock(mutex_);
    plan_ = plan;
    accepted_ = 0;
    happened_ = 0;
    request_bytes_ = 0;
    reply_bytes_ = 0;
}

int FaultProxy::happened() const {
    const std::lock_guard lock(mutex_);
    return happened_;
}

std::size_t FaultProxy::request_bytes() const {
    const std::lock_guard lock(mutex_);
    return request_bytes_;
}

std::size_t FaultProxy::reply_bytes() const {
    const std::lock_guard lock(mutex_);
    return reply_bytes_;
}

void FaultProxy::run() {
    for (;;) {
        std::vector<pollfd> watched{{listener_.get(), POLLIN, 0}, {stop_.read.get(), POLLIN, 0}};
        int wait = -1;
        for (const Connection& one : connections_) {
            // A closed direction must not keep the loop awake; POLLHUP cannot be masked, so -1.
            watched.push_back({one.request.open ? one.client.get() : -1, POLLIN, 0});
            watched.push_back({one.reply.open ? one.server.get() : -1, POLLIN, 0});
            if (!one.held.empty()) wait = kTick;
        }
        if (::poll(watched.data(), watched.size(), wait) < 0) continue;
        if (watched[1].revents != 0) return;
        std::size_t i = 2;
        for (auto it = connections_.begin(); it != connections_.end(); i += 2) {
            const bool lives = serve(*it, watched[i].revents, watched[i + 1].revents);
            it = lives ? std::next(it) : connections_.erase(it);
        }
        if (watched[0].revents != 0) accept_one();
    }
}

void FaultProxy::accept_one() {
    Connection one;
    one.client.reset(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!one.client) return;
    one.server.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(server_port_);
    if (!one.server || ::connect(one.server.get(), reinterpret_cast<const sockaddr*>(&address),
                                 sizeof address) != 0)
        return;
    no_delay(one.client.get());
    no_delay(one.server.get());
    const std::lock_guard lock(mutex_);
    one.first = accepted_ == 0;
    if (accepted_ < plan_.connections) one.plan = plan_;
    ++accepted_;
    connections_.push_back(std::move(one));
}

/// False when the connection is over.
bool FaultProxy::serve(Connection& one, short client_events, short server_events) {
    if (!one.held.empty() && !trickle(one)) return false;
    if (client_events != 0 && !pump(one, true)) return false;
    if (server_events != 0 && !pump(one, false)) return false;
    return true;
}

/// Reads once from one end and passes it on.
bool FaultProxy::pump(Connection& one, bool request) {
    std::array<char, 65536> chunk{};
    const ssize_t count = ::recv(one.source(request).get(), chunk.data(), chunk.size(), 0);
    if (count <= 0) {
        // While a fault holds something back, only the client's own end is the end.
        if (!request && (one.broken || !one.held.empty())) {
            one.reply.open = false;
            return true;
        }
        return false;
    }
    return pass(one, request, std::string(chunk.data(), static_cast<std::size_t>(count)));
}

bool FaultProxy::pass(Connection& one, bool request, std::string bytes) {
    Flow& flow = one.flow(request);
    const std::size_t before = flow.seen;
    flow.seen += bytes.size();
    const bool harmed = one.plan.fault != Fault::none && one.plan.in_request == request;
    {
        const std::lock_guard lock(mutex_);
        if (one.first) (request ? request_bytes_ : reply_bytes_) += bytes.size();
        if (harmed && !one.broken && flow.seen > one.plan.at) ++happened_;
    }
    if (!harmed || flow.seen <= one.plan.at) return send_all(one.target(request).get(), bytes);
    if (!one.broken) {
        const std::size_t whole = one.plan.at - before;
        if (!send_all(one.target(request).get(), bytes.substr(0, whole))) return false;
        bytes.erase(0, whole);
    }
    const bool begins = !one.broken;
    one.broken = true;
    switch (one.plan.fault) {
        case Fault::none:
            break;
        case Fault::cut:
            return false;
        case Fault::reset:
            close_with_reset(one.client);
            return false;
        case Fault::half_close:
            if (begins) ::shutdown(one.target(request).get(), SHUT_WR);
            return true;
        case Fault::garbage:
            send_all(one.target(request).get(), noise(bytes.size(), request));
            return false;
        case Fault::stall:
            return true;
        case Fault::delay:
        case Fault::trickle:
            if (begins && one.plan.fault == Fault::delay) one.until = steady_clock::now() + kDelay;
            one.held += bytes;
            return true;
    }
    return true;
}

/// Lets go of what is held back, as far as it is time.
bool FaultProxy::trickle(Connection& one) {
    if (steady_clock::now() < one.until) return true;
    const std::size_t size = one.plan.fault == Fault::trickle ? 1 : one.held.size();
    if (!send_all(one.target(one.plan.in_request).get(), one.held.substr(0, size))) return false;
    one.held.erase(0, size);
    return !one.held.empty() || one.reply.open;
}

std::string FaultProxy::noise(std::size_t size, bool request) {
    // A server must not be able to mistake it for another request: that byte is in no text.
    if (request) return std::string(size, '\xFF');
    std::string out(size, '\0');
    for (char& c : out) c = static_cast<char>(std::uniform_int_distribution<int>(0, 255)(random_));
    return out;
}

}  // namespace oauth3::test
