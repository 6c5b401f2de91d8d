#include "http/server_support.h"

#include "base/error.h"
#include "support/catch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/time.h>

#include <cerrno>
#include <charconv>
#include <chrono>

namespace oauth3::test {
namespace {

constexpr int kPatienceMs = 20'000;

bool wait_for(int fd, short events) {
    pollfd entry{fd, events, 0};
    return ::poll(&entry, 1, kPatienceMs) == 1;
}

}  // namespace

std::string Reply::header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
        if (http::equal_ignoring_case(key, name)) return value;
    }
    return "(absent)";
}

Client::Client(std::uint16_t port, bool v6)
    : fd_(::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (!fd_) base::throw_errno("socket");
    int result = 0;
    if (v6) {
        sockaddr_in6 address{};
        address.sin6_family = AF_INET6;
        address.sin6_port = htons(port);
        address.sin6_addr = in6addr_loopback;
        result = ::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    } else {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        result = ::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    }
    if (result != 0) base::throw_errno("connect");
}

bool Client::try_send(std::string_view bytes) {
    while (!bytes.empty()) {
        if (!wait_for(fd_.get(), POLLOUT)) return false;
        const ssize_t sent =
            ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EAGAIN) continue;
        if (sent < 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

void Client::send(std::string_view bytes) {
    if (!try_send(bytes)) throw std::runtime_error("the client could not send");
}

bool Client::receive(std::string& in) {
    if (!wait_for(fd_.get(), POLLIN)) throw std::runtime_error("no reply in 20 s");
    std::array<char, 65536> buffer{};
    const ssize_t got = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (got <= 0) return false;
    in.append(buffer.data(), static_cast<std::size_t>(got));
    return true;
}

std::optional<Reply> Client::read(bool to_head) {
    std::size_t end = 0;
    while ((end = in_.find("\r\n\r\n")) == std::string::npos) {
        if (!fill()) return std::nullopt;
    }
    Reply reply;
    std::size_t length = 0;
    std::string_view head = std::string_view(in_).substr(0, end + 2);
    bool first = true;
    while (!head.empty()) {
        const std::string_view line = head.substr(0, head.find("\r\n"));
        head.remove_prefix(line.size() + 2);
        if (first) {
            if (line.substr(0, 9) != "HTTP/1.1 ") throw std::runtime_error("bad status line");
            std::from_chars(line.data() + 9, line.data() + 12, reply.status);
            first = false;
            continue;
        }
        const std::size_t colon = line.find(": ");
        if (colon == std::string_view::npos) throw std::runtime_error("bad header line");
        reply.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    }
    if (const std::string text = reply.header("Content-Length"); text != "(absent)") {
        length = std::stoul(text);
    }
    if (to_head) length = 0;
    in_.erase(0, end + 4);
    while (in_.size() < length) {
        if (!fill()) return std::nullopt;
    }
    reply.body = in_.substr(0, length);
    in_.erase(0, length);
    return reply;
}

Reply Client::ask(std::string_view bytes) {
    send(bytes);
    auto reply = read();
    if (!reply) throw std::runtime_error("the connection ended without a reply");
    return *reply;
}

bool Client::is_closed() {
    return in_.empty() && !fill() && in_.empty();
}

TestServer::TestServer(http::Options options, http::Server::RequestHandler handler)
    : handler_(std::move(handler)) {
    if (options.listen.empty()) options.listen.push_back(*http::parse_address("127.0.0.1:0"));
    server = std::make_unique<http::Server>(
        std::move(options),
        [this](http::Request& request) {
            ++handled;
            return answer(request);
        },
        [this](http::Failure failure, const http::Request&) {
            const std::lock_guard lock(mutex_);
            failures_.push_back(failure);
            return http::Response{
                http::status_of(failure), {{"X-Failure", "yes"}}, "failed", false};
        });
    thread_ = std::thread([this] { server->run(); });
}

TestServer::~TestServer() {
    server->stop();
    join();
    server.reset();  // may still destroy Holds, which count themselves out
}

void TestServer::join() {
    if (thread_.joinable()) thread_.join();
}

std::vector<http::Failure> TestServer::failures() const {
    const std::lock_guard lock(mutex_);
    return failures_;
}

http::Reply TestServer::answer(http::Request& request) {
    if (request.path == "/echo") {
        http::Response response;
        response.headers = {{"X-Method", request.method},
                            {"X-Query", request.query},
                            {"X-Host", std::string(request.header("Host"))}};
        response.body = request.body;
        return response;
    }
    if (request.path == "/hold") {
        const std::string key = request.query_value("key").value_or("");
        const auto limit = request.query_value("limit");
        ++alive;
        const std::shared_ptr<void> guard(nullptr, [this](void*) { --alive; });
        return http::Hold{key, base::Millis(limit ? std::stoi(*limit) : 600'000),
                          [this, key, guard](bool last) -> std::optional<http::Response> {
                              ++attempts;
                              const std::lock_guard lock(mutex_);
                              if (let_[key]) return http::Response{200, {}, "woken " + key, false};
                              if (last) return http::Response{200, {}, "last " + key, false};
                              return std::nullopt;
                          }};
    }
    if (handler_) return handler_(request);
    return http::Response{404, {}, "nothing here", false};
}

void TestServer::let(const std::string& key) {
    {
        const std::lock_guard lock(mutex_);
        let_[key] = true;
    }
    server->wake(key);
}

void TestServer::on_loop(const std::function<void()>& probe) {
    std::promise<void> done;
    server->post([&] {
        probe();
        done.set_value();
    });
    done.get_future().wait();
}

bool TestServer::eventually(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::yield();
    }
    return true;
}

}  // namespace oauth3::test
