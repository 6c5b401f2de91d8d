#include "cli/options.h"

#include "cli/config.h"
#include "cli/suggest.h"

#include <fmt/format.h>
#include <oauth3/client.h>

#include <algorithm>

namespace oauth3::cli {

OptionSpec url_option() {
    return {.name = "--url",
            .value = "URL",
            .help = "The server; default: $OAUTH3_URL, the configuration, http://127.0.0.1:3737"};
}

OptionSpec json_option() {
    return {.name = "--json",
            .help = "Print the JSON document on a terminal too; a pipe always gets it"};
}

namespace {

OptionSpec key_file_option() {
    return {.name = "--key-file",
            .value = "FILE",
            .help =
                "A file that holds the agent's key; default: $OAUTH3_API_KEY, the key that is "
                "kept for this server, else, if there is none at all, a new one",
            .is_path = true};
}

OptionSpec key_option() {
    return {.name = "--key",
            .value = "KEY",
            .help = "The agent's key itself; visible in process lists, so avoid it"};
}

OptionSpec owner_key_file_option() {
    return {.name = "--owner-key-file",
            .value = "FILE",
            .help = "A file that holds the owner's key; default: $OAUTH3_OWNER_KEY",
            .is_path = true};
}

std::vector<OptionSpec> with(std::initializer_list<OptionSpec> own,
                             std::initializer_list<OptionSpec> shared) {
    std::vector<OptionSpec> out(own);
    out.insert(out.end(), shared);
    return out;
}

}  // namespace

std::vector<OptionSpec> agent_options(std::initializer_list<OptionSpec> own) {
    return with(own, {url_option(), key_file_option(), key_option()});
}

std::vector<OptionSpec> human_options(std::initializer_list<OptionSpec> own) {
    return with(own, {url_option(), owner_key_file_option(), json_option()});
}

std::vector<OptionSpec> common_options(std::initializer_list<OptionSpec> own) {
    return with(own, {tenant_option(), url_option(), owner_key_file_option(), key_file_option(),
                      key_option(), json_option()});
}

std::vector<OptionSpec> skill_options(std::initializer_list<OptionSpec> own) {
    return with(
        own,
        {{.name = "--code",
          .value = "FILE",
          .help = "The program, in TypeScript; - reads standard input. This or --skill-url",
          .is_path = true},
         {.name = "--skill-url",
          .value = "URL",
          .help = "Where the server gets the program, instead of --code; refused by servers that "
                  "cannot fetch"},
         {.name = "--skill-sha256",
          .value = "HEX",
          .help = "The SHA-256 that the program must have, or the server refuses it"},
         {.name = "--skill-id",
          .value = "NAME",
          .help = "What the program is called; default: the file's name without folder and .ts"},
         session_option(),
         {.name = "--arg",
          .value = "NAME=TEXT",
          .help = "An argument for the program, as text; wins over --args",
          .repeated = true},
         {.name = "--args",
          .value = "FILE",
          .help = "A file that holds the arguments as one JSON object",
          .is_path = true},
         {.name = "--secrets",
          .value = "NAME,NAME",
          .help = "The secrets it needs; default: those that its header names"},
         timeout_option(),
         raw_option(),
         {.name = "--bg",
          .help = "Submit, go on in the background, and print where: see BACKGROUND JOBS"},
         no_wait_option(),
         idempotency_key_option(),
         url_option(),
         key_file_option(),
         key_option()});
}

OptionSpec session_option() {
    return {.name = "--session", .value = "ID", .help = "The session in which it shall run"};
}

OptionSpec scope_option() {
    return {.name = "--scope",
            .value = "FILE",
            .help = "What is asked for, as one JSON object",
            .required = true,
            .is_path = true};
}

OptionSpec timeout_option() {
    return {.name = "--timeout",
            .value = "SECONDS",
            .help = "How long to wait in all; default: 300. The request lives on"};
}

OptionSpec raw_option() {
    return {.name = "--raw",
            .help =
                "Print the program's output instead of the document, and end with its exit "
                "code"};
}

OptionSpec no_wait_option() {
    return {.name = "--no-wait", .help = "Print the server's first reply and wait for nothing"};
}

OptionSpec idempotency_key_option() {
    return {.name = "--idempotency-key",
            .value = "TEXT",
            .help = "The Idempotency-Key of the request; default: a random one"};
}

OptionSpec tenant_option() {
    return {.name = "--tenant",
            .value = "ID",
            .help =
                "For an owner: the agent that is meant; default: all of its agents, or the "
                "only one"};
}

OptionSpec limit_option() {
    return {.name = "--limit",
            .value = "N",
            .help = "How many entries to print, from 1 to 500; default: 50"};
}

OptionSpec before_option() {
    return {.name = "--before",
            .value = "CURSOR",
            .help = "Go on where a list ended: the next of its document",
            .may_be_empty = true};
}

OptionSpec data_folder_option() {
    return {.name = "--data-dir",
            .value = "FOLDER",
            .help = "Where the server keeps its data; default: $OAUTH3_DATA_DIR, ~/.oauth3/server",
            .is_path = true};
}

void check_ways_to_wait(const Arguments& arguments) {
    std::string_view first;
    for (const std::string_view option : {"--bg", "--no-wait", "--dry-run", "--raw"}) {
        if (!arguments.has(option)) continue;
        if (!first.empty())
            throw UsageError(fmt::format("{} and {} cannot be given together.", first, option));
        first = option;
    }
}

std::chrono::steady_clock::time_point deadline_of(const Arguments& arguments) {
    return std::chrono::steady_clock::now() +
           arguments.seconds("--timeout", std::chrono::seconds(300), std::chrono::seconds(1),
                             std::chrono::days(30));
}

std::string request_id_of(const Arguments& arguments) {
    const std::string& id = arguments.positional();
    if (!is_request_id(id))
        throw UsageError(fmt::format(
            "{} is not the id of a request, such as exec_5d0c12ab34cd56ef.", in_quotes(id)));
    return id;
}

std::string session_id_of(const Arguments& arguments) {
    const std::string& id = arguments.positional();
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    };
    // "." and ".." would leave the path of sessions.
    if (id.empty() || id.size() > 64 || id == "." || id == ".." ||
        !std::all_of(id.begin(), id.end(), fits))
        throw UsageError(fmt::format("{} is not the id of a session.", in_quotes(id)));
    return id;
}

int limit_of(const Arguments& arguments) {
    return static_cast<int>(arguments.has("--limit") ? arguments.whole("--limit", 50, 1, 500) : 0);
}

std::filesystem::path data_folder_of(const Arguments& arguments) {
    if (const auto folder = arguments.text("--data-dir")) return *folder;
    if (const auto folder = environment("OAUTH3_DATA_DIR")) return *folder;
    const auto home = oauth3_folder();
    if (!home)
        throw UsageError("There is no $HOME to keep the server's data in.", "Name a --data-dir.");
    return *home / "server";
}

}  // namespace oauth3::cli
