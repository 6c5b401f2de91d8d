#pragma once

#include "cli/command.h"

#include <string>
#include <vector>

// The three texts that are written from the table of commands.

namespace oauth3::cli {

/// What `oauth3 --help` prints.
std::string help_text(const std::vector<Command>& commands);

/// What `oauth3 COMMAND --help` prints.
std::string help_text(const Command& command);

/// The manual page, in the macros of man(7).
std::string manual_page(const std::vector<Command>& commands);

/// The completion script for bash.
std::string bash_completion(const std::vector<Command>& commands);

}  // namespace oauth3::cli
