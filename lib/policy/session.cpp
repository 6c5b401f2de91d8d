#include "policy/session.h"

#include <algorithm>

namespace oauth3::policy {
namespace {

/// What a scope and the approval of a single run have in common when a session grows by them.
struct Addition {
    const std::vector<std::string>& secrets;
    const std::vector<base::Network>& networks;
    std::vector<Rule> rules;
    std::vector<std::string> code_hashes;
    base::Seconds timeout;
};

Session grow(const std::optional<Session>& session, const Addition& by, base::Time now) {
    Session out;
    if (session) {
        out = *session;
    } else {
        out.created_at = now;
        out.expires_at = now + kSessionLife;
    }
    out.last_activity = now;
    SessionPolicy& policy = out.policy;
    unite(policy.secrets, by.secrets);
    unite(policy.networks, by.networks);
    unite(policy.rules, by.rules);
    unite(policy.code_hashes, by.code_hashes);
    policy.max_timeout = std::max(policy.max_timeout, by.timeout);
    for (const std::string& secret : by.secrets) unite(policy.secret_hosts[secret], by.networks);
    return out;
}

template <typename T>
void cut_to(std::optional<T>& value, const std::optional<T>& limit) {
    if (limit) value = value ? std::min(*value, *limit) : *limit;
}

/// Holds the session within the limits of its constraints.
void hold(Session& session) {
    SessionPolicy& policy = session.policy;
    for (const Constraint& constraint : policy.constraints) {
        const Limit& limit = constraint.limit;
        if (const auto networks = limit.networks())
            policy.networks = intersection(policy.networks, *networks);
        if (limit.secrets)
            std::erase_if(policy.secrets, [&limit](const std::string& secret) {
                return !contains(*limit.secrets, secret);
            });
        if (limit.timeout) policy.max_timeout = std::min(policy.max_timeout, *limit.timeout);
        if (limit.life && constraint.approved_at)
            session.expires_at =
                std::min(session.expires_at, base::Time(*constraint.approved_at + *limit.life));
        cut_to(policy.max_runs, limit.max_runs);
        cut_to(policy.budgets.requests, limit.max_requests);
    }
    cut_secret_hosts(policy);
}

void replace(Budgets& budgets, const Budgets& by) {
    if (by.requests) budgets.requests = by.requests;
    if (by.bytes) budgets.bytes = by.bytes;
    for (const auto& [secret, uses] : by.secret_uses) budgets.secret_uses[secret] = uses;
}

}  // namespace

std::vector<Rule> with_open_rules(std::vector<Rule> rules,
                                  const std::vector<base::Network>& networks) {
    std::vector<Rule> out = rules;
    for (const base::Network& network : networks)
        if (std::none_of(rules.begin(), rules.end(), [&network](const Rule& rule) {
                return rule.host && base::overlap(*rule.host, network);
            }))
            out.push_back(open_rule(network));
    return out;
}

Constraint compile_constraint(std::string text) {
    Phrase phrase = compile_phrase(text);
    return {std::move(text), phrase.kind, std::move(phrase.limit), std::move(phrase.remark)};
}

bool any_code(const SessionPolicy& policy) {
    return policy.only_scopes && policy.any_code_kept &&
           (policy.has_own_rules || !policy.constraints.empty()) &&
           std::all_of(policy.constraints.begin(), policy.constraints.end(),
                       [](const Constraint& constraint) {
                           return constraint.kind == ConstraintClass::enforced;
                       });
}

std::vector<std::string> why_not_any_code(const SessionPolicy& policy) {
    std::vector<std::string> out;
    if (!policy.only_scopes) out.push_back("a run was approved into the session");
    if (!policy.any_code_kept) out.push_back("a human has taken it away");
    if (!policy.has_own_rules && policy.constraints.empty())
        out.push_back("there is neither a rule nor a constraint that is enforced");
    for (const Constraint& constraint : policy.constraints)
        if (constraint.kind != ConstraintClass::enforced)
            out.push_back("only " + std::string(to_string(constraint.kind)) + ": \"" +
                          constraint.text + "\"");
    return out;
}

base::Time session_end(const Session& session) {
    return std::min(session.expires_at, base::Time(session.last_activity + kSessionIdle));
}

bool is_live(const Session& session, base::Time now) {
    return !session.ended && now < session_end(session);
}

Session approve_scope(const std::optional<Session>& session, const Scope& scope, base::Time now,
                      Approval approval) {
    std::vector<std::string> hashes;
    if (scope.code_hash) hashes.push_back(*scope.code_hash);
    Session out = grow(session,
                       {scope.secrets, scope.networks, with_open_rules(scope.rules, scope.networks),
                        hashes, scope.max_timeout},
                       now);
    SessionPolicy& policy = out.policy;
    policy.description = scope.description;
    for (Constraint constraint : scope.constraints) {
        constraint.approved_at = now;
        policy.constraints.push_back(std::move(constraint));
    }
    policy.args.insert(policy.args.end(), scope.args.begin(), scope.args.end());
    policy.any_code_kept = policy.any_code_kept && approval.any_code;
    policy.has_own_rules = policy.has_own_rules || !scope.rules.empty();
    if (scope.max_runs) policy.max_runs = scope.max_runs;
    if (scope.expires_in) out.expires_at = now + std::min(*scope.expires_in, kSessionLife);
    replace(policy.budgets, scope.budgets);
    hold(out);
    return out;
}

Session approve_run(const std::optional<Session>& session, const Grant& grant, base::Time now) {
    Session out =
        grow(session,
             {grant.secrets, grant.networks, grant.rules, {grant.code_hash}, grant.timeout}, now);
    out.policy.only_scopes = false;
    hold(out);
    return out;
}

void cut_secret_hosts(SessionPolicy& policy) {
    for (auto it = policy.secret_hosts.begin(); it != policy.secret_hosts.end();) {
        if (!contains(policy.secrets, it->first)) {
            it = policy.secret_hosts.erase(it);
            continue;
        }
        it->second = intersection(it->second, policy.networks);
        ++it;
    }
}

}  // namespace oauth3::policy
