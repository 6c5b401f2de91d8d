#include "cli/commands/commands.h"

namespace oauth3::cli {

std::vector<Command> all_commands() {
    std::vector<Command> out{
        execute_command(),  scope_and_execute_command(),
        scope_command(),    poll_command(),
        status_command(),   result_command(),
        cancel_command(),   signup_command(),
        me_command(),       history_command(),
        sessions_command(), pending_command(),
        show_command(),     approve_command(),
        deny_command(),
    };
    for (const auto& group : {session_commands(), trust_commands(), tenant_commands(),
                              key_commands(), invite_commands(), owner_commands(), audit_commands(),
                              scope_offline_commands(), policy_commands()})
        out.insert(out.end(), group.begin(), group.end());
    out.push_back(login_link_command());
    out.push_back(serve_command());
    out.push_back(doctor_command());
    out.push_back(backup_command());
    out.push_back(restore_command());
    return out;
}

}  // namespace oauth3::cli
