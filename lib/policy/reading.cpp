#include "policy/reading.h"

#include "base/crypto.h"
#include "base/utf8.h"
#include "skill/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace oauth3::policy {
namespace {

using base::Json;
using base::Malformed;
using base::Members;
using base::shown;

constexpr std::size_t kMaxDescription = 2000;
constexpr std::size_t kMaxConstraints = 100;
constexpr std::size_t kMaxConstraintLength = 500;
constexpr std::size_t kMaxRules = 100;
constexpr std::size_t kMaxPaths = 100;
constexpr std::size_t kMaxArgs = 100;
constexpr std::size_t kMaxNarrowed = 1000;
constexpr base::Seconds kDefaultMaxTimeout{60};
constexpr base::Seconds kMinSeconds{60};

Rule read_rule(const Json& item, std::size_t index, const std::string& name) {
    const auto problem = [&](const std::string& message) {
        return Malformed("bad_request", name, fmt::format("Rule {}: {}.", index + 1, message),
                         index);
    };
    if (!item.is_object()) throw problem("it must be an object");
    const Members members(item);
    if (const auto unknown = members.unknown({"host", "methods", "paths"}); !unknown.empty())
        throw problem(fmt::format("\"{}\" is no part of a rule", unknown.front()));
    Rule out;
    const auto host = members.text("host");
    if (!host) throw problem("it has no host");
    auto network = base::parse_network(*host);
    if (!network.network) throw problem(fmt::format("\"{}\": {}", shown(*host), network.problem));
    out.host = std::move(*network.network);
    if (members.has("methods")) {
        auto methods = members.texts("methods");
        const bool all = methods == std::vector<std::string>{"*"};
        for (const std::string& method : methods)
            if (!all && !is_method_name(method))
                throw problem(fmt::format("\"{}\" is no method in capital letters", shown(method)));
        if (!all) out.methods = Methods::only(std::move(methods));
    }
    if (!members.has("paths")) {
        out.paths = open_rule(*out.host).paths;
        return out;
    }
    for (const std::string& text : members.texts("paths")) {
        auto path = PathPattern::parse(text);
        if (const auto* why = std::get_if<std::string>(&path))
            throw problem(fmt::format("\"{}\": {}", shown(text), *why));
        out.paths.push_back(std::get<PathPattern>(std::move(path)));
    }
    if (out.paths.size() > kMaxPaths) throw problem("it has more than 100 paths");
    make_set(out.paths);
    return out;
}

TypedArg read_arg(const Json& item, std::size_t index, const std::string& name) {
    auto arg = TypedArg::parse(item);
    if (const auto* problem = std::get_if<std::string>(&arg))
        throw Malformed("invalid_constraint", name,
                        fmt::format("Constraint {}: {}.", index + 1, *problem), index);
    return std::get<TypedArg>(std::move(arg));
}

/// One member of `constraints`: a text, or one of the forms that older clients send.
void read_constraint(const Json& item, std::size_t index, Scope& scope) {
    std::string text;
    if (item.is_string()) {
        text = item.get<std::string>();
    } else if (item.is_object() && item.value("type", Json()) == "natural_language") {
        const Members members(item);
        if (!members.unknown({"type", "rule"}).empty() || !members.has("rule"))
            throw Malformed(
                "invalid_constraint", "constraints",
                fmt::format("Constraint {}: it takes a \"rule\", and no more.", index + 1), index);
        text = *members.text("rule");
    } else if (item.is_object()) {
        scope.args.push_back(read_arg(item, index, "constraints"));
        return;
    } else {
        throw Malformed("constraints", "\"constraints\" must be a list of texts.");
    }
    if (text.empty() || base::utf8_length(text) > kMaxConstraintLength)
        throw Malformed("constraints", "A constraint takes 1 to 500 characters.");
    scope.constraints.push_back(compile_constraint(std::move(text)));
}

void read_constraints(const Members& members, Scope& scope) {
    const auto items = members.items("constraints");
    if (items.size() > kMaxConstraints)
        throw Malformed("constraints", "At most 100 constraints can be given.");
    for (std::size_t i = 0; i < items.size(); ++i) read_constraint(items[i], i, scope);
    if (members.boolean("allowMutating") == false)
        scope.constraints.push_back(compile_constraint("read only"));
}

Budgets read_budgets(const Members& members) {
    Budgets out;
    const Json* value = members.find("budgets");
    if (value == nullptr) return out;
    if (!value->is_object()) throw Malformed("budgets", "\"budgets\" must be an object.");
    const Members budgets(*value);
    // One that was ignored would look as if it were kept.
    if (const auto unknown = budgets.unknown({"requests", "bytes", "secret_uses"});
        !unknown.empty())
        throw Malformed("budgets", fmt::format("\"{}\" is no budget.", unknown.front()));
    out.requests = budgets.whole("requests", 0);
    out.bytes = budgets.whole("bytes", 0);
    if (const Json* uses = budgets.find("secret_uses")) {
        if (!uses->is_object())
            throw Malformed("budgets", "\"secret_uses\" must be an object of numbers.");
        const Members counts(*uses);
        for (const auto& [name, unused] : uses->items()) {
            if (!skill::is_secret_name(name))
                throw Malformed("budgets",
                                fmt::format("\"{}\" is not a name for a secret.", shown(name)));
            if (const auto most = counts.whole(name, 0)) out.secret_uses[name] = *most;
        }
    }
    return out;
}

std::optional<base::Seconds> read_seconds(const Members& members, const char* name,
                                          base::Seconds most) {
    const auto value = members.whole(name, kMinSeconds.count());
    if (!value) return std::nullopt;
    return std::min(base::Seconds(*value), most);
}

/// What the code needs and the scope would not give it.
void warn_of_needs(const skill::Declaration& declared, const Scope& scope,
                   std::vector<std::string>& warnings) {
    for (const std::string& name : declared.secrets)
        if (!contains(scope.secrets, name))
            warnings.push_back(fmt::format("the code asks for {}, the scope does not", name));
    for (const base::Network& network : declared.networks)
        if (!covered(scope.networks, network))
            warnings.push_back(
                fmt::format("the code asks for {}, the scope does not", network.text()));
    if (declared.timeout > scope.max_timeout)
        warnings.push_back(fmt::format("the code asks for {} s, the scope for {} s",
                                       declared.timeout.count(), scope.max_timeout.count()));
}

/// What says something about hosts or secrets that the scope does not ask for.
void warn_of_loose_ends(const Scope& scope, std::vector<std::string>& warnings) {
    for (const Rule& rule : scope.rules)
        if (intersection({*rule.host}, scope.networks).empty())
            warnings.push_back(
                fmt::format("there is a rule for {}, which is none of the scope's networks",
                            rule.host->text()));
    for (const auto& [secret, uses] : scope.budgets.secret_uses)
        if (!contains(scope.secrets, secret))
            warnings.push_back(fmt::format(
                "there is a budget for {}, which is none of the scope's secrets", secret));
}

void warn_of_unknown(const Members& members, std::vector<std::string>& warnings) {
    static const std::set<std::string> kKnown{
        "description",     "constraints",   "secrets",    "networks",   "allowedSecrets",
        "allowedNetworks", "allowMutating", "session_id", "skill_code", "skill_sha256",
        "expires_in",      "max_timeout",   "rules",      "args",       "max_runs",
        "budgets"};
    const auto named = members.unknown(kKnown);
    for (const std::string& name : named)
        warnings.push_back(fmt::format("the member {} is not known and was ignored", name));
    if (const std::size_t more = members.count_unknown(kKnown) - named.size(); more > 0)
        warnings.push_back(fmt::format("and {} more", more));
}

template <typename T>
void refuse_more_than(const std::vector<T>& list, std::size_t most, const std::string& name) {
    if (list.size() > most)
        throw Malformed(name, fmt::format("\"{}\" takes at most {} entries.", name, most));
}

template <typename T>
std::vector<T> without_repeats(const std::vector<T>& list) {
    std::vector<T> out;
    for (const T& item : list)
        if (!contains(out, item)) out.push_back(item);
    return out;
}

}  // namespace

