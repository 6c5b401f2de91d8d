#pragma once

#include "base/json.h"
#include "cli/command.h"

#include <oauth3/client.h>

#include <optional>
#include <string_view>

namespace oauth3::cli {

/// Prints the link to approve, if somebody has to, on stderr. `what`: "scope" or "execution".
void announce(const Submission& submission, std::string_view what, Context& context);

/// Waits until the request is final or lacks secrets, and returns its state. Whatever ends that
/// early, says on stderr how to go on. If it is the end of the time or Ctrl-C, prints the document
/// and returns nullopt; `code` is then the exit code.
std::optional<RequestState> wait_for(Client& client, std::string_view id, Context& context,
                                     ExitCode& code);

/// Says on stderr how to go on waiting for a request.
void tell_how_to_go_on(std::string_view id, Context& context);

/// Prints the final reply, or with --raw the program's output, and returns the exit code that its
/// status stands for.
ExitCode finish(const RequestState& state, Context& context);

/// wait_for and finish.
ExitCode wait_and_finish(Client& client, std::string_view id, Context& context);

/// The exit code of a status as it stands on the wire.
ExitCode exit_code_of(std::string_view status);

/// What --raw prints of a status reply: the program's stdout, with exactly one final newline, or
/// nothing if it left no result. On a terminal, control characters are made visible. Returns the
/// program's exit code; without a result that of the status.
ExitCode print_raw(const base::Json& reply, Context& context);

}  // namespace oauth3::cli
