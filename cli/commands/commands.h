#pragma once

#include "cli/command.h"

#include <vector>

namespace oauth3::cli {

// Rows of the table, from the files of the same names.
Command execute_command();
Command scope_and_execute_command();
Command scope_command();
std::vector<Command> scope_offline_commands();
Command poll_command();
Command status_command();
Command result_command();
Command cancel_command();
Command signup_command();
Command me_command();        // me.cpp
Command history_command();   // me.cpp
Command sessions_command();  // me.cpp

Command pending_command();
Command show_command();
Command approve_command();
Command deny_command();
std::vector<Command> session_commands();
std::vector<Command> trust_commands();
std::vector<Command> tenant_commands();
std::vector<Command> key_commands();     // tenant.cpp
std::vector<Command> invite_commands();  // tenant.cpp
std::vector<Command> owner_commands();   // tenant.cpp
std::vector<Command> audit_commands();
Command login_link_command();

std::vector<Command> policy_commands();

Command serve_command();
Command doctor_command();
Command backup_command();
Command restore_command();  // backup.cpp

}  // namespace oauth3::cli
