#include "policy/narrow.h"

#include <algorithm>

namespace oauth3::policy {
namespace {

using Networks = std::vector<base::Network>;

template <typename T>
std::vector<T> as_set(std::vector<T> list) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
    return list;
}

/// Both must be sets.
template <typename T>
bool includes(const std::vector<T>& all, const std::vector<T>& some) {
    return std::includes(all.begin(), all.end(), some.begin(), some.end());
}

/// What of `hosts` is left within `allowed`: a host that is allowed as it is, else what is allowed
/// of it.
Networks within(const Networks& hosts, const Networks& allowed) {
    Networks out;
    for (const base::Network& host : hosts) {
        if (covered(allowed, host)) {
            out.push_back(host);
            continue;
        }
        for (const base::Network& network : allowed)
            if (host.covers(network)) out.push_back(network);
    }
    return as_set(std::move(out));
}

/// Keeps the bond of the secrets that are left, to what is left of their hosts.
void cut_secret_hosts(SessionPolicy& policy) {
    for (auto it = policy.secret_hosts.begin(); it != policy.secret_hosts.end();) {
        if (!std::binary_search(policy.secrets.begin(), policy.secrets.end(), it->first)) {
            it = policy.secret_hosts.erase(it);
            continue;
        }
        it->second = texts_of(within(networks_from(it->second), policy.networks));
        std::sort(it->second.begin(), it->second.end());
        ++it;
    }
}

}  // namespace

std::variant<Session, NotNarrower> narrow(const Session& session, const Narrowing& to,
                                          base::Time now) {
    Session out = session;
    SessionPolicy& policy = out.policy;
    if (to.secrets) {
        auto secrets = as_set(*to.secrets);
        if (!includes(policy.secrets, secrets)) return NotNarrower{"secrets"};
        policy.secrets = std::move(secrets);
    }
    if (to.networks) {
        auto networks = as_set(*to.networks);
        for (const base::Network& network : networks)
            if (!covered(policy.networks, network)) return NotNarrower{"networks"};
        policy.networks = std::move(networks);
    }
    if (to.code_hashes) {
        auto hashes = as_set(*to.code_hashes);
        if (!includes(policy.code_hashes, hashes)) return NotNarrower{"code_hashes"};
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
    cut_secret_hosts(policy);
    return out;
}

}  // namespace oauth3::policy
