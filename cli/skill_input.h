#pragma once

#include "base/members.h"
#include "cli/command.h"

#include <oauth3/client.h>

#include <string>

namespace oauth3::cli {

/// What --code, --skill-url, --skill-sha256, --skill-id, --session, --arg, --args and --secrets
/// say, as the body of an execution. Throws UsageError for files that cannot be read or sent.
ExecuteRequest read_skill(const Arguments& arguments);

/// The option's value, or "". Throws UsageError for a value that cannot travel as JSON.
std::string text_argument(const Arguments& arguments, std::string_view option);

/// A JSON object from a file that `option` names, as text. Throws UsageError.
std::string read_json_object(const Arguments& arguments, std::string_view option);

/// As read_json_object, from the file that the positional argument names; "-" is standard input.
std::string read_positional_object(const Arguments& arguments);

/// What is wrong, and where: "constraints[2]: Constraint 3: ...". Others' text may stand in it.
std::string sentence_of(const base::Malformed& problem);

}  // namespace oauth3::cli
