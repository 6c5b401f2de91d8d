#pragma once

#include "base/json.h"
#include "cli/command.h"

#include <oauth3/client.h>

#include <functional>
#include <string>
#include <string_view>

namespace oauth3::cli {

/// Prints the document, or on a terminal without --json the text that `render` makes of it
/// (colour or not).
ExitCode print_either(const base::Json& document,
                      const std::function<std::string(const base::Json&, bool)>& render,
                      Context& context);

/// The list that stands under `name` in a reply. Throws base::Error "bad_reply" without one.
const base::Json& list_in(const base::Json& document, const char* name);

}  // namespace oauth3::cli
