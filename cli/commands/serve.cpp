#include "api/server.h"
#include "base/error.h"
#include "base/log.h"
#include "cli/commands/commands.h"
#include "cli/config.h"
#include "cli/console.h"
#include "cli/options.h"

#include <fmt/format.h>

namespace oauth3::cli {
namespace {

using std::chrono::seconds;

constexpr seconds kDay{24 * 3600};

std::optional<api::Signup> signup_mode(const Arguments& arguments) {
    const auto mode = arguments.text("--signup");
    if (!mode) return std::nullopt;
    if (*mode == "open") return api::Signup::open;
    return *mode == "invite" ? api::Signup::invite : api::Signup::closed;
}

/// A file of TLS is of no use without the other.
void check_tls(const api::ServerOptions& options) {
    if (options.tls_cert.empty() != options.tls_key.empty())
        throw UsageError("--tls-cert and --tls-key belong together.");
}

api::ServerOptions server_options(const Arguments& arguments) {
    api::ServerOptions options;
    if (arguments.has("--listen")) options.listen = arguments.list("--listen");
    options.public_url = arguments.text_or("--public-url", "");
    options.allow_hosts = arguments.list("--allow-host");
    options.cors_origins = arguments.list("--cors-origin");
    options.tls_cert = arguments.text_or("--tls-cert", "");
    options.tls_key = arguments.text_or("--tls-key", "");
    check_tls(options);
    options.behind_proxy = arguments.has("--behind-proxy");

    options.data_folder = data_folder_of(arguments);
    options.owner_key_out = arguments.text_or("--owner-key-out", "");
    options.ready_file = arguments.text_or("--ready-file", "");
    options.deno = arguments.text_or("--deno", "");
    options.allow_weak_sandbox = words_of(arguments.text_or("--allow-weak-sandbox", ""));

    options.signup = signup_mode(arguments);
    options.approval_by_link = arguments.text_or("--approval", "owner") == "link";
    options.allow_insecure_remote = arguments.has("--allow-insecure-remote");
    options.no_auth = arguments.has("--no-auth");

    options.approval_ttl =
        arguments.duration("--approval-ttl", options.approval_ttl, seconds(1), 30 * kDay);
    options.retention = arguments.duration("--retention", options.retention, 7 * kDay, 3650 * kDay);
    options.poll_hold = arguments.duration("--poll-hold", seconds(50), seconds(1), seconds(50));
    options.max_pending =
        static_cast<std::size_t>(arguments.whole("--max-pending", 50, 1, 100'000));
    options.parallel_runs = static_cast<std::size_t>(arguments.whole("--parallel", 4, 1, 256));
    options.review_command = arguments.text_or("--review-command", "");
    options.review_timeout =
        arguments.seconds("--review-timeout", seconds(10), seconds(1), seconds(60));
    options.metrics_listen = arguments.text_or("--metrics-listen", "");
    options.version = std::string(kVersion);
    return options;
}

ExitCode serve(const Arguments& arguments, Context&) {
    const api::ServerOptions options = server_options(arguments);
    if (const auto format = base::parse_log_format(arguments.text_or("--log-format", "")))
        base::set_log_format(*format);
    if (const auto level = base::parse_log_level(arguments.text_or("--log-level", "")))
        base::set_log_level(*level);
    api::run_server(options);
    return ExitCode::ok;
}

std::vector<OptionSpec> serve_options() {
    return {
        {.name = "--config",
         .value = "FILE",
         .help = "A JSON object that holds further options; see THE SETTINGS OF THE SERVER",
         .is_path = true},
        {.name = "--listen",
         .value = "ADDRESS",
         .help = "Address and port to listen on; default: 127.0.0.1:3737. Port 0 takes a free one",
         .repeated = true},
        {.name = "--public-url",
         .value = "URL",
         .help = "The base URL under which browsers and agents reach the server; needed with an "
                 "address that is not loopback"},
        {.name = "--allow-host",
         .value = "NAME",
         .help = "A further host name that clients may use in their Host header",
         .repeated = true},
        {.name = "--cors-origin",
         .value = "ORIGIN",
         .help = "A web site whose scripts may call the server, such as https://app.example.org",
         .repeated = true},
        {.name = "--tls-cert",
         .value = "FILE",
         .help = "The certificate with its chain, in PEM; read again at SIGHUP",
         .is_path = true},
        {.name = "--tls-key",
         .value = "FILE",
         .help = "The certificate's private key, in PEM",
         .is_path = true},
        {.name = "--behind-proxy",
         .help = "A reverse proxy in front ends TLS; an address that is not loopback then needs "
                 "no certificate here"},
        {.name = "--data-dir",
         .value = "FOLDER",
         .help = "Where the server keeps its data; default: ~/.oauth3/server",
         .is_path = true},
        {.name = "--owner-key-out",
         .value = "FILE",
         .help = "File that gets the owner's key at the first start",
         .is_path = true},
        {.name = "--signup",
         .value = "MODE",
         .help = "Who may make an agent; default: open if bound only to loopback, else closed",
         .choices = {"open", "invite", "closed"}},
        {.name = "--approval",
         .value = "MODE",
         .help = "Who may decide; link is INSECURE: whoever has the approval link, the agent too, "
                 "decides; default: owner",
         .choices = {"owner", "link"}},
        {.name = "--allow-insecure-remote", .help = "Let --approval=link serve other machines too"},
        {.name = "--no-auth", .help = "For tests: agents need no key; loopback only"},
        {.name = "--approval-ttl",
         .value = "TIME",
         .help = "How long a request waits for a decision; default: 1d"},
        {.name = "--retention",
         .value = "TIME",
         .help = "How long requests that have ended stay readable; default: 30d, at least 7d"},
        {.name = "--poll-hold",
         .value = "TIME",
         .help = "How long a waiting client is held before it asks again; default and most: 50s"},
        {.name = "--max-pending",
         .value = "N",
         .help = "How many undecided requests an agent may have; default: 50"},
        {.name = "--parallel",
         .value = "N",
         .help = "How many skills run at the same time; default: 4"},
        {.name = "--review-command",
         .value = "COMMAND",
         .help = "A shell command that is asked for a second opinion on each request, and can only "
                 "take away; see A SECOND OPINION"},
        {.name = "--review-timeout",
         .value = "SECONDS",
         .help = "How long that command may take, from 1 to 60; default: 10"},
        {.name = "--metrics-listen",
         .value = "ADDRESS",
         .help = "Also serve /metrics, for Prometheus, on an address of its own without a key; "
                 "elsewhere it needs the owner's key"},
        {.name = "--log-format",
         .value = "FORMAT",
         .help = "How lines of the log on standard error look; default: text",
         .choices = {"text", "json"}},
        {.name = "--log-level",
         .value = "LEVEL",
         .help = "The least important lines that are logged; default: info",
         .choices = {"error", "warning", "info", "debug"}},
        {.name = "--ready-file",
         .value = "FILE",
         .help = "File that gets the server's URL once clients can connect",
         .is_path = true},
        {.name = "--allow-weak-sandbox",
         .value = "LIST",
         .help = "INSECURE: run programs although these protections are missing: names as "
                 "'oauth3 doctor' tells them, joined by commas"},
        {.name = "--deno",
         .value = "FILE",
         .help = "The deno program that runs skills, if it is not found by itself",
         .is_path = true},
    };
}

}  // namespace

Command serve_command() {
    return {
        .name = "serve",
        .audience = Audience::server,
        .summary = "Run the self-hosted server",
        .description =
            "Takes requests from agents, waits for the human's decision, and runs what was "
            "approved in a sandbox. By default it serves its own machine only, over loopback.\n\n"
            "The first start makes the server's owner and shows the owner's key once: in the file "
            "of --owner-key-out, else on the terminal. Without either it refuses to start.\n\n"
            "SIGTERM and SIGINT stop it in order: waiting clients are answered, and what runs is "
            "stopped and told as failed. What was approved and had not begun runs after the next "
            "start. SIGHUP makes it read the files of TLS again.\n\n"
            "A TIME is a number of seconds, or a number with s, m, h or d after it. Every option "
            "may also stand in the environment or in a file: see THE SETTINGS OF THE SERVER.",
        .options = serve_options(),
        .takes_settings = true,
        .run = &serve,
    };
}

}  // namespace oauth3::cli
