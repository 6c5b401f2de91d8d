#include "base/json.h"
#include "cli/commands/commands.h"
#include "cli/console.h"
#include "cli/keys.h"
#include "cli/options.h"
#include "cli/scope_input.h"
#include "cli/waiting.h"

namespace oauth3::cli {
namespace {

ExitCode run_scope(const Arguments& arguments, Context& context) {
    const auto deadline = deadline_of(arguments);
    const std::string body = read_scope(arguments, {});
    Client client = connect_agent(arguments, context, deadline);
    const Submission scope = client.scope(body, arguments.text_or("--idempotency-key", ""));
    announce(scope, "scope", context);
    if (arguments.has("--no-wait")) {
        context.console.document(base::parse_json(scope.reply.json));
        return ExitCode::ok;
    }
    return wait_and_finish(client, scope.request_id, context);
}

}  // namespace

Command scope_command() {
    return {
        .name = "scope",
        .audience = Audience::agent,
        .summary = "Ask for a session with given limits, and wait until it is decided",
        .description =
            "The file of --scope holds the body of POST /scope as JSON: description, and perhaps "
            "constraints, secrets, networks, rules, args, budgets, skill_code: see SCOPES. "
            "session_id "
            "of the printed document is the session for 'oauth3 execute --session'.\n\n"
            "'oauth3 scope explain' and 'oauth3 scope check' say beforehand what it comes to.",
        .options = agent_options({scope_option(), session_option(), timeout_option(),
                                  no_wait_option(), idempotency_key_option()}),
        .run = &run_scope,
    };
}

}  // namespace oauth3::cli
