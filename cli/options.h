#pragma once

#include "cli/command.h"

#include <filesystem>
#include <initializer_list>
#include <vector>

// Options that several commands share, with the same words everywhere.

namespace oauth3::cli {

/// --url.
OptionSpec url_option();

/// `own`, then those of every agent command: --url, --key-file, --key.
std::vector<OptionSpec> agent_options(std::initializer_list<OptionSpec> own);

/// `own`, then those of every command of the human: --url, --owner-key-file, --json.
std::vector<OptionSpec> human_options(std::initializer_list<OptionSpec> own);

/// `own`, then those of the commands that an owner and an agent have in common: --tenant, --url,
/// --owner-key-file, --key-file, --key, --json.
std::vector<OptionSpec> common_options(std::initializer_list<OptionSpec> own);

/// `own`, then those of the commands that send a program: --code, --skill-url, --skill-sha256,
/// --skill-id, --session, --arg, --args, --secrets, and how to wait.
std::vector<OptionSpec> skill_options(std::initializer_list<OptionSpec> own);

/// --json.
OptionSpec json_option();
OptionSpec session_option();
OptionSpec scope_option();
OptionSpec timeout_option();
OptionSpec raw_option();
OptionSpec no_wait_option();
OptionSpec idempotency_key_option();
OptionSpec tenant_option();
OptionSpec limit_option();
OptionSpec before_option();
OptionSpec data_folder_option();

/// Throws UsageError if --bg, --no-wait, --dry-run and --raw contradict each other.
void check_ways_to_wait(const Arguments& arguments);

/// When a command that was given --timeout has to end, counted from now.
std::chrono::steady_clock::time_point deadline_of(const Arguments& arguments);

/// The positional argument as a request's id. Throws UsageError if it can be none.
std::string request_id_of(const Arguments& arguments);

/// The positional argument as a session's id. Throws UsageError if it can be none.
std::string session_id_of(const Arguments& arguments);

/// --limit, from 1 to 500; 0 without it.
int limit_of(const Arguments& arguments);

/// The server's data folder: --data-dir, $OAUTH3_DATA_DIR, else ~/.oauth3/server. Throws
/// UsageError if there is no HOME.
std::filesystem::path data_folder_of(const Arguments& arguments);

}  // namespace oauth3::cli
