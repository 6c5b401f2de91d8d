#include "policy/grant.h"

#include "base/crypto.h"
#include "base/error.h"
#include "policy/sets.h"

#include <algorithm>

namespace oauth3::policy {
namespace {

using Texts = std::vector<std::string>;

base::Json to_json(const std::vector<Limit>& limits) {
    base::Json out = base::Json::array();
    for (const Limit& limit : limits) out.push_back(policy::to_json(limit));
    return out;
}

}  // namespace

base::Json to_json(const SecretHosts& hosts) {
    base::Json out = base::Json::object();
    for (const auto& [secret, networks] : hosts) {
        Texts texts = texts_of(networks);
        std::sort(texts.begin(), texts.end());
        out[secret] = std::move(texts);
    }
    return out;
}

SecretHosts secret_hosts_from_json(const base::Json& json) {
    SecretHosts out;
    for (const auto& [secret, texts] : json.items()) {
        auto& hosts = out[secret];
        hosts = networks_from(texts.get<Texts>());
        make_set(hosts);
    }
    return out;
}

Gate gate(const Grant& grant, const Call& call) {
    const base::Network to{call.host, false, call.port};
    if (!covered(grant.networks, to)) return Gate::deny_host;
    const bool limited = std::any_of(grant.limits.begin(), grant.limits.end(),
                                     [&call](const Limit& limit) { return !limit.allows(call); });
    const bool ruled = std::any_of(grant.rules.begin(), grant.rules.end(),
                                   [&call](const Rule& rule) { return rule.matches(call); });
    return ruled && !limited ? Gate::allow : Gate::deny_rule;
}

Grant grant_of(const Ask& ask) {
    Grant out;
    out.code_hash = ask.code_hash;
    out.args = ask.args;
    unite(out.secrets, ask.secrets);
    unite(out.networks, ask.networks);
    for (const base::Network& network : out.networks) out.rules.push_back(open_rule(network));
    for (const std::string& secret : out.secrets) out.secret_hosts[secret] = out.networks;
    out.timeout = ask.timeout;
    return out;
}

base::Json to_json(const Grant& grant) {
    return {{"code_hash", grant.code_hash},
            // As text, which is what the program gets: as numbers, 1 and 1.0, or two integers
            // beyond 2^53, would have the same RFC 8785 form and so the same digest.
            {"args", base::dump_json(grant.args)},
            {"secrets", grant.secrets},
            {"networks", texts_of(grant.networks)},
            {"secret_hosts", to_json(grant.secret_hosts)},
            {"rules", to_json(grant.rules)},
            {"limits", to_json(grant.limits)},
            {"timeout", grant.timeout.count()}};
}

Grant grant_from_json(const base::Json& json) {
    Grant out;
    try {
        out.code_hash = json.at("code_hash").get<std::string>();
        out.args = base::parse_json(json.at("args").get<std::string>());
        out.secrets = json.at("secrets").get<Texts>();
        out.networks = networks_from(json.at("networks").get<Texts>());
        out.secret_hosts = secret_hosts_from_json(json.at("secret_hosts"));
        out.rules = rules_from_json(json.at("rules"));
        for (const base::Json& limit : json.at("limits"))
            out.limits.push_back(limit_from_json(limit));
        out.timeout = base::Seconds(json.at("timeout").get<std::int64_t>());
    } catch (const base::Json::exception&) {
        throw base::Error("corrupt", "a stored grant cannot be read");
    }
    return out;
}

std::string digest(const Grant& grant) {
    return base::sha256_hex(base::canonical_json(to_json(grant)));
}

Texts differences(const Grant& a, const Grant& b) {
    const base::Json left = to_json(a);
    const base::Json right = to_json(b);
    Texts out;
    for (const auto& [name, value] : left.items())
        if (value != right.at(name)) out.push_back(name);
    return out;
}

bool within(const Grant& narrow, const Grant& wide) {
    const auto bound = [&wide](const auto& own) {
        const auto theirs = wide.secret_hosts.find(own.first);
        if (theirs == wide.secret_hosts.end()) return false;
        return std::all_of(own.second.begin(), own.second.end(), [&](const base::Network& host) {
            return covered(theirs->second, host);
        });
    };
    return narrow.code_hash == wide.code_hash && narrow.args == wide.args &&
           narrow.timeout <= wide.timeout && includes_all(wide.secrets, narrow.secrets) &&
           std::all_of(narrow.networks.begin(), narrow.networks.end(),
                       [&](const base::Network& n) { return covered(wide.networks, n); }) &&
           std::all_of(narrow.rules.begin(), narrow.rules.end(),
                       [&](const Rule& rule) { return covered(wide.rules, rule); }) &&
           std::all_of(narrow.secret_hosts.begin(), narrow.secret_hosts.end(), bound) &&
           includes_all(narrow.limits, wide.limits);
}

}  // namespace oauth3::policy
