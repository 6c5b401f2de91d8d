#pragma once

#include "api/body.h"
#include "orchestrator/orchestrator.h"

namespace oauth3::api {

/// Reads the body of POST /execute (wire 5.1). Throws a Refusal for what is malformed or not
/// available on this server.
orchestrator::ExecuteSubmission read_execute(const Body& body);

/// Reads the body of POST /scope (wire 5.2), likewise.
orchestrator::ScopeSubmission read_scope(const Body& body);

}  // namespace oauth3::api
