#pragma once

#include "api/body.h"
#include "api/refusal.h"
#include "policy/narrow.h"

#include <string>

namespace oauth3::api {

/// What a session is to be cut down to, from the members of a body (wire 6.3). Throws a Refusal:
/// 400 bad_request for a part that is unknown, malformed, or that nothing enforces here; 400
/// not_narrower for an any_code that is true.
policy::Narrowing read_narrowing(const Body& body);

/// The refusal of a part that the session does not cover already.
Refusal not_narrower(const std::string& field);

}  // namespace oauth3::api
