#include "api/submission.h"

#include "api/body.h"
#include "api/refusal.h"
#include "base/utf8.h"
#include "policy/session.h"
#include "skill/args.h"
#include "skill/declaration.h"
#include "skill/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

namespace oauth3::api {
namespace {

constexpr std::size_t kMaxSkillId = 100;
constexpr std::size_t kMaxDescription = 2000;
constexpr std::size_t kMaxConstraints = 100;
constexpr std::size_t kMaxConstraintLength = 500;
constexpr std::size_t kMaxSessionId = 64;
constexpr base::Seconds kDefaultMaxTimeout{60};
constexpr base::Seconds kMinSeconds{60};

std::string shown(std::string_view text) {
    return base::make_visible(base::cut_utf8(text, 100), false);
}

bool is_session_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

std::optional<std::string> read_session_id(const Body& body) {
    auto id = body.text("session_id");
    if (id && (id->empty() || id->size() > kMaxSessionId ||
               !std::all_of(id->begin(), id->end(), is_session_character)))
        throw Refusal(400, "invalid_session_id",
                      "A session id has 1 to 64 letters, digits, dots, dashes and underscores.", {},
                      {{"field", "session_id"}});
    return id;
}

/// The code, and what its header declares.
skill::Declaration check_code(const Body& body, const std::string& code) {
    if (!skill::is_program(code))
        throw Refusal(400, "invalid_skill", "The code must be UTF-8 text without NUL characters.");
    if (const auto expected = body.text("skill_sha256")) {
        const std::string got = skill::code_hash(code);
        if (*expected != got)
            throw Refusal(409, "skill_hash_mismatch", "The code has another hash than expected.",
                          {}, {{"got", got}});
    }
    auto parsed = skill::parse(code);
    if (const auto* problem = std::get_if<skill::MetadataProblem>(&parsed))
        throw Refusal(400, "invalid_metadata",
                      fmt::format("Line {}, column {}: {}.", problem->line, problem->column,
                                  problem->message),
                      {}, {{"line", problem->line}, {"column", problem->column}});
    return std::get<skill::Declaration>(std::move(parsed));
}

void check_secret_names(const std::vector<std::string>& names) {
    if (names.size() > skill::kMaxListEntries)
        throw bad_field("secrets", "At most 32 secrets can be requested.");
    for (const std::string& name : names) {
        if (!skill::is_secret_name(name))
            throw bad_field("secrets",
                            fmt::format("\"{}\" is not a name for a secret.", shown(name)));
        if (skill::is_reserved_name(name))
            throw Refusal(400, "reserved_name", fmt::format("The name {} is reserved.", name), {},
                          {{"field", "secrets"}});
    }
}

template <typename T>
std::vector<T> without_repeats(const std::vector<T>& list) {
    std::vector<T> out;
    for (const T& item : list)
        if (std::find(out.begin(), out.end(), item) == out.end()) out.push_back(item);
    return out;
}

/// The names in `secrets`: a list, or an object whose values are discarded.
std::vector<std::string> read_requested_secrets(const Body& body) {
    std::vector<std::string> names;
    const base::Json* value = body.find("secrets");
    if (value != nullptr && value->is_object()) {
        for (const auto& [name, unused] : value->items()) names.push_back(name);
    } else {
        names = body.texts("secrets");
    }
    names = without_repeats(names);
    check_secret_names(names);
    return names;
}

std::vector<base::Network> read_networks(const Body& body, const char* name) {
    std::vector<base::Network> out;
    for (const std::string& text : without_repeats(body.texts(name))) {
        base::NetworkResult result = base::parse_network(text);
        if (!result.network)
            throw bad_field(name, fmt::format("\"{}\": {}.", shown(text), result.problem));
        out.push_back(std::move(*result.network));
    }
    if (out.size() > skill::kMaxListEntries)
        throw bad_field(name, "At most 32 networks can be requested.");
    return out;
}

std::string read_skill_id(const Body& body, const skill::Declaration& declaration) {
    const auto given = body.text("skill_id");
    if (!given || given->empty()) {
        if (declaration.skill) return *declaration.skill;
        throw Refusal(400, "missing_skill_id", "The skill has no name.",
                      "Send skill_id, or begin the code with \"// @skill NAME\".");
    }
    if (base::utf8_length(*given) > kMaxSkillId || base::make_visible(*given, false) != *given)
        throw bad_field("skill_id", "\"skill_id\" takes 1 to 100 printable characters.");
    return *given;
}

/// The text of one member of `constraints`; structured ones are typed argument constraints.
policy::Constraint read_constraint(const base::Json& item) {
    std::string text;
    if (item.is_string()) {
        text = item.get<std::string>();
    } else if (item.is_object() && item.value("type", base::Json()) == "natural_language" &&
               item.contains("rule") && item["rule"].is_string()) {
        text = item["rule"].get<std::string>();
    } else if (item.is_object()) {
        throw bad_field("constraints", "Typed constraints are not available on this server.");
    } else {
        throw bad_field("constraints", "\"constraints\" must be a list of texts.");
    }
    if (text.empty() || base::utf8_length(text) > kMaxConstraintLength)
        throw bad_field("constraints", "A constraint takes 1 to 500 characters.");
    return policy::compile_constraint(std::move(text));
}

std::vector<policy::Constraint> read_constraints(const Body& body) {
    std::vector<policy::Constraint> out;
    const base::Json* value = body.find("constraints");
    if (value != nullptr && value->is_array()) {
        for (const base::Json& item : *value) out.push_back(read_constraint(item));
    } else if (value != nullptr) {
        out.push_back(read_constraint(*value));
    }
    if (body.boolean("allowMutating") == false)
        out.push_back(policy::compile_constraint("read only"));
    if (out.size() > kMaxConstraints)
        throw bad_field("constraints", "At most 100 constraints can be given.");
    return out;
}

std::optional<base::Seconds> read_seconds(const Body& body, const char* name, base::Seconds most) {
    const auto value = body.whole(name, kMinSeconds.count());
    if (!value) return std::nullopt;
    return std::min(base::Seconds(*value), most);
}

/// What the code needs and the scope would not give it.
void warn_of_needs(const skill::Declaration& declaration, const policy::Scope& scope,
                   std::vector<std::string>& warnings) {
    for (const std::string& name : declaration.secrets)
        if (std::find(scope.secrets.begin(), scope.secrets.end(), name) == scope.secrets.end())
            warnings.push_back(fmt::format("the code asks for {}, the scope does not", name));
    for (const base::Network& network : declaration.networks)
        if (std::none_of(scope.networks.begin(), scope.networks.end(),
                         [&](const base::Network& n) { return n.covers(network); }))
            warnings.push_back(
                fmt::format("the code asks for {}, the scope does not", network.text()));
    if (declaration.timeout > scope.max_timeout)
        warnings.push_back(fmt::format("the code asks for {} s, the scope for {} s",
                                       declaration.timeout.count(), scope.max_timeout.count()));
}

void warn_of_unknown(const Body& body, std::vector<std::string>& warnings) {
    static const std::set<std::string> kKnown{
        "description",     "constraints",   "secrets",    "networks",   "allowedSecrets",
        "allowedNetworks", "allowMutating", "session_id", "skill_code", "skill_sha256",
        "expires_in",      "max_timeout",   "rules",      "args",       "max_runs",
        "budgets",         "pin_args"};
    const auto named = body.unknown(kKnown);
    for (const std::string& name : named)
        warnings.push_back(fmt::format("the member {} is not known and was ignored", name));
    if (const std::size_t more = body.count_unknown(kKnown) - named.size(); more > 0)
        warnings.push_back(fmt::format("and {} more", more));
}

/// Told at once, to the agent and to the approver: such a run can only fail here.
void warn_of_missing_parts(bool secrets, bool networks, std::vector<std::string>& warnings) {
    if (secrets || networks)
        warnings.push_back("this server cannot give a run secrets or network access yet");
}

}  // namespace

orchestrator::ExecuteSubmission read_execute(const Body& body) {
    const auto code = body.text("skill_code");
    if (!code && body.has("skill_url"))
        throw Refusal(400, "skill_url_refused", "This server does not fetch code.",
                      "Send the code itself as skill_code.");
    if (!code || code->empty())
        throw Refusal(400, "missing_skill_code", "The request holds no code.",
                      "Send the program as skill_code.");

    orchestrator::ExecuteSubmission out;
    out.declaration = check_code(body, *code);
    out.code = *code;
    out.skill_id = read_skill_id(body, out.declaration);
    out.secrets = read_requested_secrets(body);
    if (out.secrets.empty()) out.secrets = out.declaration.secrets;
    warn_of_missing_parts(!out.secrets.empty(), !out.declaration.networks.empty(),
                          out.declaration.warnings);
    out.session_id = read_session_id(body);
    if (const base::Json* args = body.find("args")) {
        if (!args->is_object()) throw bad_field("args", "\"args\" must be an object.");
        out.args = *args;
    }
    const auto environment = skill::environment_of(out.args, out.secrets);
    if (const auto* problem = std::get_if<skill::ArgsProblem>(&environment))
        throw Refusal(400, problem->code, problem->message);
    return out;
}

orchestrator::ScopeSubmission read_scope(const Body& body) {
    body.refuse({"rules", "args", "budgets", "pin_args"});

    orchestrator::ScopeSubmission out;
    policy::Scope& scope = out.scope;
    scope.description = body.text("description").value_or("");
    if (scope.description.empty())
        throw Refusal(400, "missing_description", "A scope needs a description.");
    if (base::utf8_length(scope.description) > kMaxDescription)
        throw bad_field("description", "\"description\" takes at most 2000 characters.");
    scope.constraints = read_constraints(body);
    scope.secrets = without_repeats(body.texts(body.has("secrets") ? "secrets" : "allowedSecrets"));
    check_secret_names(scope.secrets);
    scope.networks = read_networks(body, body.has("networks") ? "networks" : "allowedNetworks");
    scope.expires_in = read_seconds(body, "expires_in", policy::kSessionLife);
    scope.max_runs = body.whole("max_runs", 1);
    out.session_id = read_session_id(body);

    base::Seconds default_timeout = kDefaultMaxTimeout;
    if (auto code = body.text("skill_code")) {
        out.declaration = check_code(body, *code);
        out.code = std::move(code);
        default_timeout = std::max(default_timeout, out.declaration->timeout);
        out.warnings = out.declaration->warnings;
    }
    scope.max_timeout =
        read_seconds(body, "max_timeout", skill::kMaxTimeout).value_or(default_timeout);
    if (out.declaration) warn_of_needs(*out.declaration, scope, out.warnings);
    warn_of_missing_parts(!scope.secrets.empty(), !scope.networks.empty(), out.warnings);
    warn_of_unknown(body, out.warnings);
    return out;
}

}  // namespace oauth3::api
