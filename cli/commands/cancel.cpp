#include "base/json.h"
#include "cli/commands/commands.h"
#include "cli/console.h"
#include "cli/keys.h"
#include "cli/options.h"

namespace oauth3::cli {
namespace {

ExitCode run_cancel(const Arguments& arguments, Context& context) {
    const std::string id = request_id_of(arguments);
    Client client =
        connect_agent(arguments, context, std::chrono::steady_clock::now() + kShortCall);
    context.console.document(base::parse_json(client.cancel(id).json));
    return ExitCode::ok;
}

}  // namespace

Command cancel_command() {
    return {
        .name = "cancel",
        .audience = Audience::agent,
        .summary = "Cancel a request; a program that runs is stopped",
        .positional = "ID",
        .positional_help = "The id of the request",
        .options = agent_options({}),
        .run = &run_cancel,
    };
}

}  // namespace oauth3::cli
