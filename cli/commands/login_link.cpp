#include "api/server.h"
#include "base/json.h"
#include "cli/commands/commands.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/sheet.h"

#include <fmt/format.h>
#include <oauth3/client.h>

namespace oauth3::cli {
namespace {

ExitCode run_login_link(const Arguments& arguments, Context& context) {
    // A link that logs in must not end in a pipe or log by accident.
    if (!arguments.has("--json") && !context.console.out_is_terminal())
        throw UsageError("'login-link' prints on a terminal only, and standard output is none.",
                         "--json prints it wherever standard output leads.");
    const std::filesystem::path socket = data_folder_of(arguments) / api::kControlSocket;
    // A server that does not run does not begin to while we wait for it.
    std::error_code error;
    if (!std::filesystem::exists(socket, error))
        throw ClientError(
            ClientErrorKind::unreachable,
            fmt::format("No server that runs is seen in {}.", socket.parent_path().string()),
            {.hint = "Run this as the server's user, and name its --data-dir."});
    const LoginLink link = login_link(socket.string(), std::chrono::seconds(3));
    if (context.prints_documents) {
        context.console.document(base::parse_json(link.reply.json));
        return ExitCode::ok;
    }
    context.console.text(fmt::format("Open this in a browser, once, until {}:\n{}\n",
                                     when(base::Json(link.expires_at)), shown(link.url)));
    return ExitCode::ok;
}

}  // namespace

Command login_link_command() {
    return {
        .name = "login-link",
        .audience = Audience::human,
        .summary = "Print a link that logs your browser in, once, as the server's owner",
        .description =
            "For the user who runs the server, on its machine: it is asked over a socket in its "
            "data folder that nobody else can open. The link is good for 10 minutes and is used "
            "up by the button of the page it opens. It is printed on a terminal, or with --json "
            "wherever standard output leads, and refused otherwise.",
        .options = {data_folder_option(), json_option()},
        .run = &run_login_link,
    };
}

}  // namespace oauth3::cli
