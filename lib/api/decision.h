#pragma once

#include "api/body.h"
#include "api/refusal.h"
#include "api/service.h"
#include "base/json.h"
#include "http/message.h"
#include "orchestrator/orchestrator.h"

#include <string_view>

namespace oauth3::api {

/// A human's decision, from the members of a JSON body or the fields of a form (wire 7.2, 7.3).
/// Throws a Refusal: 400 invalid_action, invalid_level, bad_request. Members that nothing enforces
/// are refused, not ignored.
orchestrator::Decision read_decision(const Body& body, policy::Kind kind);
orchestrator::Decision read_decision(const http::Fields& form, policy::Kind kind);

inline constexpr const char* kSessionChanged = "The session has changed meanwhile; look again.";

/// What a program is told if orchestrator::Decided::session_changed: 400 bad_request.
Refusal session_changed();

/// What a decision that was made answers (wire 7.3).
base::Json decided_json(const orchestrator::Decided& done);

/// The word of the request's status as the wire has it.
std::string_view status_word(const store::RequestRow& row);

}  // namespace oauth3::api