std::vector<std::string> read_secrets(const Members& members, const std::string& name) {
    auto names = without_repeats(members.texts(name));
    for (const std::string& secret : names) {
        if (!skill::is_secret_name(secret))
            throw Malformed(name, fmt::format("\"{}\" is not a name for a secret.", shown(secret)));
        if (skill::is_reserved_name(secret))
            throw Malformed("reserved_name", name, fmt::format("The name {} is reserved.", secret));
    }
    return names;
}

std::vector<base::Network> read_networks(const Members& members, const std::string& name) {
    std::vector<base::Network> out;
    for (const std::string& text : without_repeats(members.texts(name))) {
        base::NetworkResult result = base::parse_network(text);
        if (!result.network)
            throw Malformed(name, fmt::format("\"{}\": {}.", shown(text), result.problem));
        out.push_back(std::move(*result.network));
    }
    return out;
}

std::vector<Rule> read_rules(const Members& members, const std::string& name) {
    const auto items = members.items(name);
    refuse_more_than(items, kMaxRules, name);
    std::vector<Rule> out;
    for (std::size_t i = 0; i < items.size(); ++i) out.push_back(read_rule(items[i], i, name));
    make_set(out);
    return out;
}

std::vector<TypedArg> read_args(const Members& members, const std::string& name) {
    const auto items = members.items(name);
    refuse_more_than(items, kMaxArgs, name);
    std::vector<TypedArg> out;
    for (std::size_t i = 0; i < items.size(); ++i) out.push_back(read_arg(items[i], i, name));
    return out;
}

