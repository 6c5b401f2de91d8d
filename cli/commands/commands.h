#pragma once

#include "cli/command.h"

namespace oauth3::cli {

// One row of the table each, from the file of the same name.
Command execute_command();
Command scope_and_execute_command();
Command poll_command();
Command status_command();
Command cancel_command();
Command signup_command();
Command pending_command();
Command show_command();
Command approve_command();
Command deny_command();
Command serve_command();

}  // namespace oauth3::cli
