#pragma once

#include "cli/command.h"
#include "cli/job.h"

#include <oauth3/client.h>

#include <chrono>
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

/// Starts the process that does `work` and keeps `job` up to date, in a session of its own and with
/// no descriptor of this one, and prints the job's document. To be called while the process has one
/// thread and no open connection.
ExitCode go_on_in_background(Job& job, const BackgroundWork& work, Context& context);

}  // namespace oauth3::cli
