#include "policy/growth.h"

#include <algorithm>

namespace oauth3::policy {
namespace {

/// The items of `after` that `before` has not; both are sorted.
template <typename T>
std::vector<T> added(const std::vector<T>& before, const std::vector<T>& after) {
    std::vector<T> out;
    std::set_difference(after.begin(), after.end(), before.begin(), before.end(),
                        std::back_inserter(out));
    return out;
}

std::vector<Bond> new_bonds(const SessionPolicy& before, const SessionPolicy& after) {
    std::vector<Bond> out;
    for (const auto& [secret, hosts] : after.secret_hosts) {
        const auto held = before.secret_hosts.find(secret);
        const auto allowed =
            held == before.secret_hosts.end() ? std::vector<base::Network>() : held->second;
        for (const base::Network& host : hosts)
            if (!covered(allowed, host)) out.push_back({secret, host.text()});
    }
    return out;
}

std::vector<Constraint> new_constraints(const SessionPolicy& before, const SessionPolicy& after) {
    std::vector<Constraint> out;
    for (const Constraint& c : after.constraints)
        if (std::none_of(before.constraints.begin(), before.constraints.end(),
                         [&c](const Constraint& held) {
                             return held.text == c.text && held.limit == c.limit;
                         }))
            out.push_back(c);
    return out;
}

/// Taken from the two sessions themselves, so that it tells what an approval does and not what
/// somebody thought that it does.
Growth between(const Session& session, const Session& grown) {
    const SessionPolicy& before = session.policy;
    const SessionPolicy& after = grown.policy;
    Growth out;
    out.secrets = added(before.secrets, after.secrets);
    for (const base::Network& network : after.networks)
        if (!covered(before.networks, network)) out.networks.push_back(network);
    out.secret_hosts = new_bonds(before, after);
    out.constraints = new_constraints(before, after);
    for (const Rule& rule : after.rules)
        if (!covered(before.rules, rule)) out.rules.push_back(rule);
    for (const TypedArg& arg : after.args)
        if (!contains(before.args, arg)) out.args.push_back(arg);
    out.code_hashes = added(before.code_hashes, after.code_hashes);
    out.budgets = after.budgets != before.budgets;
    if (any_code(after) != any_code(before)) out.any_code = any_code(after);
    if (after.max_timeout != before.max_timeout) out.max_timeout = after.max_timeout;
    if (after.max_runs != before.max_runs) out.max_runs = after.max_runs;
    if (grown.expires_at != session.expires_at) out.expires_at = grown.expires_at;
    return out;
}

}  // namespace

Growth growth(const Session& session, const Scope& scope, base::Time now) {
    return between(session, approve_scope(session, scope, now));
}

Growth growth(const Session& session, const Ask& ask, base::Time now) {
    return between(session, approve_run(session, grant_of(ask), now));
}

}  // namespace oauth3::policy
