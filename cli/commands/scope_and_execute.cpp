#include "cli/background.h"
#include "cli/commands/commands.h"
#include "cli/console.h"
#include "cli/keys.h"
#include "cli/options.h"
#include "cli/scope_input.h"
#include "cli/skill_input.h"
#include "cli/waiting.h"

namespace oauth3::cli {
namespace {

struct Asked {
    ExecuteRequest execution;
    std::string scope_json;
    std::string idempotency_key;
};

Asked read_all(const Arguments& arguments) {
    Asked out;
    out.execution = read_skill(arguments);
    out.scope_json = read_scope(arguments, out.execution.skill_code);
    // The same key serves both calls, for the server keeps them apart by route: whichever of them
    // is in doubt, the command goes on with the key that its error names.
    out.idempotency_key = arguments.has("--idempotency-key")
                              ? arguments.text_or("--idempotency-key", "")
                              : new_idempotency_key();
    return out;
}

Submission submit_scope(Client& client, const Asked& asked, Context& context) {
    // A program that the server has to fetch is no part of the scope. What it refuses to fetch
    // should be known before a human is asked.
    if (!asked.execution.skill_url.empty()) client.dry_run(asked.execution);
    Submission scope = client.scope(asked.scope_json, asked.idempotency_key);
    announce(scope, "scope", context);
    return scope;
}

ExitCode run_detached(const Arguments& arguments, Context& context) {
    BackgroundWork work;
    work.deadline = deadline_of(arguments);
    const Asked asked = read_all(arguments);
    work.execution = asked.execution;
    work.idempotency_key = asked.idempotency_key;
    return run_in_background(arguments, context, std::move(work),
                             [&](Client& client, BackgroundWork& rest) {
                                 Submission scope = submit_scope(client, asked, context);
                                 rest.scope_id = scope.request_id;
                                 rest.execution.session_id = scope.session_id;
                                 return scope;
                             });
}

ExitCode run_scope_and_execute(const Arguments& arguments, Context& context) {
    check_ways_to_wait(arguments);
    if (arguments.has("--bg")) return run_detached(arguments, context);
    const auto deadline = deadline_of(arguments);
    Asked asked = read_all(arguments);
    Client client = connect_agent(arguments, context, deadline);
    const Submission scope = submit_scope(client, asked, context);
    if (arguments.has("--no-wait")) {
        context.console.document(base::parse_json(scope.reply.json));
        return ExitCode::ok;
    }
    ExitCode code = ExitCode::failed;
    const auto approved = wait_for(client, scope.request_id, context, code);
    if (!approved) return code;
    if (approved->status != "completed") return finish(*approved, context);

    asked.execution.session_id =
        approved->session_id.empty() ? scope.session_id : approved->session_id;
    const Submission execution = client.execute(asked.execution, asked.idempotency_key);
    announce(execution, "execution", context);
    return wait_and_finish(client, execution.request_id, context);
}

}  // namespace

Command scope_and_execute_command() {
    return {
        .name = "scope-and-execute",
        .audience = Audience::agent,
        .summary = "Ask for a session with given limits, then run a program in it",
        .description =
            "The file of --scope holds the body of POST /scope as JSON: description, and perhaps "
            "constraints, secrets, networks. The program of --code is sent with it, so that one "
            "decision covers both. It runs only if the scope is approved.\n\n"
            "With --no-wait only the scope is submitted; 'oauth3 execute --session' runs the "
            "program once it is approved.",
        .options = skill_options({scope_option()}),
        .run = &run_scope_and_execute,
    };
}

}  // namespace oauth3::cli
