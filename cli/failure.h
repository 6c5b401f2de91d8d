#pragma once

#include "base/json.h"
#include "cli/exit_code.h"

#include <oauth3/client.h>

#include <string>

namespace oauth3::cli {

/// The exit code that a failed call stands for.
ExitCode exit_code_of(ClientErrorKind kind);

/// What goes to stdout, or into a job's file, in place of the reply that did not come: the server's
/// own error document if there is one, else error, code and perhaps hint; and what is needed to go
/// on: idempotency_key of a submission that may have arrived, request_id of what was asked about.
base::Json error_document(const ClientError& error);

/// What the human or agent can do next; may be empty. For a submission that may have arrived, it
/// names the Idempotency-Key with which the same command goes on.
std::string hint_of(const ClientError& error);

}  // namespace oauth3::cli
