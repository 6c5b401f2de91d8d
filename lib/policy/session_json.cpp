#include "base/crypto.h"
#include "policy/session.h"

namespace oauth3::policy {
namespace {

using base::Json;
using Texts = std::vector<std::string>;

}  // namespace

Json to_json(const SessionPolicy& policy) {
    Json out{{"description", policy.description},
             {"allowedSecrets", policy.secrets},
             {"allowedNetworks", texts_of(policy.networks)},
             {"constraints", constraints_to_json(policy.constraints)},
             {"rules", to_json(policy.rules)},
             {"args", args_to_json(policy.args)},
             {"code_hashes", policy.code_hashes},
             {"secret_hosts", to_json(policy.secret_hosts)},
             {"any_code", any_code(policy)},
             {"max_timeout", policy.max_timeout.count()},
             {"max_runs", policy.max_runs ? Json(*policy.max_runs) : Json()}};
    if (policy.budgets != Budgets()) out["budgets"] = to_json(policy.budgets);
    return out;
}

Json stored_json(const SessionPolicy& policy) {
    Json out = to_json(policy);
    out["only_scopes"] = policy.only_scopes;
    out["any_code_kept"] = policy.any_code_kept;
    out["has_own_rules"] = policy.has_own_rules;
    return out;
}

SessionPolicy session_policy_from_json(const Json& json) {
    SessionPolicy out;
    out.description = json.at("description").get<std::string>();
    out.secrets = json.at("allowedSecrets").get<Texts>();
    out.networks = networks_from(json.at("allowedNetworks").get<Texts>());
    out.constraints = constraints_from_json(json.at("constraints"));
    out.rules = rules_from_json(json.at("rules"));
    out.args = args_from_json(json.at("args"));
    out.code_hashes = json.at("code_hashes").get<Texts>();
    out.secret_hosts = secret_hosts_from_json(json.at("secret_hosts"));
    out.max_timeout = base::Seconds(json.at("max_timeout").get<std::int64_t>());
    if (const Json& runs = json.at("max_runs"); !runs.is_null())
        out.max_runs = runs.get<std::int64_t>();
    if (json.contains("budgets")) out.budgets = budgets_from_json(json["budgets"]);
    out.only_scopes = json.value("only_scopes", false);
    out.any_code_kept = json.value("any_code_kept", false);
    out.has_own_rules = json.value("has_own_rules", false);
    return out;
}

Json to_json(const Usage& usage) {
    return {
        {"requests", usage.requests}, {"bytes", usage.bytes}, {"secret_uses", usage.secret_uses}};
}

Usage usage_from_json(const Json& json) {
    Usage out;
    out.requests = json.value("requests", std::int64_t{0});
    out.bytes = json.value("bytes", std::int64_t{0});
    if (const auto uses = json.find("secret_uses"); uses != json.end())
        out.secret_uses = uses->get<std::map<std::string, std::int64_t>>();
    return out;
}

std::string session_digest(const std::optional<Session>& living) {
    if (!living) return "none";
    Json seen = stored_json(living->policy);
    seen["expires_at"] = base::to_millis(living->expires_at);
    return base::sha256_hex(base::canonical_json(seen));
}

}  // namespace oauth3::policy
