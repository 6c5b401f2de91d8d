#include "base/json.h"
#include "cli/commands/commands.h"
#include "cli/keys.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/render_lists.h"
#include "cli/suggest.h"

#include <fmt/format.h>

// Code that runs again without asking, since a human has approved it for 24 hours or for ever.

namespace oauth3::cli {
namespace {

using base::Json;

ExitCode run_list(const Arguments& arguments, Context& context) {
    Caller caller;
    Client client = connect_either(arguments, context, caller);
    return print_either(
        base::parse_json(client.trust(caller).json),
        [](const Json& document, bool colour) {
            return render_table(list_in(document, "trust"),
                                {{"TRUST", "id"},
                                 {"SKILL", "skill_id"},
                                 {"LEVEL", "level"},
                                 {"ARGS PINNED", "pin_args"},
                                 {"SECRETS", "secrets"},
                                 {"NETWORKS", "networks"},
                                 {"USES", "uses"},
                                 {"LAST USED", "last_used_at", true},
                                 {"ENDS", "expires_at", true},
                                 {"CODE", "code_hash"},
                                 {"TENANT", "tenant_id"}},
                                "No code is trusted.", colour);
        },
        context);
}

ExitCode run_revoke(const Arguments& arguments, Context& context) {
    const std::string& id = arguments.positional();
    if (!is_request_id(id))
        throw UsageError(fmt::format("{} is not the id of a trust, such as trust_5d0c12ab34cd56ef.",
                                     in_quotes(id)));
    Caller caller;
    Client client = connect_either(arguments, context, caller);
    return print_either(
        base::parse_json(client.revoke_trust(id, caller).json),
        [&id](const Json&, bool) {
            return fmt::format("Revoked {}; what it had approved and has not ended is stopped.\n",
                               id);
        },
        context);
}

}  // namespace

std::vector<Command> trust_commands() {
    return {
        {
            .name = "trust list",
            .audience = Audience::human,
            .summary = "List the code that runs again without asking",
            .description =
                "That is code approved with --level 24h or forever. Works with the owner's key "
                "and with the agent's; see 'session list'.",
            .options = common_options({}),
            .run = &run_list,
        },
        {
            .name = "trust revoke",
            .audience = Audience::human,
            .summary = "End the trust in code at once; what it let through is stopped",
            .description =
                "Sessions that the code was approved into live on: see 'session revoke'. Works "
                "with the owner's key and with the agent's; see 'session list'.",
            .positional = "ID",
            .positional_help = "The id of the trust",
            .options = common_options({}),
            .run = &run_revoke,
        },
    };
}

}  // namespace oauth3::cli
