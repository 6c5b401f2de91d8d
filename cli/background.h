#pragma once

#include "cli/command.h"

#include <oauth3/client.h>

#include <chrono>
#include <functional>
#include <string>

namespace oauth3::cli {

/// What is left to do after the first request of a --bg command was submitted.
struct BackgroundWork {
    std::string url;
    std::string agent_key;
    std::chrono::steady_clock::time_point deadline;
    std::string scope_id;      ///< waited for first; empty: the execution is submitted already
    std::string execution_id;  ///< waited for, if there is no scope
    ExecuteRequest execution;  ///< submitted once the scope is approved
    std::string idempotency_key;
};

/// The whole of a --bg command whose options are read: `submit` submits the first request and fills
/// in what is left to do of `work`. Then a process of its own goes on, in a session of its own and
/// with no descriptor of this one, and keeps the job's file up to date; the job's document is
/// printed. To be called while the process has one thread and no open connection.
ExitCode run_in_background(const Arguments& arguments, Context& context, BackgroundWork work,
                           const std::function<Submission(Client&, BackgroundWork&)>& submit);

}  // namespace oauth3::cli
