#pragma once

#include "cli/command.h"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace oauth3::cli {

/// A command line that makes sense.
struct Call {
    /// nullptr for --help and --version of the program itself, and for the help of a group.
    const Command* command = nullptr;
    std::string group;  ///< the group whose help is asked for; else ""
    Arguments arguments;
    bool help = false;
    bool version = false;
};

/// Reads the words after the program's name by the table; for a command that takes settings, the
/// environment and the file of --config too. A group alone stands for its "list", if it has one.
/// Throws UsageError: one sentence, with the name that was probably meant, or a pointer to --help,
/// as its hint. `named` gets the command as soon as it is known, also if what follows is wrong.
Call parse_command_line(const std::vector<Command>& commands, const std::vector<std::string>& words,
                        const Command** named = nullptr);

}  // namespace oauth3::cli
