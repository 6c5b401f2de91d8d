#include "policy/session.h"

#include <fmt/format.h>

#include <algorithm>

namespace oauth3::policy {
namespace {

/// Adds what is missing; the result is sorted and without repeats.
template <typename T>
void unite(std::vector<T>& into, const std::vector<T>& more) {
    into.insert(into.end(), more.begin(), more.end());
    std::sort(into.begin(), into.end());
    into.erase(std::unique(into.begin(), into.end()), into.end());
}

template <typename T>
bool contains(const std::vector<T>& list, const T& item) {
    return std::find(list.begin(), list.end(), item) != list.end();
}

/// What a scope and the approval of a single run have in common when a session grows by them.
struct Addition {
    const std::vector<std::string>& secrets;
    const std::vector<base::Network>& networks;
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
    unite(policy.code_hashes, by.code_hashes);
    policy.max_timeout = std::max(policy.max_timeout, by.timeout);
    for (const std::string& secret : by.secrets)
        unite(policy.secret_hosts[secret], texts_of(by.networks));
    return out;
}

}  // namespace

Constraint compile_constraint(std::string text) {
    return {std::move(text), ConstraintClass::advisory, {}};
}

base::Time session_end(const Session& session) {
    return std::min(session.expires_at, base::Time(session.last_activity + kSessionIdle));
}

bool is_live(const Session& session, base::Time now) {
    return !session.ended && now < session_end(session);
}

Session approve_scope(const std::optional<Session>& session, const Scope& scope, base::Time now) {
    std::vector<std::string> hashes;
    if (scope.code_hash) hashes.push_back(*scope.code_hash);
    Session out = grow(session, {scope.secrets, scope.networks, hashes, scope.max_timeout}, now);
    out.policy.description = scope.description;
    out.policy.constraints.insert(out.policy.constraints.end(), scope.constraints.begin(),
                                  scope.constraints.end());
    if (scope.max_runs) out.policy.max_runs = scope.max_runs;
    if (scope.expires_in) out.expires_at = now + std::min(*scope.expires_in, kSessionLife);
    return out;
}

Session approve_run(const std::optional<Session>& session, const Ask& ask, base::Time now) {
    return grow(session, {ask.secrets, ask.networks, {ask.code_hash}, ask.timeout}, now);
}

bool covered(const std::vector<base::Network>& by, const base::Network& network) {
    return std::any_of(by.begin(), by.end(), [&](const auto& n) { return n.covers(network); });
}

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
    const std::int64_t others = session.runs_used - (counted == Counted::yes ? 1 : 0);
    if (policy.max_runs && others >= *policy.max_runs)
        out.push_back(fmt::format("no runs left ({}/{})", session.runs_used, *policy.max_runs));
    if (!contains(policy.code_hashes, ask.code_hash))
        out.push_back("code not approved in this session");
    if (!out.empty()) return out;
    return grant_of(ask);
}

Grant grant_of(const Ask& ask) {
    Grant out{ask.code_hash, ask.args, {}, {}, ask.timeout};
    unite(out.secrets, ask.secrets);
    unite(out.networks, ask.networks);
    return out;
}

}  // namespace oauth3::policy
