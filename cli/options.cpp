#include "cli/options.h"

#include "base/utf8.h"

#include <fmt/format.h>
#include <oauth3/client.h>

namespace oauth3::cli {
namespace {

using std::chrono::seconds;

}  // namespace

OptionSpec url_option() {
    return {.name = "--url",
            .value = "URL",
            .help = "The server; default: $OAUTH3_URL, the configuration, http://127.0.0.1:3737"};
}

std::vector<OptionSpec> agent_options(std::initializer_list<OptionSpec> own) {
    std::vector<OptionSpec> out(own);
    out.push_back(url_option());
    out.push_back({.name = "--key-file",
                   .value = "FILE",
                   .help = "A file that holds the agent's key; default: $OAUTH3_API_KEY, "
                           "~/.oauth3/key, else a new key is made and stored there",
                   .is_path = true});
    out.push_back({.name = "--key",
                   .value = "KEY",
                   .help = "The agent's key itself; visible in process lists, so avoid it"});
    return out;
}

std::vector<OptionSpec> human_options(std::initializer_list<OptionSpec> own) {
    std::vector<OptionSpec> out(own);
    out.push_back(url_option());
    out.push_back({.name = "--owner-key-file",
                   .value = "FILE",
                   .help = "A file that holds the owner's key; default: $OAUTH3_OWNER_KEY",
                   .is_path = true});
    out.push_back({.name = "--json",
                   .help = "Print the JSON document on a terminal too; a pipe always gets it"});
    return out;
}

OptionSpec code_option() {
    return {.name = "--code",
            .value = "FILE",
            .help = "The program, in TypeScript; - reads standard input",
            .required = true,
            .is_path = true};
}

OptionSpec skill_id_option() {
    return {.name = "--skill-id",
            .value = "NAME",
            .help = "What the program is called; default: the file's name without folder and .ts"};
}

OptionSpec session_option() {
    return {.name = "--session", .value = "ID", .help = "The session in which it shall run"};
}

OptionSpec arg_option() {
    return {.name = "--arg",
            .value = "NAME=TEXT",
            .help = "An argument for the program, as text; wins over --args",
            .repeated = true};
}

OptionSpec args_option() {
    return {.name = "--args",
            .value = "FILE",
            .help = "A file that holds the arguments as one JSON object",
            .is_path = true};
}

OptionSpec secrets_option() {
    return {.name = "--secrets",
            .value = "NAME,NAME",
            .help = "The secrets it needs; default: those that its header names"};
}

OptionSpec timeout_option() {
    return {.name = "--timeout",
            .value = "SECONDS",
            .help = "How long to wait in all; default: 300. The request lives on"};
}

OptionSpec idempotency_key_option() {
    return {.name = "--idempotency-key",
            .value = "TEXT",
            .help = "The Idempotency-Key of the request; default: a random one"};
}

std::chrono::steady_clock::time_point deadline_of(const Arguments& arguments) {
    return std::chrono::steady_clock::now() +
           arguments.seconds("--timeout", seconds(300), seconds(1), seconds(30 * 24 * 3600));
}

std::string request_id_of(const Arguments& arguments) {
    const std::string& id = arguments.positional();
    if (!is_request_id(id))
        throw UsageError(
            fmt::format("'{}' is not the id of a request, such as exec_5d0c12ab34cd56ef.",
                        base::make_visible(base::cut_utf8(id, 80), false)));
    return id;
}

}  // namespace oauth3::cli
