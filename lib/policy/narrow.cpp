#include "policy/narrow.h"

#include <algorithm>

namespace oauth3::policy {
namespace {

template <typename T>
std::vector<T> as_set(std::vector<T> list) {
    make_set(list);
    return list;
}

bool all_covered(const std::vector<base::Network>& by, const std::vector<base::Network>& some) {
    return std::all_of(some.begin(), some.end(),
                       [&by](const base::Network& network) { return covered(by, network); });
}

bool all_covered(const std::vector<Rule>& by, const std::vector<Rule>& some) {
    return std::all_of(some.begin(), some.end(), [&by](const Rule& rule) {
        return rule.host.has_value() && covered(by, rule);
    });
}

}  // namespace

std::variant<Session, NotNarrower> narrow(const Session& session, const Narrowing& to,
                                          base::Time now) {
    Session out = session;
    SessionPolicy& policy = out.policy;
    if (to.secrets) {
        auto secrets = as_set(*to.secrets);
        if (!includes_all(policy.secrets, secrets)) return NotNarrower{"secrets"};
        policy.secrets = std::move(secrets);
    }
    if (to.networks) {
        auto networks = as_set(*to.networks);
        if (!all_covered(policy.networks, networks)) return NotNarrower{"networks"};
        policy.networks = std::move(networks);
    }
    if (to.rules) {
        auto rules = as_set(*to.rules);
        if (!all_covered(policy.rules, rules)) return NotNarrower{"rules"};
        policy.rules = std::move(rules);
    }
    if (to.args) {
        if (!includes_all(*to.args, policy.args)) return NotNarrower{"args"};
        policy.args = *to.args;
    }
    if (to.code_hashes) {
        auto hashes = as_set(*to.code_hashes);
        if (!includes_all(policy.code_hashes, hashes)) return NotNarrower{"code_hashes"};
        policy.code_hashes = std::move(hashes);
    }
    if (to.max_runs) {
        if (policy.max_runs && *to.max_runs > *policy.max_runs) return NotNarrower{"max_runs"};
        policy.max_runs = to.max_runs;
    }
    if (to.max_timeout) {
        if (*to.max_timeout > policy.max_timeout) return NotNarrower{"max_timeout"};
        policy.max_timeout = *to.max_timeout;
    }
    if (to.expires_in) {
        // Compared as lengths: a huge number added to a time would overflow.
        if (*to.expires_in > session.expires_at - now) return NotNarrower{"expires_in"};
        out.expires_at = now + *to.expires_in;
    }
    if (to.known_code_only) policy.any_code_kept = false;
    cut_secret_hosts(policy);
    return out;
}

std::variant<Scope, NotNarrower> narrow(const Scope& scope, const Narrowing& to) {
    Scope out = scope;
    if (to.secrets) {
        out.secrets = as_set(*to.secrets);
        if (!includes_all(scope.secrets, out.secrets)) return NotNarrower{"secrets"};
    }
    if (to.networks) {
        out.networks = as_set(*to.networks);
        if (!all_covered(scope.networks, out.networks)) return NotNarrower{"networks"};
        // What had no rule stays open, what had one keeps to it.
        out.rules = with_open_rules(scope.rules, scope.networks);
    }
    if (to.rules) {
        out.rules = as_set(*to.rules);
        if (!all_covered(with_open_rules(scope.rules, scope.networks), out.rules))
            return NotNarrower{"rules"};
        std::vector<base::Network> ruled;
        for (const Rule& rule : out.rules) ruled.push_back(*rule.host);
        out.networks = intersection(out.networks, ruled);
    }
    if (to.args) {
        if (!includes_all(*to.args, scope.args)) return NotNarrower{"args"};
        out.args = *to.args;
    }
    if (to.code_hashes) {
        const auto hashes = as_set(*to.code_hashes);
        if (!hashes.empty() && hashes != std::vector{scope.code_hash.value_or("")})
            return NotNarrower{"code_hashes"};
        if (hashes.empty()) out.code_hash.reset();
    }
    if (to.max_runs) {
        if (scope.max_runs && *to.max_runs > *scope.max_runs) return NotNarrower{"max_runs"};
        out.max_runs = to.max_runs;
    }
    if (to.max_timeout) {
        if (*to.max_timeout > scope.max_timeout) return NotNarrower{"max_timeout"};
        out.max_timeout = *to.max_timeout;
    }
    if (to.expires_in) {
        if (*to.expires_in > scope.expires_in.value_or(kSessionLife))
            return NotNarrower{"expires_in"};
        out.expires_in = to.expires_in;
    }
    return out;
}

std::variant<Grant, NotNarrower> narrow(const Grant& grant, const Narrowing& to) {
    Grant out = grant;
    if (to.secrets) {
        out.secrets = as_set(*to.secrets);
        if (!includes_all(grant.secrets, out.secrets)) return NotNarrower{"secrets"};
    }
    if (to.networks) {
        out.networks = as_set(*to.networks);
        if (!all_covered(grant.networks, out.networks)) return NotNarrower{"networks"};
    }
    if (to.rules) {
        out.rules = as_set(*to.rules);
        if (!all_covered(grant.rules, out.rules)) return NotNarrower{"rules"};
    }
    if (to.max_timeout) {
        if (*to.max_timeout > grant.timeout) return NotNarrower{"max_timeout"};
        out.timeout = *to.max_timeout;
    }
    std::erase_if(out.secret_hosts,
                  [&out](const auto& bond) { return !contains(out.secrets, bond.first); });
    for (auto& [secret, hosts] : out.secret_hosts) hosts = intersection(hosts, out.networks);
    return out;
}

}  // namespace oauth3::policy
