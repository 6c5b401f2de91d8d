#include "base/json.h"
#include "cli/commands/commands.h"
#include "cli/console.h"
#include "cli/keys.h"
#include "cli/options.h"
#include "cli/render.h"

namespace oauth3::cli {
namespace {

ExitCode run_show(const Arguments& arguments, Context& context) {
    const std::string id = request_id_of(arguments);
    Client client = connect_owner(arguments, context);
    const base::Json request = base::parse_json(client.request(id).json);
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
        .positional = "ID",
        .positional_help = "The id of the request",
        .options = human_options({}),
        .run = &run_show,
    };
}

}  // namespace oauth3::cli
