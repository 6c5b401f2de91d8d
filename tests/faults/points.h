#pragma once

#include "e2e/harness.h"
#include "faults/proxy.h"

#include <oauth3/client.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

// Many calls through fault proxies, several at a time.

namespace oauth3::test {

enum class Operation { submit, status, poll };

/// One call with one fault.
struct Point {
    Operation operation = Operation::submit;
    Plan plan;
    std::chrono::milliseconds timeout{std::chrono::seconds(60)};
};

/// How the call ended.
struct Ending {
    bool succeeded = false;
    std::optional<ClientErrorKind> kind;  ///< of a ClientError
    int exit_code = -1;                   ///< of the program
    std::string text;                     ///< id of a submission, or what went wrong
    int happened = 0;                     ///< how often the fault did
    bool maybe_sent = false;
};

std::string describe(const Point& point, const Ending& ending);

/// Makes one call against `proxy` as it has been told. `number` is unique.
using Caller =
    std::function<Ending(const Point& point, const FaultProxy& proxy, std::size_t number)>;

/// Makes all of them with `workers` threads, each with a proxy of its own. A call that outlasts its
/// time by far ends the whole program with a message: nothing else could end it.
std::vector<Ending> run_points(const std::vector<Point>& points, int server_port, int workers,
                               const Caller& call);

/// How many bytes request and reply of a call have when nothing is wrong.
struct Sizes {
    std::size_t request = 0;
    std::size_t reply = 0;
};

}  // namespace oauth3::test
