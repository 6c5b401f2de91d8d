#pragma once

#include "base/fd.h"

#include <string>

namespace oauth3::e2e {

/// A plain connection to a server on loopback, to send what no HTTP library would.
class Socket {
  public:
    /// `url` is "http://127.0.0.1:<port>".
    explicit Socket(const std::string& url);
    /// False if the server has closed the connection.
    bool send(const std::string& bytes);
    /// All that comes until the server closes, or until `until` was seen. Gives up after 60 s.
    std::string receive(const std::string& until = {});
    void close() { fd_.reset(); }

  private:
    base::Fd fd_;
};

}  // namespace oauth3::e2e
