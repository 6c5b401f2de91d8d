#include "base/json.h"
#include "cli/commands/commands.h"
#include "cli/offline.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/render_policy.h"
#include "cli/skill_input.h"
#include "policy/phrase_forms.h"

#include <fmt/format.h>

// What a scope comes to, without a server: explained, and held against a program.

namespace oauth3::cli {
namespace {

using base::Json;

Json phrases_json() {
    Json rows = Json::array();
    for (const policy::PhraseRow& row : policy::phrase_table()) {
        Json item{{"forms", policy::forms_of(row)},
                  {"compiles", row.compiles},
                  {"class", policy::to_string(row.kind)}};
        if (!row.remark.empty()) item["remark"] = row.remark;
        rows.push_back(std::move(item));
    }
    return {{"phrases", std::move(rows)}};
}

ExitCode run_explain(const Arguments& arguments, Context& context) {
    const bool has_file = !arguments.positional().empty();
    if (has_file && arguments.has("--table"))
        throw UsageError("FILE and --table cannot be given together.");
    if (!has_file) return print_either(phrases_json(), &render_phrases, context);
    const Json body = base::parse_json(read_positional_object(arguments));
    try {
        return print_either(explain_json(read_offline_scope(body)), &render_explanation, context);
    } catch (const base::Malformed& problem) {
        throw UsageError(fmt::format("{}: {}", arguments.positional(), sentence_of(problem)));
    }
}

OfflineScope scope_of(const Arguments& arguments) {
    const Json body = base::parse_json(read_json_object(arguments, "--scope"));
    try {
        return read_offline_scope(body);
    } catch (const base::Malformed& problem) {
        throw UsageError(
            fmt::format("--scope: {}: {}", arguments.text_or("--scope", ""), sentence_of(problem)));
    }
}

policy::Ask run_of(const Arguments& arguments, std::vector<std::string>& warnings) {
    const ExecuteRequest given = read_skill(arguments);
    Json request{{"code", given.skill_code}, {"secrets", given.secrets}};
    if (!given.args_json.empty()) request["args"] = base::parse_json(given.args_json);
    try {
        return read_offline_run(request, warnings);
    } catch (const base::Malformed& problem) {
        throw UsageError(fmt::format("--{}", sentence_of(problem)));  // --code, --args, --secrets
    }
}

ExitCode run_check(const Arguments& arguments, Context& context) {
    const OfflineScope scope = scope_of(arguments);
    std::vector<std::string> warnings = scope.warnings;
    const policy::Ask run = run_of(arguments, warnings);
    const OfflineVerdict verdict = check_offline(scope, run);
    print_either(verdict_json(verdict, warnings), &render_verdict, context);
    return verdict.grant ? ExitCode::ok : ExitCode::failed;
}

}  // namespace

std::vector<Command> scope_offline_commands() {
    return {
        {
            .name = "scope explain",
            .audience = Audience::offline,
            .summary = "Print what a scope compiles to, or what the phrases are that compile",
            .description =
                "FILE holds the body of POST /scope as JSON; - reads standard input. Printed is "
                "the session that its approval would begin: each constraint with its class and "
                "what it compiles to, the calls, hosts and secrets that are left, and whether "
                "programs that nobody has seen could run in it. Without FILE the table of phrases "
                "is printed; see also SCOPES.",
            .positional = "FILE",
            .positional_help = "The scope; without it, the table of phrases",
            .positional_is_path = true,
            .positional_is_optional = true,
            .options = {{.name = "--table", .help = "Print the table of phrases"}, json_option()},
            .run = &run_explain,
        },
        {
            .name = "scope check",
            .audience = Audience::offline,
            .summary = "Check whether a program would run in a scope without asking",
            .description =
                "Says what the server would say of the program in a session that holds just this "
                "scope: that it fits, and what it would get, or each violation. Ends with 0 if it "
                "fits, with 1 if not, with 2 if a file makes no sense.",
            .options = {scope_option(),
                        {.name = "--code",
                         .value = "FILE",
                         .help = "The program, in TypeScript; - reads standard input",
                         .required = true,
                         .is_path = true},
                        {.name = "--arg",
                         .value = "NAME=TEXT",
                         .help = "An argument for the program, as text; wins over --args",
                         .repeated = true},
                        {.name = "--args",
                         .value = "FILE",
                         .help = "A file that holds the arguments as one JSON object",
                         .is_path = true},
                        {.name = "--secrets",
                         .value = "NAME,NAME",
                         .help = "The secrets it needs; default: those that its header names"},
                        json_option()},
            .run = &run_check,
        },
    };
}

}  // namespace oauth3::cli
