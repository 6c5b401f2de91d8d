#include "policy/rule.h"

#include "base/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace oauth3::policy {
namespace {

using Names = std::vector<std::string>;

Names as_set(Names names) {
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

bool includes(const Names& all, const Names& some) {
    return std::includes(all.begin(), all.end(), some.begin(), some.end());
}

bool disjoint(const Names& a, const Names& b) {
    return std::none_of(a.begin(), a.end(), [&b](const std::string& name) {
        return std::binary_search(b.begin(), b.end(), name);
    });
}

PathPattern everywhere() {
    static const PathPattern kAll = std::get<PathPattern>(PathPattern::parse("/**"));
    return kAll;
}

[[noreturn]] void corrupt() {
    throw base::Error("corrupt", "a stored rule cannot be read");
}

Rule rule_from_json(const base::Json& json) {
    Rule out;
    if (const auto host = json.find("host"); host != json.end()) {
        auto read = base::parse_network(host->get<std::string>());
        if (!read.network) corrupt();
        out.host = std::move(*read.network);
    }
    const auto methods = json.find("methods");
    if (methods == json.end())
        out.methods = Methods::but(json.at("except").get<Names>());
    else if (auto names = methods->get<Names>(); names != Names{"*"})
        out.methods = Methods::only(std::move(names));
    for (const auto& text : json.at("paths").get<Names>()) {
        auto path = PathPattern::parse(text);
        if (!std::holds_alternative<PathPattern>(path)) corrupt();
        out.paths.push_back(std::get<PathPattern>(std::move(path)));
    }
    std::sort(out.paths.begin(), out.paths.end());
    return out;
}

}  // namespace

Methods Methods::only(Names names) {
    return {false, as_set(std::move(names))};
}

Methods Methods::but(Names names) {
    return {true, as_set(std::move(names))};
}

bool Methods::has(std::string_view method) const {
    return std::binary_search(names.begin(), names.end(), method) != all_but;
}

bool Methods::covers(const Methods& other) const {
    if (all_but) return other.all_but ? includes(other.names, names) : disjoint(other.names, names);
    return !other.all_but && includes(names, other.names);
}

bool is_method_name(std::string_view name) {
    const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    return !name.empty() && name.size() <= 32 && is_upper(name.front()) &&
           std::all_of(name.begin(), name.end(), [&](char c) { return is_upper(c) || c == '-'; });
}

bool Rule::matches(const Call& call) const {
    return (!host || host->covers({call.host, false, call.port})) && methods.has(call.method) &&
           std::any_of(paths.begin(), paths.end(),
                       [&call](const PathPattern& path) { return path.matches(call.path); });
}

Rule open_rule(const base::Network& host) {
    return {host, Methods::all(), {everywhere()}};
}

bool covered(const std::vector<Rule>& by, const Rule& rule) {
    // Path by path and method by method, since one rule may cover some of them and one the others.
    // What is said as "all but" is covered only by one that is said so, too.
    std::vector<Methods> methods;
    if (rule.methods.all_but)
        methods.push_back(rule.methods);
    else
        for (const std::string& name : rule.methods.names) methods.push_back(Methods::only({name}));
    const auto covers = [&](const Rule& wide, const Methods& some, const PathPattern& path) {
        return (!wide.host || (rule.host && wide.host->covers(*rule.host))) &&
               wide.methods.covers(some) &&
               std::any_of(wide.paths.begin(), wide.paths.end(),
                           [&path](const PathPattern& p) { return p.covers(path); });
    };
    return std::all_of(methods.begin(), methods.end(), [&](const Methods& some) {
        return std::all_of(rule.paths.begin(), rule.paths.end(), [&](const PathPattern& path) {
            return std::any_of(by.begin(), by.end(),
                               [&](const Rule& wide) { return covers(wide, some, path); });
        });
    });
}

base::Json to_json(const Rule& rule) {
    base::Json out = base::Json::object();
    if (rule.host) out["host"] = rule.host->text();
    if (rule.methods.is_all())
        out["methods"] = Names{"*"};
    else
        out[rule.methods.all_but ? "except" : "methods"] = rule.methods.names;
    Names paths;
    for (const PathPattern& path : rule.paths) paths.push_back(path.text());
    out["paths"] = std::move(paths);
    return out;
}

base::Json to_json(const std::vector<Rule>& rules) {
    base::Json out = base::Json::array();
    for (const Rule& rule : rules) out.push_back(to_json(rule));
    return out;
}

std::vector<Rule> rules_from_json(const base::Json& json) {
    std::vector<Rule> out;
    try {
        for (const base::Json& item : json) out.push_back(rule_from_json(item));
    } catch (const base::Json::exception&) {
        corrupt();
    }
    return out;
}

std::string text_of(const Rule& rule) {
    Names paths;
    for (const PathPattern& path : rule.paths) paths.push_back(path.text());
    std::string methods = "all methods";
    if (!rule.methods.is_all())
        methods = fmt::format("{}{}", rule.methods.all_but ? "all but " : "",
                              fmt::join(rule.methods.names, ", "));
    return fmt::format("{} {} {}", methods, rule.host ? rule.host->text() : "any host",
                       fmt::join(paths, ", "));
}

}  // namespace oauth3::policy
