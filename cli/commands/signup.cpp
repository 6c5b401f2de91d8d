#include "base/json.h"
#include "cli/commands/commands.h"
#include "cli/config.h"
#include "cli/console.h"
#include "cli/keys.h"
#include "cli/options.h"

#include <fmt/format.h>

namespace oauth3::cli {
namespace {

ExitCode run_signup(const Arguments& arguments, Context& context) {
    const ServerUrl url = server_url(arguments, context.console);
    const Reply reply = connect_without_key(url, context).signup("agent");
    const base::Json document = base::parse_json(reply.json);
    // The document is the only copy of a key that could not be stored, so it goes out first.
    context.console.document(document);
    const auto key = document.at("api_key").get<std::string>();
    std::string kept;
    try {
        kept = store_agent_key(key, url);
    } catch (const base::Error& error) {
        context.console.warning(fmt::format("the new key was not stored: {}", error.what()));
        return ExitCode::ok;
    }
    if (kept != key)
        context.console.warning(
            "the new key was not stored: ~/.oauth3/key holds one already, which stays in use");
    return ExitCode::ok;
}

}  // namespace

Command signup_command() {
    return {
        .name = "signup",
        .audience = Audience::agent,
        .summary = "Make a new agent and print its key",
        .description =
            "Commands for agents sign up by themselves when they have no key. The new key is "
            "stored in ~/.oauth3/key unless that file holds one.",
        .options = {url_option()},
        .run = &run_signup,
    };
}

}  // namespace oauth3::cli
