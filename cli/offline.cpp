#include "cli/offline.h"

#include "base/members.h"
#include "policy/reading.h"
#include "skill/args.h"
#include "skill/declaration.h"

#include <fmt/format.h>

#include <algorithm>

namespace oauth3::cli {
namespace {

using base::Json;
using base::Malformed;
using base::Members;

/// When the approval is supposed to have been: nothing here depends on the day.
constexpr base::Time kApproved{};

skill::Declaration read_code(const std::string& code, const std::string& field) {
    if (!skill::is_program(code))
        throw Malformed("invalid_skill", field,
                        "The code must be UTF-8 text without NUL characters.");
    auto parsed = skill::parse(code);
    if (const auto* problem = std::get_if<skill::MetadataProblem>(&parsed))
        throw Malformed("invalid_metadata", field,
                        fmt::format("Line {}, column {}: {}.", problem->line, problem->column,
                                    problem->message));
    return std::get<skill::Declaration>(std::move(parsed));
}

/// A list of names, or an object of which the names count.
std::vector<std::string> read_names(const Members& request) {
    Json names = Json::object();
    if (const Json* value = request.find("secrets"); value != nullptr && value->is_object()) {
        names["secrets"] = Json::array();
        for (const auto& [name, unused] : value->items()) names["secrets"].push_back(name);
    } else if (value != nullptr) {
        names["secrets"] = *value;
    }
    auto out = policy::read_secrets(Members(std::move(names)), "secrets");
    if (out.size() > skill::kMaxListEntries)
        throw Malformed("secrets", "At most 32 secrets can be requested.");
    return out;
}

/// What of the scope the limits of its own constraints take away.
Json cut_json(const OfflineScope& offline) {
    Json networks = Json::array();
    for (const base::Network& network : offline.scope.networks)
        if (!policy::covered(offline.session.policy.networks, network))
            networks.push_back(network.text());
    Json secrets = Json::array();
    for (const std::string& secret : offline.scope.secrets)
        if (!policy::contains(offline.session.policy.secrets, secret)) secrets.push_back(secret);
    return {{"networks", std::move(networks)}, {"secrets", std::move(secrets)}};
}

}  // namespace

OfflineScope read_offline_scope(const Json& body) {
    const Members members(body);
    OfflineScope out;
    std::optional<skill::Declaration> declared;
    const auto code = members.text("skill_code");
    if (code) {
        declared = read_code(*code, "skill_code");
        out.warnings = declared->warnings;
    }
    out.scope = policy::read_scope(members, declared ? &*declared : nullptr, out.warnings);
    if (code) out.scope.code_hash = skill::code_hash(*code);
    if (const auto expected = members.text("skill_sha256"))
        if (code && *expected != *out.scope.code_hash)
            throw Malformed("skill_hash_mismatch", "skill_sha256",
                            "The code has another hash than expected.");
    out.session = policy::approve_scope(std::nullopt, out.scope, kApproved);
    return out;
}

policy::Ask read_offline_run(const Json& request, std::vector<std::string>& warnings) {
    const Members members(request);
    const std::string code = members.text("code").value_or("");
    if (code.empty()) throw Malformed("missing_skill_code", "code", "There is no code.");
    const skill::Declaration declared = read_code(code, "code");
    warnings.insert(warnings.end(), declared.warnings.begin(), declared.warnings.end());
    policy::Ask out;
    out.code_hash = skill::code_hash(code);
    out.networks = declared.networks;
    out.timeout = declared.timeout;
    out.secrets = read_names(members);
    if (out.secrets.empty()) out.secrets = declared.secrets;
    if (const Json* args = members.find("args")) {
        if (!args->is_object()) throw Malformed("args", "\"args\" must be an object.");
        out.args = *args;
    }
    const auto environment = skill::environment_of(out.args, out.secrets);
    if (const auto* problem = std::get_if<skill::ArgsProblem>(&environment))
        throw Malformed(problem->code, "args", problem->message);
    return out;
}

OfflineVerdict check_offline(const OfflineScope& scope, const policy::Ask& run) {
    OfflineVerdict out;
    auto result = policy::fit(scope.session, run, kApproved);
    if (auto* grant = std::get_if<policy::Grant>(&result)) {
        out.grant = std::move(*grant);
    } else {
        out.violations = std::get<policy::Violations>(std::move(result));
        out.gaps = policy::gaps(scope.session.policy, run);
    }
    return out;
}

std::vector<policy::Rule> living_rules(const policy::SessionPolicy& policy) {
    std::vector<policy::Rule> out;
    for (const policy::Rule& rule : policy.rules)
        if (std::any_of(policy.networks.begin(), policy.networks.end(), [&rule](const auto& n) {
                return base::intersection(*rule.host, n).has_value();
            }))
            out.push_back(rule);
    return out;
}

Json explain_json(const OfflineScope& offline) {
    const policy::SessionPolicy& policy = offline.session.policy;
    Json shown = policy::to_json(policy);
    // Nobody has approved anything here.
    for (Json& constraint : shown["constraints"]) constraint.erase("approved_at");
    const auto life =
        std::chrono::duration_cast<base::Seconds>(offline.session.expires_at - kApproved);
    return {{"policy", std::move(shown)},
            {"rules_in_force", policy::to_json(living_rules(policy))},
            {"cut_away", cut_json(offline)},
            {"lasts", life.count()},
            {"idle", policy::kSessionIdle.count()},
            {"any_code", policy::any_code(policy)},
            {"why_not_any_code", policy::why_not_any_code(policy)},
            {"warnings", offline.warnings}};
}

Json verdict_json(const OfflineVerdict& verdict, const std::vector<std::string>& warnings) {
    Json out{{"fits", verdict.grant.has_value()}, {"warnings", warnings}};
    if (verdict.grant) {
        out["grant"] = policy::to_json(*verdict.grant);
        out["grant"]["args"] = verdict.grant->args;  // which is stored as a text
        out["limits"] = Json::array();
        for (const policy::Limit& limit : verdict.grant->limits)
            out["limits"].push_back(policy::describe(limit));
    } else {
        out["policy_violations"] = verdict.violations;
        out["policy_gaps"] = {{"new_secrets", verdict.gaps.secrets},
                              {"new_networks", policy::texts_of(verdict.gaps.networks)}};
    }
    return out;
}

}  // namespace oauth3::cli
