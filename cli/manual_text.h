#pragma once

#include <string_view>

namespace oauth3::cli {

/// The parts of the manual page that are not made from the table of commands, in the macros of
/// man(7): what stands before the commands (one place for the version), and what stands after them.
extern const std::string_view kManualStart;
extern const std::string_view kManualEnd;

}  // namespace oauth3::cli
