#include "base/json.h"
#include "cli/commands/commands.h"
#include "cli/console.h"
#include "cli/keys.h"
#include "cli/options.h"

namespace oauth3::cli {
namespace {

ExitCode run_status(const Arguments& arguments, Context& context) {
    const std::string id = request_id_of(arguments);
    Client client =
        connect_agent(arguments, context, std::chrono::steady_clock::now() + kShortCall);
    context.console.document(base::parse_json(client.status(id).reply.json));
    return ExitCode::ok;
}

}  // namespace

Command status_command() {
    return {
        .name = "status",
        .audience = Audience::agent,
        .summary = "Print how a request stands, without waiting",
        .positional = "ID",
        .positional_help = "The id of the request",
        .options = agent_options({}),
        .run = &run_status,
    };
}

}  // namespace oauth3::cli
