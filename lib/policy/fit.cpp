#include "policy/fit.h"

#include <fmt/format.h>

#include <algorithm>

namespace oauth3::policy {
namespace {

/// "budget used up: requests (100/100)" for each budget of which nothing is left.
void add_used_up(const Session& session, const Ask& ask, Violations& out) {
    const Budgets& budgets = session.policy.budgets;
    const auto add = [&out](const std::string& what, std::int64_t used, std::int64_t of) {
        if (used >= of) out.push_back(fmt::format("budget used up: {} ({}/{})", what, used, of));
    };
    if (budgets.requests) add("requests", session.used.requests, *budgets.requests);
    if (budgets.bytes) add("bytes", session.used.bytes, *budgets.bytes);
    for (const auto& [secret, most] : budgets.secret_uses) {
        if (!contains(ask.secrets, secret)) continue;
        const auto used = session.used.secret_uses.find(secret);
        add("uses of " + secret, used == session.used.secret_uses.end() ? 0 : used->second, most);
    }
}

/// The request with the session's rules and limits, for the networks that it names.
Grant cut(const SessionPolicy& policy, const Ask& ask) {
    Grant out;
    out.code_hash = ask.code_hash;
    out.args = ask.args;
    unite(out.secrets, ask.secrets);
    unite(out.networks, ask.networks);
    out.timeout = ask.timeout;
    for (const Rule& rule : policy.rules)
        if (std::any_of(out.networks.begin(), out.networks.end(), [&rule](const auto& network) {
                return base::overlap(*rule.host, network);
            }))
            out.rules.push_back(rule);
    for (const Constraint& constraint : policy.constraints)
        if ((constraint.limit.calls || constraint.limit.tls_only) &&
            !contains(out.limits, constraint.limit))
            out.limits.push_back(constraint.limit);
    for (const std::string& secret : out.secrets) {
        auto& hosts = out.secret_hosts[secret];
        if (const auto bound = policy.secret_hosts.find(secret); bound != policy.secret_hosts.end())
            hosts = intersection(bound->second, out.networks);
    }
    return out;
}

}  // namespace

Gaps gaps(const SessionPolicy& policy, const Ask& ask) {
    Gaps out;
    for (const std::string& secret : ask.secrets)
        if (!contains(policy.secrets, secret)) out.secrets.push_back(secret);
    for (const base::Network& network : ask.networks)
        if (!covered(policy.networks, network)) out.networks.push_back(network);
    return out;
}

std::variant<Grant, Violations> fit(const Session& session, const Ask& ask, base::Time now,
                                    Counted counted) {
    const SessionPolicy& policy = session.policy;
    Violations out;
    if (!is_live(session, now)) out.push_back("the session has ended");
    const Gaps lacking = gaps(policy, ask);
    for (const std::string& secret : lacking.secrets) out.push_back("new secret: " + secret);
    for (const base::Network& network : lacking.networks)
        out.push_back("new network: " + network.text());
    if (ask.timeout > policy.max_timeout)
        out.push_back(
            fmt::format("timeout {} > {}", ask.timeout.count(), policy.max_timeout.count()));
    for (const TypedArg& arg : policy.args)
        if (auto violation = arg.violation(ask.args)) out.push_back(std::move(*violation));
    const std::int64_t others = session.runs_used - (counted == Counted::yes ? 1 : 0);
    if (policy.max_runs && others >= *policy.max_runs)
        out.push_back(fmt::format("no runs left ({}/{})", session.runs_used, *policy.max_runs));
    add_used_up(session, ask, out);
    if (!contains(policy.code_hashes, ask.code_hash) && !any_code(policy))
        out.push_back("code not approved in this session");
    if (!out.empty()) return out;
    return cut(policy, ask);
}

}  // namespace oauth3::policy
