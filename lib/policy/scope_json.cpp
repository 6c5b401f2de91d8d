#include "base/error.h"
#include "policy/scope.h"
#include "policy/sets.h"

#include <algorithm>
#include <array>

namespace oauth3::policy {
namespace {

using base::Json;
using Texts = std::vector<std::string>;

ConstraintClass class_from(const std::string& word) {
    for (const auto kind :
         {ConstraintClass::enforced, ConstraintClass::partly, ConstraintClass::advisory})
        if (to_string(kind) == word) return kind;
    throw base::Error("corrupt", "a stored constraint cannot be read");
}

/// Reads a member if it is there.
template <typename T>
void read(const Json& json, const char* name, std::optional<T>& into) {
    if (const auto it = json.find(name); it != json.end()) into = it->get<T>();
}

void read(const Json& json, const char* name, std::optional<base::Seconds>& into) {
    if (const auto it = json.find(name); it != json.end())
        into = base::Seconds(it->get<std::int64_t>());
}

}  // namespace

Json to_json(const Constraint& constraint) {
    Json out{{"text", constraint.text},
             {"class", to_string(constraint.kind)},
             {"compiled", describe(constraint.limit)}};
    if (!constraint.limit.empty()) out["limit"] = to_json(constraint.limit);
    if (!constraint.remark.empty()) out["remark"] = constraint.remark;
    if (constraint.approved_at) out["approved_at"] = base::to_millis(*constraint.approved_at);
    return out;
}

Constraint constraint_from_json(const Json& json) {
    Constraint out;
    out.text = json.at("text").get<std::string>();
    out.kind = class_from(json.at("class").get<std::string>());
    if (const auto limit = json.find("limit"); limit != json.end())
        out.limit = limit_from_json(*limit);
    out.remark = json.value("remark", "");
    if (const auto at = json.find("approved_at"); at != json.end())
        out.approved_at = base::from_millis(at->get<std::int64_t>());
    return out;
}

Json to_json(const Budgets& budgets) {
    Json out = Json::object();
    if (budgets.requests) out["requests"] = *budgets.requests;
    if (budgets.bytes) out["bytes"] = *budgets.bytes;
    if (!budgets.secret_uses.empty()) out["secret_uses"] = budgets.secret_uses;
    return out;
}

Budgets budgets_from_json(const Json& json) {
    Budgets out;
    read(json, "requests", out.requests);
    read(json, "bytes", out.bytes);
    if (const auto uses = json.find("secret_uses"); uses != json.end())
        out.secret_uses = uses->get<std::map<std::string, std::int64_t>>();
    return out;
}

Json args_to_json(const std::vector<TypedArg>& args) {
    Json out = Json::array();
    for (const TypedArg& arg : args) out.push_back(arg.json());
    return out;
}

std::vector<TypedArg> args_from_json(const Json& json) {
    std::vector<TypedArg> out;
    for (const Json& item : json) {
        auto arg = TypedArg::parse(item);
        if (!std::holds_alternative<TypedArg>(arg))
            throw base::Error("corrupt", "a stored typed argument cannot be read");
        out.push_back(std::get<TypedArg>(std::move(arg)));
    }
    return out;
}

Json constraints_to_json(const std::vector<Constraint>& constraints) {
    Json out = Json::array();
    for (const Constraint& constraint : constraints) out.push_back(to_json(constraint));
    return out;
}

std::vector<Constraint> constraints_from_json(const Json& json) {
    std::vector<Constraint> out;
    for (const Json& item : json) out.push_back(constraint_from_json(item));
    return out;
}

Json to_json(const Scope& scope) {
    Json out{{"description", scope.description},
             {"constraints", constraints_to_json(scope.constraints)},
             {"secrets", scope.secrets},
             {"networks", texts_of(scope.networks)},
             {"rules", to_json(scope.rules)},
             {"args", args_to_json(scope.args)},
             {"max_timeout", scope.max_timeout.count()}};
    if (scope.code_hash) out["code_hash"] = *scope.code_hash;
    if (scope.expires_in) out["expires_in"] = scope.expires_in->count();
    if (scope.max_runs) out["max_runs"] = *scope.max_runs;
    if (scope.budgets != Budgets()) out["budgets"] = to_json(scope.budgets);
    return out;
}

Scope scope_from_json(const Json& json) {
    Scope out;
    out.description = json.at("description").get<std::string>();
    out.constraints = constraints_from_json(json.at("constraints"));
    out.secrets = json.at("secrets").get<Texts>();
    out.networks = networks_from(json.at("networks").get<Texts>());
    // A request that an earlier version stored has neither.
    if (json.contains("rules")) out.rules = rules_from_json(json["rules"]);
    if (json.contains("args")) out.args = args_from_json(json["args"]);
    out.max_timeout = base::Seconds(json.at("max_timeout").get<std::int64_t>());
    read(json, "code_hash", out.code_hash);
    read(json, "expires_in", out.expires_in);
    read(json, "max_runs", out.max_runs);
    if (json.contains("budgets")) out.budgets = budgets_from_json(json["budgets"]);
    return out;
}

}  // namespace oauth3::policy
