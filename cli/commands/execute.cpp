#include "cli/background.h"
#include "cli/commands/commands.h"
#include "cli/console.h"
#include "cli/keys.h"
#include "cli/options.h"
#include "cli/skill_input.h"
#include "cli/waiting.h"

namespace oauth3::cli {
namespace {

Submission submit(Client& client, const ExecuteRequest& request, const Arguments& arguments,
                  Context& context) {
    Submission out = client.execute(request, arguments.text_or("--idempotency-key", ""));
    announce(out, "execution", context);
    return out;
}

ExitCode run_detached(const Arguments& arguments, Context& context) {
    BackgroundWork work;
    work.deadline = deadline_of(arguments);
    const ExecuteRequest request = read_skill(arguments);
    return run_in_background(
        arguments, context, std::move(work), [&](Client& client, BackgroundWork& rest) {
            Submission submission = submit(client, request, arguments, context);
            rest.execution_id = submission.request_id;
            return submission;
        });
}

ExitCode run_execute(const Arguments& arguments, Context& context) {
    check_ways_to_wait(arguments);
    if (arguments.has("--bg")) return run_detached(arguments, context);
    const auto deadline = deadline_of(arguments);
    const ExecuteRequest request = read_skill(arguments);
    Client client = connect_agent(arguments, context, deadline);
    if (arguments.has("--dry-run")) {
        context.console.document(base::parse_json(client.dry_run(request).reply.json));
        return ExitCode::ok;
    }
    const Submission submission = submit(client, request, arguments, context);
    if (arguments.has("--no-wait")) {
        context.console.document(base::parse_json(submission.reply.json));
        return ExitCode::ok;
    }
    return wait_and_finish(client, submission.request_id, context);
}

}  // namespace

Command execute_command() {
    return {
        .name = "execute",
        .audience = Audience::agent,
        .summary = "Submit a program, wait for its approval and its end, print the result",
        .description =
            "If a human has to approve the program, the link to show them is printed on standard "
            "error. The output of the program is result.stdout of the printed document.\n\n"
            "A program is TypeScript for Deno. Its leading comment may say what it is and needs, "
            "one directive a line: @skill, @description, @secrets, @network, @timeout. Each "
            "argument is an environment variable of the program; SKILL_ARGS holds all of them as "
            "one JSON object.",
        .options = skill_options(
            {{.name = "--dry-run",
              .help = "Only ask whether a human would have to approve it; makes no request"}}),
        .run = &run_execute,
    };
}

}  // namespace oauth3::cli
