#pragma once

#include "base/fd.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What the programs of scripts/bench share. They talk to servers on 127.0.0.1 over plain HTTP/1.1
// with the least work of their own, so that the server is what is measured.

namespace oauth3::bench {

double median(std::vector<double> values);
/// The value that the share `part` (0..1) of all is not above.
double quantile(std::vector<double> values, double part);

/// One row of the table: name, what was measured on both sides, the figure, and its target. A
/// figure is met if it is at most the target, or at least, if `at_least`.
struct Row {
    std::string name;
    std::string first;
    std::string second;
    double figure = 0;
    std::string unit = {};  ///< of figure and target; "" for a ratio
    double target = 0;
    bool at_least = false;
};
void print_row(const Row& row);

/// "http://127.0.0.1:PORT/path" taken apart.
struct Url {
    std::uint16_t port = 0;
    std::string path;  ///< with the query; "/" if there is none
};
/// Throws Error "usage" for any other form.
Url parse_url(std::string_view text);

/// A request with a bearer key; a body, if there is one, is sent as JSON.
std::string request_text(std::string_view method, std::string_view path, std::string_view key,
                         std::string_view body = {});

/// A blocking socket to 127.0.0.1, with TCP_NODELAY. Throws SystemError.
base::Fd connect_to(std::uint16_t port);

/// Size of the reply at the start of `bytes`, head and body; nullopt if it is not whole yet.
std::optional<std::size_t> reply_size(std::string_view bytes);

/// Throws Error "failed" with the reply unless its status is 200.
void check_ok(std::string_view reply);

/// The value of a text member of a JSON object, looked for the cheap way.
std::string text_member(std::string_view body, std::string_view name);

/// One connection that stays open, with one request at a time on it. All throw Error "failed".
class Client {
  public:
    explicit Client(std::uint16_t port) : fd_(connect_to(port)) {}
    void send(std::string_view request);
    /// The whole reply, which must be a 200.
    std::string receive();
    std::string call(std::string_view request) {
        send(request);
        return receive();
    }
    int fd() const { return fd_.get(); }

  private:
    base::Fd fd_;
    std::string in_;
};

/// Bytes of main memory that a process has now.
std::size_t resident_bytes(int pid);
/// CPU time that a process has used so far, in seconds.
double cpu_seconds(int pid);
/// Number of files that a process has open.
std::size_t open_files(int pid);
/// Raises this process's limit of open files as far as it may, and returns it.
std::size_t raise_file_limit();

/// Seconds since some moment of the past.
double now();

}  // namespace oauth3::bench
