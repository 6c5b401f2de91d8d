#pragma once

#include "api/html.h"
#include "base/clock.h"
#include "policy/growth.h"
#include "store/sessions.h"

// What pages show of a session.

namespace oauth3::api::pages {

/// What a session allows, as facts: what matters most.
Html session_facts(const store::SessionRow& row, base::Time now);

/// The rest of what it allows.
Html session_details(const policy::SessionPolicy& policy);

/// All that a living session holds, for a human who is asked to widen it.
Html session_view(const store::SessionRow& row, base::Time now);

/// What an approval would change in a living session.
Html growth_view(const policy::Session& session, const policy::Growth& growth, base::Time now);

}  // namespace oauth3::api::pages
