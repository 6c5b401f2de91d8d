#pragma once

#include "cli/command.h"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace oauth3::cli {

/// A command line that makes sense.
struct Call {
    const Command* command = nullptr;  ///< nullptr for --help and --version of the program itself
    Arguments arguments;
    bool help = false;
    bool version = false;
};

/// Reads the words after the program's name by the table. Throws UsageError: one sentence, with
/// the name that was probably meant, or a pointer to --help, as its hint.
Call parse_command_line(const std::vector<Command>& commands,
                        const std::vector<std::string>& words);

/// The one of `names` that `word` most probably stands for; "" if none is near.
std::string_view nearest_name(std::string_view word, const std::vector<std::string_view>& names);

}  // namespace oauth3::cli
