#pragma once

#include "base/fd.h"

#include <atomic>
#include <cstddef>
#include <list>
#include <mutex>
#include <random>
#include <string>
#include <thread>

// A TCP proxy on loopback that breaks connections at a chosen byte.

namespace oauth3::test {

enum class Fault {
    none,
    cut,         ///< both ends are closed
    reset,       ///< the client's end is reset, the server's closed
    half_close,  ///< the sender's end of file is feigned; the other direction lives on
    garbage,     ///< the rest becomes noise, then both ends are closed
    stall,       ///< nothing more comes, and nothing is closed
    delay,       ///< a pause, then everything goes on
    trickle,     ///< the rest comes byte by byte
};

const char* name_of(Fault fault);

/// What becomes of the next connections.
struct Plan {
    Fault fault = Fault::none;
    bool in_request = false;  ///< else in the reply
    std::size_t at = 0;       ///< bytes of that direction that pass unharmed
    int connections = 1;      ///< how many connections are harmed; later ones are not
};

class FaultProxy {
  public:
    /// Forwards to `port` of 127.0.0.1.
    explicit FaultProxy(int port);
    ~FaultProxy();
    FaultProxy(const FaultProxy&) = delete;
    FaultProxy& operator=(const FaultProxy&) = delete;

    std::string url() const;
    void set(const Plan& plan);

    /// Since the last set(): how often the fault happened, and the bytes that came from both ends
    /// of the first connection.
    int happened() const;
    std::size_t request_bytes() const;
    std::size_t reply_bytes() const;

  private:
    struct Flow;
    struct Connection;
    void run();
    void accept_one();
    bool serve(Connection& connection, short client_events, short server_events);
    bool pump(Connection& connection, bool request);
    bool pass(Connection& connection, bool request, std::string bytes);
    bool trickle(Connection& connection);
    std::string noise(std::size_t size, bool request);

    int server_port_;
    base::Fd listener_;
    base::Pipe stop_;
    mutable std::mutex mutex_;
    Plan plan_;
    int accepted_ = 0;
    int happened_ = 0;
    std::size_t request_bytes_ = 0;
    std::size_t reply_bytes_ = 0;
    std::mt19937 random_{7};
    std::list<Connection> connections_;
    std::thread thread_;
};

}  // namespace oauth3::test
