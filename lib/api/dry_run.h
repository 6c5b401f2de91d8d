#pragma once

#include "api/service.h"
#include "base/json.h"
#include "orchestrator/orchestrator.h"

namespace oauth3::api {

/// The reply to a submission with dry_run (wire 5.3): what submitting it would do. Nothing is
/// written.
base::Json dry_run_json(Service& service, const orchestrator::Principal& agent,
                        const orchestrator::ExecuteSubmission& submission);

}  // namespace oauth3::api
