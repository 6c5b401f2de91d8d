#pragma once

#include "cli/command.h"

namespace oauth3::cli {

/// Adds to `arguments` what the command line does not give: from $OAUTH3_<OPTION> (upper case, "_"
/// for "-"), then from the file that --config or $OAUTH3_CONFIG names. That file is one JSON
/// object whose members have the options' names without dashes before them: {"max-pending": 20}.
/// Flags are true or false, numbers may stand without quotes, and options that may be repeated
/// take a list; in a variable their values are parted by commas or blanks. An empty variable
/// counts as unset. Throws UsageError, naming the source, for a file that cannot be read, an
/// unknown member and a value of another kind.
void add_settings(const Command& command, Arguments& arguments);

}  // namespace oauth3::cli
