#pragma once

#include "base/json.h"

#include <string>

namespace oauth3::cli {

/// Everything that a human has to see before deciding on a request: the document of
/// GET /requests/:id (wire 7.3) as text. What others wrote is made visible, members that this
/// program does not know are shown as JSON, so nothing is left out. `colour`: for a terminal.
std::string render_request(const base::Json& request, bool colour);

/// What the decision turns on once more, in a few lines to stand right before the question: what
/// comes before it may be long, and the code may imitate it.
std::string render_in_short(const base::Json& request, bool colour);

/// The list of GET /requests, one paragraph each.
std::string render_pending(const base::Json& requests, bool colour);

/// True iff nobody has decided on the request.
bool waits_for_decision(const base::Json& request);

/// True iff the request's code, if it has any, is the code that its `code_hash` names.
bool code_matches_hash(const base::Json& request);

/// The request without the members that change by themselves: what a decision is about.
std::string essence(const base::Json& request);

}  // namespace oauth3::cli
