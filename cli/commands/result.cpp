#include "cli/commands/commands.h"
#include "cli/console.h"
#include "cli/job.h"
#include "cli/options.h"
#include "cli/sheet.h"
#include "cli/waiting.h"

#include <fmt/format.h>

namespace oauth3::cli {
namespace {

ExitCode run_result(const Arguments& arguments, Context& context) {
    const base::Json job = read_job(arguments.positional());
    const ExitCode code = job_exit_code(job);
    if (!context.raw) {
        context.console.document(job);
        return code;
    }
    if (goes_on(job)) {
        context.console.note(
            fmt::format("oauth3: job {} goes on: {}", text_of(job, "job"), text_of(job, "status")));
        // The status of the program, which 0 would be, does not exist yet.
        return ExitCode::failed;
    }
    const base::Json* const reply = member(job, "result");
    // Only the reply of an execution has output: that of a scope says why there is none.
    if (reply != nullptr && text_of(*reply, "status") == text_of(job, "status"))
        return print_raw(*reply, context);
    if (code != ExitCode::ok) context.console.error("There is no result.", text_of(job, "error"));
    return code;
}

}  // namespace

Command result_command() {
    return {
        .name = "result",
        .audience = Audience::agent,
        .summary = "Print how far a background job is, and its result once there is one",
        .description =
            "The exit code is 0 while the job goes on: read its status. With --raw it is 1 then, "
            "and "
            "standard error says so.",
        .positional = "JOB_FILE",
        .positional_help = "The job_file that --bg printed, or the 8 hex digits of its job",
        .positional_is_path = true,
        .options = {raw_option()},
        .run = &run_result,
    };
}

}  // namespace oauth3::cli
