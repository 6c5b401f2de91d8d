#pragma once

#include "api/service.h"
#include "store/sessions.h"

#include <optional>
#include <string>

namespace oauth3::api {

/// The living session that a call means (wire 2.1): an agent's own; an owner's of the tenant that
/// the call names ("" counts as none), else of the only one that has a session of this id. Throws
/// a Refusal: 404 not_found; 400 tenant_required if more than one tenant has it.
store::SessionRow find_session(Service& service, const orchestrator::Principal& who,
                               const std::string& id, const std::optional<std::string>& tenant);

}  // namespace oauth3::api
