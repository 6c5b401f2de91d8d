#include "base/json.h"
#include "base/utf8.h"
#include "cli/commands/commands.h"
#include "cli/console.h"
#include "cli/keys.h"
#include "cli/options.h"

#include <fmt/format.h>

namespace oauth3::cli {
namespace {

ExitCode run_deny(const Arguments& arguments, Context& context) {
    const std::string id = request_id_of(arguments);
    const std::string reason = arguments.text_or("--reason", "");
    if (!base::is_valid_utf8(reason)) throw UsageError("--reason must be UTF-8 text.");
    Client client = connect_owner(arguments, context);
    const Reply reply = client.decide(id, {.approve = false, .level = {}, .reason = reason});
    if (context.prints_documents) {
        context.console.document(base::parse_json(reply.json));
    } else {
        context.console.text(fmt::format("Denied {}.\n", id));
    }
    return ExitCode::ok;
}

}  // namespace

Command deny_command() {
    return {
        .name = "deny",
        .audience = Audience::human,
        .summary = "Refuse a request",
        .positional = "ID",
        .positional_help = "The id of the request",
        .options = human_options({{.name = "--reason",
                                   .value = "TEXT",
                                   .help = "Why; the agent is told",
                                   .may_be_empty = true}}),
        .run = &run_deny,
    };
}

}  // namespace oauth3::cli
