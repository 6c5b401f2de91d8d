#include "base/json.h"
#include "cli/commands/commands.h"
#include "cli/console.h"
#include "cli/keys.h"
#include "cli/options.h"
#include "cli/render.h"

namespace oauth3::cli {
namespace {

/// What the approval of a request would have let through, as a member of the request. A server
/// that cannot tell is an older one.
void add_backtest(Client& client, const std::string& id, int limit, base::Json& request) {
    if (limit == 0 || !waits_for_decision(request)) return;
    try {
        request["backtest"] = base::parse_json(client.backtest(id, limit).json);
    } catch (const ClientError& error) {
        if (error.http_status() != 404 && error.http_status() != 405) throw;
    }
}

ExitCode run_show(const Arguments& arguments, Context& context) {
    const std::string id = request_id_of(arguments);
    const auto backtested = static_cast<int>(arguments.whole("--backtest", 50, 0, 500));
    Client client = connect_owner(arguments, context);
    base::Json request = base::parse_json(client.request(id).json);
    add_backtest(client, id, backtested, request);
    if (context.prints_documents) {
        context.console.document(request);
    } else {
        context.console.text(render_request(request, context.console.colour()));
    }
    return ExitCode::ok;
}

}  // namespace

Command show_command() {
    return {
        .name = "show",
        .audience = Audience::human,
        .summary = "Show all that a request asks for, and its code",
        .description =
            "Of a request that waits for a decision it is also told which of the agent's last "
            "programs its approval would have let through, those first that a human has denied.",
        .positional = "ID",
        .positional_help = "The id of the request",
        .options = human_options({{.name = "--backtest",
                                   .value = "N",
                                   .help = "How many of the agent's last programs to look at; 0: "
                                           "none; default: 50"}}),
        .run = &run_show,
    };
}

}  // namespace oauth3::cli
