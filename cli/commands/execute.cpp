#include "cli/commands/commands.h"
#include "cli/keys.h"
#include "cli/options.h"
#include "cli/skill_input.h"
#include "cli/waiting.h"

namespace oauth3::cli {
namespace {

ExitCode run_execute(const Arguments& arguments, Context& context) {
    const auto deadline = deadline_of(arguments);
    const ExecuteRequest request = read_skill(arguments);
    Client client = connect_agent(arguments, context, deadline);
    const Submission submission =
        client.execute(request, arguments.text_or("--idempotency-key", ""));
    announce(submission, "execution", context);
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
            "error. The output of the program is result.stdout of the printed document.",
        .options = agent_options({code_option(), skill_id_option(), session_option(), arg_option(),
                                  args_option(), secrets_option(), timeout_option(),
                                  idempotency_key_option()}),
        .run = &run_execute,
    };
}

}  // namespace oauth3::cli
