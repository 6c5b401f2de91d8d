#include "policy/limit.h"

#include "base/error.h"

#include <fmt/format.h>

#include <algorithm>

namespace oauth3::policy {
namespace {

using Names = std::vector<std::string>;

bool is_open(const Rule& rule) {
    return rule.paths == open_rule({}).paths;
}

std::string describe_methods(const Methods& methods) {
    if (!methods.all_but) return fmt::format("methods {}", fmt::join(methods.names, ", "));
    return fmt::format("no method {}", fmt::join(methods.names, ", "));
}

std::string describe_calls(const std::vector<Rule>& rules) {
    if (rules.empty()) return "no networks";
    if (rules.size() == 1 && !rules[0].host && is_open(rules[0]))
        return describe_methods(rules[0].methods);
    Names texts;
    const bool whole_hosts = std::all_of(rules.begin(), rules.end(), [](const Rule& rule) {
        return rule.host && rule.methods.is_all() && is_open(rule);
    });
    for (const Rule& rule : rules) texts.push_back(whole_hosts ? rule.host->text() : text_of(rule));
    return whole_hosts ? fmt::format("networks {}", fmt::join(texts, ", "))
                       : fmt::format("only {}", fmt::join(texts, "; "));
}

std::string describe_span(base::Seconds span) {
    const auto seconds = span.count();
    if (seconds % 3600 == 0) return fmt::format("{} h", seconds / 3600);
    if (seconds % 60 == 0) return fmt::format("{} min", seconds / 60);
    return fmt::format("{} s", seconds);
}

template <typename T>
void read(const base::Json& json, const char* name, std::optional<T>& into) {
    if (const auto it = json.find(name); it != json.end()) into = it->get<T>();
}

void read(const base::Json& json, const char* name, std::optional<base::Seconds>& into) {
    if (const auto it = json.find(name); it != json.end())
        into = base::Seconds(it->get<std::int64_t>());
}

}  // namespace

bool Limit::allows(const Call& call) const {
    if (tls_only && !call.tls) return false;
    return !calls || std::any_of(calls->begin(), calls->end(),
                                 [&call](const Rule& rule) { return rule.matches(call); });
}

std::optional<std::vector<base::Network>> Limit::networks() const {
    if (!calls) return std::nullopt;
    std::vector<base::Network> out;
    for (const Rule& rule : *calls) {
        if (!rule.host) return std::nullopt;
        out.push_back(*rule.host);
    }
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

std::string describe(const Limit& limit) {
    Names parts;
    if (limit.calls) parts.push_back(describe_calls(*limit.calls));
    if (limit.tls_only) parts.push_back("only over TLS");
    if (limit.secrets)
        parts.push_back(limit.secrets->empty()
                            ? "no secrets"
                            : fmt::format("secrets {}", fmt::join(*limit.secrets, ", ")));
    if (limit.max_runs)
        parts.push_back(
            fmt::format("at most {} run{}", *limit.max_runs, *limit.max_runs == 1 ? "" : "s"));
    if (limit.max_requests)
        parts.push_back(fmt::format("at most {} request{}", *limit.max_requests,
                                    *limit.max_requests == 1 ? "" : "s"));
    if (limit.life) parts.push_back("ends after " + describe_span(*limit.life));
    if (limit.timeout) parts.push_back(describe_span(*limit.timeout) + " a run");
    return fmt::format("{}", fmt::join(parts, "; "));
}

base::Json to_json(const Limit& limit) {
    base::Json out = base::Json::object();
    if (limit.calls) out["calls"] = to_json(*limit.calls);
    if (limit.tls_only) out["tls_only"] = true;
    if (limit.secrets) out["secrets"] = *limit.secrets;
    if (limit.max_runs) out["max_runs"] = *limit.max_runs;
    if (limit.max_requests) out["max_requests"] = *limit.max_requests;
    if (limit.life) out["life"] = limit.life->count();
    if (limit.timeout) out["timeout"] = limit.timeout->count();
    return out;
}

Limit limit_from_json(const base::Json& json) {
    Limit out;
    try {
        if (const auto calls = json.find("calls"); calls != json.end())
            out.calls = rules_from_json(*calls);
        out.tls_only = json.value("tls_only", false);
        read(json, "secrets", out.secrets);
        read(json, "max_runs", out.max_runs);
        read(json, "max_requests", out.max_requests);
        read(json, "life", out.life);
        read(json, "timeout", out.timeout);
    } catch (const base::Json::exception&) {
        throw base::Error("corrupt", "a stored limit cannot be read");
    }
    return out;
}

}  // namespace oauth3::policy
