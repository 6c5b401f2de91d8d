#include "cli/commands/commands.h"
#include "cli/keys.h"
#include "cli/options.h"
#include "cli/waiting.h"

namespace oauth3::cli {
namespace {

ExitCode run_poll(const Arguments& arguments, Context& context) {
    const auto deadline = deadline_of(arguments);
    const std::string id = request_id_of(arguments);
    Client client = connect_agent(arguments, context, deadline);
    return wait_and_finish(client, id, context);
}

}  // namespace

Command poll_command() {
    return {
        .name = "poll",
        .audience = Audience::agent,
        .summary = "Wait for the end of a request that was submitted before, print the result",
        .positional = "ID",
        .positional_help = "The id of the request",
        .options = agent_options({timeout_option(), raw_option()}),
        .run = &run_poll,
    };
}

}  // namespace oauth3::cli
