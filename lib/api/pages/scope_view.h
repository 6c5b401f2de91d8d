#pragma once

#include "api/html.h"
#include "policy/session.h"
#include "store/sessions.h"

#include <optional>

namespace oauth3::api::pages {

/// Each constraint with its class and what it compiles to.
Html constraints_view(const policy::Scope& scope);

/// What approving the scope adds to the session, if it lives.
Html widening_view(const policy::Scope& scope, const std::optional<store::SessionRow>& session);

}  // namespace oauth3::api::pages
