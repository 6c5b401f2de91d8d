#include "base/json.h"
#include "base/utf8.h"
#include "cli/commands/commands.h"
#include "cli/keys.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/render_lists.h"
#include "cli/skill_input.h"

#include <fmt/format.h>

// What owners and agents do with sessions.

namespace oauth3::cli {
namespace {

using base::Json;

constexpr std::string_view kWhoseKey =
    "Works with the owner's key, for the sessions of all its agents, and with an agent's key, for "
    "its own. The owner's is used if --owner-key-file is given, or if OAUTH3_OWNER_KEY is set and "
    "neither --key-file nor --key is given; else the agent's that is kept for this server.";

ExitCode run_list(const Arguments& arguments, Context& context) {
    Caller caller;
    Client client = connect_either(arguments, context, caller);
    return print_either(
        base::parse_json(client.sessions(caller).json),
        [](const Json& document, bool colour) {
            return render_table(list_in(document, "sessions"),
                                {{"SESSION", "session_id"},
                                 {"RUNS", "runs_used"},
                                 {"LAST USED", "last_activity", true},
                                 {"ENDS", "expires_at", true},
                                 {"TENANT", "tenant_id"}},
                                "There are no living sessions.", colour);
        },
        context);
}

ExitCode run_show(const Arguments& arguments, Context& context) {
    const std::string id = session_id_of(arguments);
    Caller caller;
    Client client = connect_either(arguments, context, caller);
    return print_either(base::parse_json(client.session(id, caller).json), &render_session,
                        context);
}

/// What to replace: the file's members, and over them those of single options.
Json read_narrower(const Arguments& arguments) {
    Json out = Json::object();
    if (arguments.has("--file")) out = base::parse_json(read_json_object(arguments, "--file"));
    for (const char* name : {"secrets", "networks"}) {
        const std::string option = fmt::format("--{}", name);
        if (arguments.has(option)) out[name] = words_of(text_argument(arguments, option));
    }
    constexpr long long kMost = 366LL * 24 * 3600;
    if (arguments.has("--max-runs")) out["max_runs"] = arguments.whole("--max-runs", 1, 1, 1 << 30);
    if (arguments.has("--max-timeout"))
        out["max_timeout"] = arguments.whole("--max-timeout", 1, 1, 3600);
    if (arguments.has("--expires-in"))
        out["expires_in"] = arguments.whole("--expires-in", 1, 1, kMost);
    if (arguments.has("--known-code-only")) out["any_code"] = false;
    if (out.empty())
        throw UsageError("'session narrow' needs at least one thing to narrow.",
                         "See 'oauth3 session narrow --help'.");
    return out;
}

ExitCode run_narrow(const Arguments& arguments, Context& context) {
    const std::string id = session_id_of(arguments);
    const Json narrower = read_narrower(arguments);
    Caller caller;
    Client client = connect_either(arguments, context, caller);
    const Reply reply = client.narrow_session(id, base::dump_json(narrower), caller);
    return print_either(base::parse_json(reply.json), &render_session, context);
}

ExitCode run_revoke(const Arguments& arguments, Context& context) {
    const std::string id = session_id_of(arguments);
    const std::string reason = text_argument(arguments, "--reason");
    Caller caller;
    Client client = connect_either(arguments, context, caller);
    const Reply reply = client.revoke_session(id, reason, caller);
    return print_either(
        base::parse_json(reply.json),
        [&id](const Json&, bool) {
            return fmt::format("Revoked {}; what ran in it is stopped.\n", id);
        },
        context);
}

}  // namespace

std::vector<Command> session_commands() {
    constexpr std::string_view kId = "The id of the session";
    return {
        {
            .name = "session list",
            .audience = Audience::human,
            .summary = "List the living sessions",
            .description = kWhoseKey,
            .options = common_options({}),
            .run = &run_list,
        },
        {
            .name = "session show",
            .audience = Audience::human,
            .summary = "Show all that a session allows",
            .description = kWhoseKey,
            .positional = "ID",
            .positional_help = kId,
            .options = common_options({}),
            .run = &run_show,
        },
        {
            .name = "session narrow",
            .audience = Audience::human,
            .summary = "Take away some of what a session allows",
            .description =
                "Each part that is named replaces what the session has, and must be covered by "
                "it: a session is never widened so. An empty list takes all away.\n\n"
                "Works with the owner's key and with the agent's; see 'session show'.",
            .positional = "ID",
            .positional_help = kId,
            .options = common_options(
                {{.name = "--secrets",
                  .value = "NAME,NAME",
                  .help = "The only secrets that stay allowed",
                  .may_be_empty = true},
                 {.name = "--networks",
                  .value = "HOST,HOST",
                  .help = "The only networks that stay allowed",
                  .may_be_empty = true},
                 {.name = "--max-runs",
                  .value = "N",
                  .help = "How many runs the session allows in all"},
                 {.name = "--max-timeout",
                  .value = "SECONDS",
                  .help = "How long a run may take at most"},
                 {.name = "--expires-in",
                  .value = "SECONDS",
                  .help = "When the session ends, counted from now"},
                 {.name = "--known-code-only",
                  .help = "Only programs that were approved with the session may run"},
                 {.name = "--file",
                  .value = "FILE",
                  .help = "A JSON object with further parts: rules, code_hashes, args",
                  .is_path = true}}),
            .run = &run_narrow,
        },
        {
            .name = "session revoke",
            .audience = Audience::human,
            .summary = "End a session at once; what runs in it is stopped",
            .description = "Works with the owner's key and with the agent's; see 'session show'.",
            .positional = "ID",
            .positional_help = kId,
            .options = common_options({{.name = "--reason",
                                        .value = "TEXT",
                                        .help = "Why; it stands in the ledger",
                                        .may_be_empty = true}}),
            .run = &run_revoke,
        },
    };
}

}  // namespace oauth3::cli
