#pragma once

#include "base/clock.h"
#include "base/json.h"
#include "base/network.h"
#include "policy/phrases.h"
#include "policy/rule.h"
#include "policy/typed_arg.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace oauth3::policy {

/// A plain-text constraint and what it was compiled to when it was asked for: a later version of
/// the phrase table changes nothing that a human has approved.
struct Constraint {
    std::string text;
    ConstraintClass kind = ConstraintClass::advisory;
    Limit limit;                                           ///< empty iff advisory
    std::string remark;                                    ///< for `partly`: what is not enforced
    std::optional<base::Time> approved_at = std::nullopt;  ///< set once it is part of a session

    bool operator==(const Constraint&) const = default;
};

Constraint compile_constraint(std::string text);

/// {text, class, compiled}, as the wire has it, with `limit`, `remark` and `approved_at` where they
/// say something; and back.
base::Json to_json(const Constraint& constraint);
Constraint constraint_from_json(const base::Json& json);

/// How much of something a whole session may use, counted at the egress gate (wire 5.2). What is
/// absent has no limit.
struct Budgets {
    std::optional<std::int64_t> requests;
    std::optional<std::int64_t> bytes;  ///< of bodies, both ways
    std::map<std::string, std::int64_t> secret_uses;

    bool operator==(const Budgets&) const = default;
};

base::Json to_json(const Budgets& budgets);
Budgets budgets_from_json(const base::Json& json);

base::Json constraints_to_json(const std::vector<Constraint>& constraints);
std::vector<Constraint> constraints_from_json(const base::Json& json);
base::Json args_to_json(const std::vector<TypedArg>& args);
std::vector<TypedArg> args_from_json(const base::Json& json);

/// What a scope request asks a human for.
struct Scope {
    std::string description;
    std::vector<Constraint> constraints;
    std::vector<std::string> secrets;
    std::vector<base::Network> networks;
    std::vector<Rule> rules;
    std::vector<TypedArg> args;
    std::optional<std::string> code_hash;
    base::Seconds max_timeout{60};
    std::optional<base::Seconds> expires_in;
    std::optional<std::int64_t> max_runs;  ///< at least 1; none: no limit
    Budgets budgets;
};

/// The scope as the store keeps it, and back.
base::Json to_json(const Scope& scope);
Scope scope_from_json(const base::Json& json);

}  // namespace oauth3::policy
