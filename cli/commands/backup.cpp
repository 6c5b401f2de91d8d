#include "store/backup.h"

#include "base/error.h"
#include "base/json.h"
#include "cli/commands/commands.h"
#include "cli/options.h"
#include "cli/output.h"

#include <fmt/format.h>

namespace oauth3::cli {
namespace {

using base::Json;

ExitCode run_backup(const Arguments& arguments, Context& context) {
    const std::filesystem::path file = arguments.positional();
    store::backup(data_folder_of(arguments), file);
    const std::uintmax_t size = std::filesystem::file_size(file);
    return print_either(
        {{"backup", file.string()}, {"bytes", size}},
        [&](const Json&, bool) {
            return fmt::format(
                "Wrote {}, {} bytes. It holds all requests and their output: keep "
                "it as safe as the server.\n",
                file.string(), size);
        },
        context);
}

ExitCode run_restore(const Arguments& arguments, Context& context) {
    const std::filesystem::path file = arguments.positional();
    const std::filesystem::path folder = data_folder_of(arguments);
    store::restore(file, folder);
    return print_either(
        {{"restored", folder.string()}, {"from", file.string()}},
        [&](const Json&, bool) {
            return fmt::format("Restored {}. Start the server with --data-dir {}.\n",
                               folder.string(), folder.string());
        },
        context);
}

}  // namespace

Command backup_command() {
    return {
        .name = "backup",
        .audience = Audience::server,
        .summary = "Write all that the server has to remember into one file",
        .description =
            "May be done while the server runs: the file holds one moment. It must not exist yet, "
            "and only its user can read it. Whoever has it can read every request, its code and "
            "its output; keys are in it only as hashes.",
        .positional = "FILE",
        .positional_help = "The file to write",
        .positional_is_path = true,
        .options = {data_folder_option(), json_option()},
        .run = &run_backup,
    };
}

Command restore_command() {
    return {
        .name = "restore",
        .audience = Audience::server,
        .summary = "Make a data folder from a backup",
        .description =
            "The folder must hold no data yet, and no server may run on it. Keys work as before, "
            "those too that were revoked after the backup was made; browsers have to log in "
            "again. Nothing runs a second time: requests that were approved and had not run fail "
            "with \"restored from a backup; ask again\", and all sessions end.",
        .positional = "FILE",
        .positional_help = "The file that 'oauth3 backup' wrote",
        .positional_is_path = true,
        .options = {data_folder_option(), json_option()},
        .run = &run_restore,
    };
}

}  // namespace oauth3::cli
