#pragma once

#include <string>
#include <string_view>

namespace oauth3::cli {

/// The parts of the manual page that are not made from the table of commands, in the macros of
/// man(7): what stands before the commands (one place for the version), and what stands after them.
extern const std::string_view kManualStart;
extern const std::string_view kManualEnd;

/// Text in the macros of man(7): what could be taken for a request or an escape is protected.
std::string roff(std::string_view text);

/// The sections on scopes, trust, recorded cases and second opinions.
std::string manual_of_policy();

}  // namespace oauth3::cli
