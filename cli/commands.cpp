#include "cli/commands/commands.h"

namespace oauth3::cli {

std::vector<Command> all_commands() {
    return {
#ifdef OAUTH3_HAS_SERVE
        serve_command(),
#endif
    };
}

}  // namespace oauth3::cli
