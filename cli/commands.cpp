#include "cli/commands/commands.h"

namespace oauth3::cli {

std::vector<Command> all_commands() {
    return {
        execute_command(), scope_and_execute_command(),
        poll_command(),    status_command(),
        cancel_command(),  signup_command(),
        pending_command(), show_command(),
        approve_command(), deny_command(),
        serve_command(),
    };
}

}  // namespace oauth3::cli
