#include "base/json.h"
#include "cli/commands/commands.h"
#include "cli/config.h"
#include "cli/console.h"
#include "cli/keys.h"
#include "cli/options.h"
#include "cli/skill_input.h"

#include <fmt/format.h>

namespace oauth3::cli {
namespace {

ExitCode run_signup(const Arguments& arguments, Context& context) {
    NewAgent agent;
    if (arguments.has("--name")) agent.name = text_argument(arguments, "--name");
    agent.email = text_argument(arguments, "--email");
    agent.invite = text_argument(arguments, "--invite");
    const ServerUrl url = server_url(arguments, context.console);
    const Reply reply = connect_without_key(url, context).signup(agent);
    const base::Json document = base::parse_json(reply.json);
    // The document is the only copy of a key that could not be stored, so it goes out first.
    context.console.document(document);
    const auto key = document.at("api_key").get<std::string>();
    std::string kept;
    try {
        kept = keep_key(key, url);
    } catch (const base::Error& error) {
        context.console.warning(fmt::format("the new key was not stored: {}", error.what()));
        return ExitCode::ok;
    }
    if (kept != key)
        context.console.warning(fmt::format(
            "the new key was not stored: there is one for {} already, which stays in use",
            url.text));
    return ExitCode::ok;
}

}  // namespace

Command signup_command() {
    return {
        .name = "signup",
        .audience = Audience::agent,
        .summary = "Make a new agent and print its key",
        .description =
            "Commands for agents sign up by themselves when no key is kept at all. The new key is "
            "kept for this server in ~/.oauth3, unless there is one for it already. At a second "
            "server nothing signs up by itself: 'oauth3 signup --url URL' does it, and from then "
            "on each server gets its own key.",
        .options = {{.name = "--name",
                     .value = "NAME",
                     .help = "What the agent calls itself; default: agent"},
                    {.name = "--email", .value = "ADDRESS", .help = "Where it can be reached"},
                    {.name = "--invite",
                     .value = "TEXT",
                     .help = "The invite, on servers that need one"},
                    url_option()},
        .run = &run_signup,
    };
}

}  // namespace oauth3::cli
