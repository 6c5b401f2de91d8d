#pragma once

#include "cli/command.h"

#include <array>
#include <string>
#include <string_view>
#include <vector>

// The three texts that are written from the table of commands.

namespace oauth3::cli {

/// What `oauth3 --help` prints.
std::string help_text(const std::vector<Command>& commands);

/// What `oauth3 COMMAND --help` prints.
std::string help_text(const Command& command);

/// What `oauth3 GROUP --help` prints for a group that is no command itself.
std::string group_help_text(const std::vector<Command>& commands, std::string_view group);

/// The manual page, in the macros of man(7).
std::string manual_page(const std::vector<Command>& commands);

/// The completion script for bash.
std::string bash_completion(const std::vector<Command>& commands);

// What the texts have in common.

inline constexpr std::array kAudiences{Audience::agent, Audience::human, Audience::offline,
                                       Audience::server};
std::string_view heading(Audience audience);
/// "oauth3 session show ID [OPTIONS]".
std::string usage_line(const Command& command);
/// What stands after an option's name: its sentence, choices and whether it may be repeated.
std::string option_help(const OptionSpec& option);

}  // namespace oauth3::cli
