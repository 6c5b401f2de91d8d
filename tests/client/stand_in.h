#pragma once

#include "base/fd.h"

#include <atomic>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

// A small strict HTTP/1.1 server on loopback that answers what a test tells it to.

namespace oauth3::test {

struct HttpRequest {
    std::string method;
    std::string target;                          ///< path and query, as sent
    std::map<std::string, std::string> headers;  ///< names in lower case
    std::string body;

    std::string path() const { return target.substr(0, target.find('?')); }
    std::string header(const std::string& name) const {
        const auto found = headers.find(name);
        return found == headers.end() ? "" : found->second;
    }
};

/// What is sent back.
struct HttpReply {
    int status = 200;
    std::string body = "{}";
    std::vector<std::string> headers = {};  ///< whole lines
    /// If not empty, these bytes are sent instead of a proper answer.
    std::string raw = {};
    bool close = false;    ///< cut the connection after the answer, or at once if there is none
    bool hang = false;     ///< never answer
    bool trickle = false;  ///< one byte of an endless header line at a time
};

class StandIn {
  public:
    using Handler = std::function<HttpReply(const HttpRequest&)>;

    /// Listens on a free port of 127.0.0.1. `handler` is called from several threads. A request
    /// that breaks HTTP or this protocol's rules is answered with 400 and counted in faults().
    explicit StandIn(Handler handler);
    ~StandIn();
    StandIn(const StandIn&) = delete;
    StandIn& operator=(const StandIn&) = delete;

    std::string url() const;
    int port() const { return port_; }

    /// All requests so far.
    std::vector<HttpRequest> requests() const;
    std::vector<std::string> faults() const;
    std::size_t count(const std::string& method, const std::string& path) const;

    /// Blocks until there was a request for `path`.
    void wait_for(const std::string& path) const;

  private:
    void accept_all();
    void serve(int fd);
    bool sleep_or_stop(int fd) const;

    Handler handler_;
    base::Fd listener_;
    int port_ = 0;
    std::atomic<bool> stopping_{false};
    mutable std::mutex mutex_;
    std::vector<HttpRequest> requests_;
    std::vector<std::string> faults_;
    std::list<std::thread> workers_;
    std::thread acceptor_;
};

}  // namespace oauth3::test
