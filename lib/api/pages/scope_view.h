#pragma once

#include "api/html.h"
#include "policy/scope.h"

#include <vector>

// The parts of a scope, and of the session that it becomes, as the pages show them.

namespace oauth3::api::pages {

/// Each constraint with its class, what it compiles to, and what of it oauth3 cannot check.
Html constraints_view(const std::vector<policy::Constraint>& constraints);
/// The same on one line each.
Html constraints_list(const std::vector<policy::Constraint>& constraints);
Html rules_list(const std::vector<policy::Rule>& rules);
Html args_list(const std::vector<policy::TypedArg>& args);
/// A fact for the budgets that there are; empty without any.
Html budget_facts(const policy::Budgets& budgets);

}  // namespace oauth3::api::pages
