#include "stand_in.h"

#include "base/error.h"
#include "base/json.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

namespace oauth3::test {
namespace {

constexpr int kTick = 20;  // how often a blocked thread looks whether it shall stop

bool send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

/// "" if the request is as the wire document wants it.
std::string fault_of(const HttpRequest& request) {
    if (request.headers.count("host") == 0) return "no Host";
    if (request.header("x-oauth3-sdk-version") != "0.3.0") return "no X-OAuth3-SDK-Version";
    if (request.headers.count("x-tenant-id") != 0) return "X-Tenant-Id";
    if (request.method == "GET") return request.body.empty() ? "" : "GET with a body";
    if (request.method == "DELETE" && request.body.empty()) return "";
    if (request.method != "POST" && request.method != "DELETE") return "method " + request.method;
    if (request.header("content-type") != "application/json") return "Content-Type";
    try {
        if (!base::parse_json(request.body).is_object()) return "body is no object";
    } catch (const base::JsonError& error) {
        return error.what();
    }
    const bool submits = request.path() == "/execute" || request.path() == "/scope";
    if (submits && request.header("idempotency-key").size() < 1) return "no Idempotency-Key";
    return "";
}

bool parse_head(std::string_view head, HttpRequest& out) {
    const std::size_t end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    const std::size_t first = line.find(' ');
    const std::size_t second = line.rfind(' ');
    if (first == std::string_view::npos || second <= first || line.substr(second + 1) != "HTTP/1.1")
        return false;
    out.method = line.substr(0, first);
    out.target = line.substr(first + 1, second - first - 1);
    head.remove_prefix(end + 2);
    while (!head.empty()) {
        const std::size_t stop = head.find("\r\n");
        const std::string_view header = head.substr(0, stop);
        const std::size_t colon = header.find(": ");
        if (colon == std::string_view::npos) return false;
        const auto [at, fresh] = out.headers.emplace(lower(std::string(header.substr(0, colon))),
                                                     std::string(header.substr(colon + 2)));
        if (!fresh) return false;
        head.remove_prefix(stop + 2);
    }
    return true;
}

}  // namespace

StandIn::StandIn(Handler handler) : handler_(std::move(handler)) {
    listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (!listener_ ||
        ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_.get(), 64) != 0 ||
        ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
        base::throw_errno("cannot listen");
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
}

StandIn::~StandIn() {
    stopping_ = true;
    acceptor_.join();
    for (std::thread& worker : workers_) worker.join();
}

std::string StandIn::url() const {
    return fmt::format("http://127.0.0.1:{}", port_);
}

std::vector<HttpRequest> StandIn::requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
}

std::vector<std::string> StandIn::faults() const {
    const std::lock_guard lock(mutex_);
    return faults_;
}

std::size_t StandIn::count(const std::string& method, const std::string& path) const {
    const auto all = requests();
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const auto& r) {
        return r.method == method && r.path() == path;
    }));
}

void StandIn::wait_for(const std::string& path) const {
    while (count("GET", path) + count("POST", path) + count("DELETE", path) == 0)
        std::this_thread::sleep_for(std::chrono::milliseconds(kTick));
}

void StandIn::accept_all() {
    while (!stopping_) {
        pollfd ready{listener_.get(), POLLIN, 0};
        if (::poll(&ready, 1, kTick) <= 0) continue;
        const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
        if (fd >= 0) workers_.emplace_back([this, fd] { serve(fd); });
    }
}

/// False if the client has gone or the test is over.
bool StandIn::sleep_or_stop(int fd) const {
    pollfd ready{fd, POLLIN, 0};
    return ::poll(&ready, 1, kTick) == 0 && !stopping_;
}

void StandIn::serve(int raw_fd) {
    const base::Fd fd(raw_fd);
    std::string buffer;
    const auto read_more = [&] {
        std::array<char, 16384> chunk{};
        for (;;) {
            pollfd ready{fd.get(), POLLIN, 0};
            if (stopping_) return false;
            if (::poll(&ready, 1, kTick) > 0) break;
        }
        const ssize_t count = ::recv(fd.get(), chunk.data(), chunk.size(), 0);
        if (count <= 0) return false;
        buffer.append(chunk.data(), static_cast<std::size_t>(count));
        return true;
    };
    for (;;) {
        std::size_t end = 0;
        while ((end = buffer.find("\r\n\r\n")) == std::string::npos)
            if (!read_more()) return;
        HttpRequest request;
        const bool good = parse_head(std::string_view(buffer).substr(0, end + 2), request);
        buffer.erase(0, end + 4);
        const std::string length = request.header("content-length");
        const std::size_t size = length.empty() ? 0 : std::stoul(length);
        while (buffer.size() < size)
            if (!read_more()) return;
        request.body = buffer.substr(0, size);
        buffer.erase(0, size);

        const std::string fault = good ? fault_of(request) : "not HTTP/1.1";
        {
            const std::lock_guard lock(mutex_);
            requests_.push_back(request);
            if (!fault.empty()) faults_.push_back(fault);
        }
        const HttpReply reply = fault.empty()
                                    ? handler_(request)
                                    : HttpReply{.status = 400, .body = R"({"error":"x"})"};
        if (reply.hang) {
            while (sleep_or_stop(fd.get())) {
            }
            return;
        }
        if (reply.trickle) {
            if (!send_all(fd.get(), "HTTP/1.1 200 OK\r\nX-Endless: ")) return;
            while (sleep_or_stop(fd.get()))
                if (!send_all(fd.get(), "a")) return;
            return;
        }
        std::string out = reply.raw;
        if (out.empty() && !(reply.close && reply.body.empty())) {
            out = fmt::format("HTTP/1.1 {} Some Words\r\n", reply.status);
            for (const std::string& line : reply.headers) out += line + "\r\n";
            out += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
                               reply.body.size(), reply.body);
        }
        if (!send_all(fd.get(), out) || reply.close) return;
    }
}

}  // namespace oauth3::test
