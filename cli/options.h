#pragma once

#include "cli/command.h"

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

/// Those of the commands that send code: --code, --skill-id, --session, --arg, --args, --secrets,
/// --timeout, --idempotency-key.
OptionSpec code_option();
OptionSpec skill_id_option();
OptionSpec session_option();
OptionSpec arg_option();
OptionSpec args_option();
OptionSpec secrets_option();
OptionSpec timeout_option();
OptionSpec idempotency_key_option();

/// When a command that was given --timeout has to end, counted from now.
std::chrono::steady_clock::time_point deadline_of(const Arguments& arguments);

/// The positional argument as a request's id. Throws UsageError if it can be none.
std::string request_id_of(const Arguments& arguments);

}  // namespace oauth3::cli
