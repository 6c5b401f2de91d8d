#include "base/crypto.h"
#include "policy/session.h"

namespace oauth3::policy {
namespace {

using Texts = std::vector<std::string>;

base::Json to_json(const std::vector<Constraint>& constraints) {
    base::Json out = base::Json::array();
    for (const Constraint& constraint : constraints) out.push_back(policy::to_json(constraint));
    return out;
}

std::vector<Constraint> constraints_from(const base::Json& json) {
    std::vector<Constraint> out;
    for (const base::Json& item : json)
        out.push_back(compile_constraint(item.at("text").get<std::string>()));
    return out;
}

}  // namespace

std::string_view to_string(ConstraintClass kind) {
    switch (kind) {
        case ConstraintClass::enforced:
            return "enforced";
        case ConstraintClass::partly:
            return "partly";
        case ConstraintClass::advisory:
            return "advisory";
    }
    return "?";
}

base::Json to_json(const Constraint& constraint) {
    return {{"text", constraint.text},
            {"class", to_string(constraint.kind)},
            {"compiled", constraint.compiled}};
}

Texts texts_of(const std::vector<base::Network>& networks) {
    Texts out;
    for (const base::Network& network : networks) out.push_back(network.text());
    return out;
}

std::vector<base::Network> networks_from(const Texts& texts) {
    std::vector<base::Network> out;
    for (const std::string& text : texts) {
        base::NetworkResult result = base::parse_network(text);
        if (!result.network) throw base::Error("corrupt", "a stored network cannot be read");
        out.push_back(std::move(*result.network));
    }
    return out;
}

base::Json to_json(const SessionPolicy& policy) {
    return {{"description", policy.description},
            {"allowedSecrets", policy.secrets},
            {"allowedNetworks", texts_of(policy.networks)},
            {"constraints", to_json(policy.constraints)},
            {"rules", base::Json::array()},
            {"args", base::Json::array()},
            {"code_hashes", policy.code_hashes},
            {"secret_hosts", policy.secret_hosts},
            {"any_code", false},
            {"max_timeout", policy.max_timeout.count()},
            {"max_runs", policy.max_runs ? base::Json(*policy.max_runs) : base::Json()}};
}

std::string session_digest(const std::optional<Session>& living) {
    if (!living) return "none";
    base::Json seen = to_json(living->policy);
    seen["expires_at"] = base::to_millis(living->expires_at);
    return base::sha256_hex(base::canonical_json(seen));
}

SessionPolicy session_policy_from_json(const base::Json& json) {
    SessionPolicy out;
    out.description = json.at("description").get<std::string>();
    out.secrets = json.at("allowedSecrets").get<Texts>();
    out.networks = networks_from(json.at("allowedNetworks").get<Texts>());
    out.constraints = constraints_from(json.at("constraints"));
    out.code_hashes = json.at("code_hashes").get<Texts>();
    out.secret_hosts = json.at("secret_hosts").get<std::map<std::string, Texts>>();
    out.max_timeout = base::Seconds(json.at("max_timeout").get<std::int64_t>());
    if (const base::Json& runs = json.at("max_runs"); !runs.is_null())
        out.max_runs = runs.get<std::int64_t>();
    return out;
}

base::Json to_json(const Scope& scope) {
    base::Json out{{"description", scope.description},
                   {"constraints", to_json(scope.constraints)},
                   {"secrets", scope.secrets},
                   {"networks", texts_of(scope.networks)},
                   {"max_timeout", scope.max_timeout.count()}};
    if (scope.code_hash) out["code_hash"] = *scope.code_hash;
    if (scope.expires_in) out["expires_in"] = scope.expires_in->count();
    if (scope.max_runs) out["max_runs"] = *scope.max_runs;
    return out;
}

Scope scope_from_json(const base::Json& json) {
    Scope out;
    out.description = json.at("description").get<std::string>();
    out.constraints = constraints_from(json.at("constraints"));
    out.secrets = json.at("secrets").get<Texts>();
    out.networks = networks_from(json.at("networks").get<Texts>());
    out.max_timeout = base::Seconds(json.at("max_timeout").get<std::int64_t>());
    if (json.contains("code_hash")) out.code_hash = json["code_hash"].get<std::string>();
    if (json.contains("expires_in"))
        out.expires_in = base::Seconds(json["expires_in"].get<std::int64_t>());
    if (json.contains("max_runs")) out.max_runs = json["max_runs"].get<std::int64_t>();
    return out;
}

}  // namespace oauth3::policy
