#pragma once

#include "cli/command.h"

#include <string>
#include <string_view>

namespace oauth3::cli {

/// The body of POST /scope: the file of --scope, with the session of --session and, unless it is
/// empty, `skill_code`. Throws UsageError.
std::string read_scope(const Arguments& arguments, std::string_view skill_code);

}  // namespace oauth3::cli
