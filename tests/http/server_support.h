#pragma once

#include "base/fd.h"
#include "http/form.h"
#include "http/server.h"

#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace oauth3::test {

/// One reply as a client sees it.
struct Reply {
    unsigned status = 0;
    http::Fields headers;
    std::string body;
    std::string header(std::string_view name) const;
};

/// A client with a plain socket: it sends exactly the bytes it is told to. Reads fail the test
/// after 20 s instead of hanging.
class Client {
  public:
    explicit Client(std::uint16_t port, bool v6 = false);
    /// Takes over a connected socket.
    explicit Client(base::Fd fd) : fd_(std::move(fd)) {}
    virtual ~Client() = default;
    Client(Client&&) = default;
    Client& operator=(Client&&) = default;

    void send(std::string_view bytes);
    /// As send, but gives up when the peer has reset the connection or takes nothing for a while.
    virtual bool try_send(std::string_view bytes);
    /// One reply; `to_head` if it answers HEAD. nullopt if the connection ended before its end.
    std::optional<Reply> read(bool to_head = false);
    /// send and read.
    Reply ask(std::string_view bytes);
    /// True if the server ends the connection (or resets it) and sends nothing before that.
    bool is_closed();
    void shutdown_send() { ::shutdown(fd_.get(), SHUT_WR); }
    void close() { fd_.reset(); }
    int fd() const { return fd_.get(); }

  protected:
    /// Appends what comes next to `in`; false at the end.
    bool receive(std::string& in);
    /// Brings more into in_; false at the end.
    virtual bool fill() { return receive(in_); }
    std::string in_;

  private:
    base::Fd fd_;
};

/// A server on loopback in a thread of its own, stopped by the destructor. Replies of `/echo` show
/// the request; of `/hold?key=K` wait until wake(K) after let(K); others are up to `handler`.
class TestServer {
  public:
    explicit TestServer(http::Options options = {}, http::Server::RequestHandler handler = {});
    ~TestServer();

    std::uint16_t port() const { return server->local_endpoints().front().port; }
    /// Lets the Holds of this key answer, and wakes them.
    void let(const std::string& key);
    /// Runs `probe` on the loop and waits for its end.
    void on_loop(const std::function<void()>& probe);
    /// Waits until `condition` holds, asking it again and again; false after 20 s.
    static bool eventually(const std::function<bool()>& condition);
    /// Waits until run() has returned.
    void join();

    std::unique_ptr<http::Server> server;
    std::atomic<int> handled{0};   ///< requests that reached the handler
    std::atomic<int> attempts{0};  ///< how often Holds were asked
    std::atomic<int> alive{0};     ///< Holds that exist
    std::vector<http::Failure> failures() const;

  private:
    http::Reply answer(http::Request& request);
    http::Server::RequestHandler handler_;
    mutable std::mutex mutex_;
    std::vector<http::Failure> failures_;
    std::map<std::string, bool> let_;
    std::thread thread_;
};

}  // namespace oauth3::test
