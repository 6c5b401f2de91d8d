#include "api/submission.h"

#include "api/body.h"
#include "api/refusal.h"
#include "base/utf8.h"
#include "policy/reading.h"
#include "skill/args.h"
#include "skill/declaration.h"
#include "skill/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace oauth3::api {
namespace {

constexpr std::size_t kMaxSkillId = 100;
constexpr std::size_t kMaxSessionId = 64;

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

/// The names in `secrets`: a list, or an object whose values are discarded.
std::vector<std::string> read_requested_secrets(const Body& body) {
    base::Json names = base::Json::object();
    if (const base::Json* value = body.find("secrets"); value == nullptr || !value->is_object()) {
        names["secrets"] = value == nullptr ? base::Json() : *value;
    } else {
        names["secrets"] = base::Json::array();
        for (const auto& [name, unused] : value->items()) names["secrets"].push_back(name);
    }
    auto out = policy::read_secrets(base::Members(std::move(names)), "secrets");
    if (out.size() > skill::kMaxListEntries)
        throw bad_field("secrets", "At most 32 secrets can be requested.");
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
    orchestrator::ScopeSubmission out;
    if (auto code = body.text("skill_code")) {
        out.declaration = check_code(body, *code);
        out.code = std::move(code);
        out.warnings = out.declaration->warnings;
    }
    out.session_id = read_session_id(body);
    out.scope =
        policy::read_scope(body, out.declaration ? &*out.declaration : nullptr, out.warnings);
    warn_of_missing_parts(!out.scope.secrets.empty(), !out.scope.networks.empty(), out.warnings);
    return out;
}

}  // namespace oauth3::api
