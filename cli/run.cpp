#include "cli/command.h"
#include "cli/console.h"
#include "cli/failure.h"
#include "cli/help.h"
#include "cli/parser.h"

#include <fmt/format.h>
#include <oauth3/client.h>

#include <algorithm>

namespace oauth3::cli {

int run(int argc, const char* const* argv) {
    Console console;
    Context context{console};
    const std::vector<Command> commands = all_commands();
    const Command* command = nullptr;
    const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
    // Where a document is due, one is printed whatever happens.
    const auto print_error = [&](const base::Json& document) {
        if (command != nullptr && context.prints_documents) console.document(document);
    };
    // Of a wrong command line only agents are told in a document: it is a human who mistypes the
    // others.
    const auto refuse_usage = [&](std::string_view sentence, const std::string& hint) {
        console.error(sentence, hint);
        const bool raw = std::find(words.begin(), words.end(), "--raw") != words.end();
        if (command == nullptr || command->audience != Audience::agent || raw) return;
        base::Json document{{"error", sentence}, {"code", "usage"}};
        if (!hint.empty()) document["hint"] = hint;
        console.document(document);
    };
    ExitCode code = ExitCode::failed;
    try {
        try {
            const Call call = parse_command_line(commands, words, &command);
            if (call.version) {
                console.text(fmt::format("oauth3 {}\n", kVersion));
                return 0;
            }
            if (call.help) {
                console.text(command != nullptr   ? help_text(*command)
                             : call.group.empty() ? help_text(commands)
                                                  : group_help_text(commands, call.group));
                return 0;
            }
            const Arguments& arguments = call.arguments;
            context.raw = arguments.has("--raw");
            const bool has_json =
                std::any_of(command->options.begin(), command->options.end(),
                            [](const OptionSpec& option) { return option.name == "--json"; });
            context.prints_documents = has_json
                                           ? arguments.has("--json") || !console.out_is_terminal()
                                           : command->audience == Audience::agent && !context.raw;
            code = command->run(call.arguments, context);
        } catch (const UsageError& error) {
            code = ExitCode::usage;
            refuse_usage(error.what(), error.hint());
        } catch (const std::invalid_argument& error) {
            code = ExitCode::usage;
            refuse_usage(error.what(), {});
        } catch (const ClientError& error) {
            console.error(error.what(), hint_of(error));
            code = exit_code_of(error.kind());
            print_error(error_document(error));
        } catch (const base::Error& error) {
            console.error(error.what(), error.hint());
            code = error.code() == "authentication" ? ExitCode::authentication
                   : error.code() == "usage"        ? ExitCode::usage
                                                    : ExitCode::failed;
            base::Json document{{"error", error.what()}, {"code", error.code()}};
            if (!error.hint().empty()) document["hint"] = error.hint();
            print_error(document);
        }
    } catch (const std::exception& error) {
        // Most of all: stdout cannot be written.
        console.error(error.what());
        code = ExitCode::failed;
    }
    return static_cast<int>(code);
}

}  // namespace oauth3::cli
