#include "base/json.h"
#include "cli/commands/commands.h"
#include "cli/console.h"
#include "cli/keys.h"
#include "cli/options.h"

// What an agent can ask about itself.

namespace oauth3::cli {
namespace {

Client connect(const Arguments& arguments, Context& context) {
    return connect_agent(arguments, context, std::chrono::steady_clock::now() + kShortCall);
}

ExitCode run_me(const Arguments& arguments, Context& context) {
    context.console.document(base::parse_json(connect(arguments, context).me().json));
    return ExitCode::ok;
}

ExitCode run_history(const Arguments& arguments, Context& context) {
    const int limit = limit_of(arguments);
    const auto page = connect(arguments, context).history(limit, arguments.text_or("--before", ""));
    context.console.document(base::parse_json(page.json));
    return ExitCode::ok;
}

ExitCode run_sessions(const Arguments& arguments, Context& context) {
    context.console.document(base::parse_json(connect(arguments, context).sessions().json));
    return ExitCode::ok;
}

}  // namespace

Command me_command() {
    return {
        .name = "me",
        .audience = Audience::agent,
        .summary = "Print who this agent is for the server",
        .options = agent_options({}),
        .run = &run_me,
    };
}

Command history_command() {
    return {
        .name = "history",
        .audience = Audience::agent,
        .summary = "Print this agent's requests, newest first",
        .description =
            "If next of the document is not null, --before with it prints those that "
            "are older.",
        .options = agent_options({limit_option(), before_option()}),
        .run = &run_history,
    };
}

Command sessions_command() {
    return {
        .name = "sessions",
        .audience = Audience::agent,
        .summary = "Print this agent's living sessions, and what each of them allows",
        .options = agent_options({}),
        .run = &run_sessions,
    };
}

}  // namespace oauth3::cli
