#include "api/server.h"
#include "base/error.h"
#include "cli/commands/commands.h"

#include <unistd.h>

#include <cstdlib>

namespace oauth3::cli {
namespace {

std::filesystem::path default_data_folder() {
    const char* home = std::getenv("HOME");
    if (home == nullptr || *home == '\0')
        throw UsageError("there is no $HOME to keep the server's data in", "name a --data-dir");
    return std::filesystem::path(home) / ".oauth3" / "server";
}

ExitCode serve(const Arguments& arguments, Context&) {
    using std::chrono::seconds;
    api::ServerOptions options;
    if (arguments.has("--listen")) options.listen = arguments.list("--listen");
    const auto folder = arguments.text("--data-dir");
    options.data_folder = folder ? std::filesystem::path(*folder) : default_data_folder();
    options.owner_key_out = arguments.text_or("--owner-key-out", "");
    options.ready_file = arguments.text_or("--ready-file", "");
    options.deno = arguments.text_or("--deno", "");
    options.approval_ttl =
        arguments.seconds("--approval-ttl", options.approval_ttl, seconds(1), seconds(30 * 86400));
    options.poll_hold = arguments.seconds("--poll-hold", seconds(50), seconds(1), seconds(50));
    options.max_pending =
        static_cast<std::size_t>(arguments.whole("--max-pending", 50, 1, 100'000));
    options.parallel_runs = static_cast<std::size_t>(arguments.whole("--parallel", 4, 1, 256));
    options.version = std::string(kVersion);
    api::run_server(options);
    return ExitCode::ok;
}

}  // namespace

Command serve_command() {
    return {
        .name = "serve",
        .audience = Audience::server,
        .summary = "Run the self-hosted server",
        .description =
            "Takes requests from agents, waits for the human's decision, and runs what was "
            "approved in a sandbox. It serves its own machine only, over loopback.\n\n"
            "The first start makes the server's owner and shows the owner's key once: in the file "
            "of --owner-key-out, else on the terminal. Without either it refuses to start.\n\n"
            "SIGTERM and SIGINT stop it in order: waiting clients are answered, and what runs is "
            "stopped and told as failed. What was approved and had not begun runs after the next "
            "start.",
        .options = {{.name = "--listen",
                     .value = "ADDRESS",
                     .help =
                         "Address and port to listen on, 127.0.0.1:3737 by default; port 0 takes a "
                         "free one",
                     .repeated = true},
                    {.name = "--data-dir",
                     .value = "FOLDER",
                     .help = "Where the server keeps its data, ~/.oauth3/server by default",
                     .is_path = true},
                    {.name = "--owner-key-out",
                     .value = "FILE",
                     .help = "File that gets the owner's key at the first start",
                     .is_path = true},
                    {.name = "--ready-file",
                     .value = "FILE",
                     .help = "File that gets the server's URL once clients can connect",
                     .is_path = true},
                    {.name = "--deno",
                     .value = "FILE",
                     .help = "The deno program that runs skills, if it is not found by itself",
                     .is_path = true},
                    {.name = "--approval-ttl",
                     .value = "SECONDS",
                     .help = "How long a request waits for a decision, one day by default"},
                    {.name = "--poll-hold",
                     .value = "SECONDS",
                     .help =
                         "How long a waiting client is held before it asks again, 50 by default"},
                    {.name = "--max-pending",
                     .value = "N",
                     .help = "How many undecided requests an agent may have, 50 by default"},
                    {.name = "--parallel",
                     .value = "N",
                     .help = "How many skills run at the same time, 4 by default"}},
        .run = &serve,
    };
}

}  // namespace oauth3::cli
