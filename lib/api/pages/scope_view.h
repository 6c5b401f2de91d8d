#pragma once

#include "api/html.h"
#include "policy/session.h"

namespace oauth3::api::pages {

/// Each constraint with its class and what it compiles to.
Html constraints_view(const policy::Scope& scope);

}  // namespace oauth3::api::pages