Scope read_scope(const Members& members, const skill::Declaration* declared,
                 std::vector<std::string>& warnings) {
    Scope out;
    out.description = members.text("description").value_or("");
    if (out.description.empty())
        throw Malformed("missing_description", "description", "A scope needs a description.");
    if (base::utf8_length(out.description) > kMaxDescription)
        throw Malformed("description", "\"description\" takes at most 2000 characters.");
    read_constraints(members, out);
    const char* secrets = members.has("secrets") ? "secrets" : "allowedSecrets";
    out.secrets = read_secrets(members, secrets);
    refuse_more_than(out.secrets, skill::kMaxListEntries, secrets);
    const char* networks = members.has("networks") ? "networks" : "allowedNetworks";
    out.networks = read_networks(members, networks);
    refuse_more_than(out.networks, skill::kMaxListEntries, networks);
    out.rules = read_rules(members, "rules");
    const auto args = read_args(members, "args");
    out.args.insert(out.args.end(), args.begin(), args.end());
    out.expires_in = read_seconds(members, "expires_in", kSessionLife);
    out.max_runs = members.whole("max_runs", 1);
    out.budgets = read_budgets(members);
    const base::Seconds least = declared != nullptr ? declared->timeout : kDefaultMaxTimeout;
    out.max_timeout = read_seconds(members, "max_timeout", skill::kMaxTimeout)
                          .value_or(std::max(kDefaultMaxTimeout, least));
    if (declared != nullptr) warn_of_needs(*declared, out, warnings);
    warn_of_loose_ends(out, warnings);
    warn_of_unknown(members, warnings);
    return out;
}

Narrowing read_narrowing(const Members& members) {
    const auto unknown =
        members.unknown({"secrets", "networks", "code_hashes", "max_runs", "max_timeout",
                         "expires_in", "any_code", "rules", "args", "tenant", "csrf"});
    if (!unknown.empty())
        throw Malformed(unknown.front(),
                        fmt::format("\"{}\" is no part of a session.", unknown.front()));
    Narrowing out;
    if (const auto any_code = members.boolean("any_code")) {
        if (*any_code)
            throw Malformed("not_narrower", "any_code",
                            "\"any_code\" can only be taken away from a session.");
        out.known_code_only = true;
    }
    if (members.has("secrets")) out.secrets = read_secrets(members, "secrets");
    if (members.has("networks")) out.networks = read_networks(members, "networks");
    if (members.has("rules")) out.rules = read_rules(members, "rules");
    if (members.has("args")) out.args = read_args(members, "args");
    if (members.has("code_hashes")) {
        out.code_hashes = members.texts("code_hashes");
        for (const std::string& hash : *out.code_hashes)
            if (!base::is_lower_hex(hash, 64))
                throw Malformed("code_hashes", "A code hash has 64 lower-case hexadecimal digits.");
        refuse_more_than(*out.code_hashes, kMaxNarrowed, "code_hashes");
    }
    out.max_runs = members.whole("max_runs", 1);
    if (const auto seconds = members.whole("max_timeout", 1))
        out.max_timeout = base::Seconds(*seconds);
    if (const auto seconds = members.whole("expires_in", 1))
        out.expires_in = base::Seconds(*seconds);
    return out;
}

}  // namespace oauth3::policy
