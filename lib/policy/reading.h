#pragma once

#include "base/members.h"
#include "policy/narrow.h"
#include "policy/scope.h"
#include "skill/declaration.h"

#include <optional>
#include <string>
#include <vector>

// What agents and humans write as JSON, read strictly: by the server from requests, by the command
// line from files. Whatever is malformed is thrown as base::Malformed.

namespace oauth3::policy {

/// Names of secrets; reserved ones are refused with the code "reserved_name".
std::vector<std::string> read_secrets(const base::Members& members, const std::string& name);
std::vector<base::Network> read_networks(const base::Members& members, const std::string& name);
/// [{host, methods[], paths[]}]; methods are optional ("*"), and paths, too ("/**").
std::vector<Rule> read_rules(const base::Members& members, const std::string& name);
/// A malformed one has the code "invalid_constraint", and its index.
std::vector<TypedArg> read_args(const base::Members& members, const std::string& name);

/// A scope (wire 5.2), but for session_id and skill_code. `declared` is what the header of its code
/// says, if it comes with code. Members that are not known, and what does not go together, become
/// warnings.
Scope read_scope(const base::Members& members, const skill::Declaration* declared,
                 std::vector<std::string>& warnings);

/// What a session is to be narrowed to (wire 6.3). Members that are not known are refused: a part
/// that was ignored would look as if it were cut. any_code: true has the code "not_narrower".
Narrowing read_narrowing(const base::Members& members);

}  // namespace oauth3::policy
