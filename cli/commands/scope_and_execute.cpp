#include "base/json.h"
#include "cli/commands/commands.h"
#include "cli/keys.h"
#include "cli/options.h"
#include "cli/skill_input.h"
#include "cli/waiting.h"

namespace oauth3::cli {
namespace {

/// The body of POST /scope: the file, with the code, so that one decision covers both.
std::string scope_body(const Arguments& arguments, ExecuteRequest& request) {
    base::Json scope = base::parse_json(read_json_object(arguments, "--scope"));
    scope["skill_code"] = request.skill_code;
    const auto in_file = scope.find("session_id");
    const bool has_session = in_file != scope.end() && in_file->is_string();
    if (!request.session_id.empty()) {
        if (has_session && in_file->get<std::string>() != request.session_id)
            throw UsageError("--session and the session_id of the scope file differ.");
        scope["session_id"] = request.session_id;
    }
    return base::dump_json(scope);
}

ExitCode run_scope_and_execute(const Arguments& arguments, Context& context) {
    const auto deadline = deadline_of(arguments);
    ExecuteRequest request = read_skill(arguments);
    const std::string body = scope_body(arguments, request);
    const std::string idempotency_key = arguments.text_or("--idempotency-key", "");

    Client client = connect_agent(arguments, context, deadline);
    const Submission scope = client.scope(body, idempotency_key);
    announce(scope, "scope", context);
    ExitCode code = ExitCode::failed;
    const auto approved = wait_for(client, scope.request_id, context, code);
    if (!approved) return code;
    if (approved->status != "completed") return finish(*approved, context);

    request.session_id = approved->session_id.empty() ? scope.session_id : approved->session_id;
    // The same key serves both calls: the server keeps them apart by route.
    const Submission execution = client.execute(request, idempotency_key);
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
            "constraints, secrets, networks. The program is sent with it, so that one decision "
            "covers both. It runs only if the scope is approved.",
        .options = agent_options({{.name = "--scope",
                                   .value = "FILE",
                                   .help = "What is asked for, as one JSON object",
                                   .required = true,
                                   .is_path = true},
                                  code_option(),
                                  skill_id_option(),
                                  session_option(),
                                  arg_option(),
                                  args_option(),
                                  secrets_option(),
                                  timeout_option(),
                                  idempotency_key_option()}),
        .run = &run_scope_and_execute,
    };
}

}  // namespace oauth3::cli
