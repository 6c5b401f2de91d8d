#include "base/utf8.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/help.h"
#include "cli/parser.h"

#include <fmt/format.h>
#include <oauth3/client.h>

namespace oauth3::cli {
namespace {

ExitCode exit_code(ClientErrorKind kind) {
    switch (kind) {
        case ClientErrorKind::unreachable:
            return ExitCode::unreachable;
        case ClientErrorKind::timeout:
            return ExitCode::timeout;
        case ClientErrorKind::authentication:
            return ExitCode::authentication;
        case ClientErrorKind::interrupted:
            return ExitCode::interrupted;
        case ClientErrorKind::refused:
        case ClientErrorKind::protocol:
            return ExitCode::failed;
    }
    return ExitCode::failed;
}

std::string_view code_word(ClientErrorKind kind) {
    switch (kind) {
        case ClientErrorKind::unreachable:
            return "server_unreachable";
        case ClientErrorKind::timeout:
            return "timeout";
        case ClientErrorKind::authentication:
            return "authentication";
        case ClientErrorKind::interrupted:
            return "interrupted";
        case ClientErrorKind::refused:
            return "refused";
        case ClientErrorKind::protocol:
            return "bad_reply";
    }
    return {};
}

/// What goes to stdout in place of the reply that did not come: the server's own error document
/// if there is one.
base::Json error_document(const ClientError& error) {
    if (!error.json().empty()) return base::parse_json(error.json());
    base::Json document{{"error", error.what()}, {"code", code_word(error.kind())}};
    if (!error.hint().empty()) document["hint"] = error.hint();
    return document;
}

}  // namespace

int run(int argc, const char* const* argv) {
    Console console;
    Context context{console};
    const std::vector<Command> commands = all_commands();
    const Command* command = nullptr;
    // Agent commands print one document whatever happens, but for a wrong command line.
    const auto print_error = [&](const base::Json& document) {
        if (command != nullptr && context.prints_documents) console.document(document);
    };
    ExitCode code = ExitCode::failed;
    try {
        try {
            const Call call = parse_command_line(
                commands, std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
            command = call.command;
            if (call.version) {
                console.text(fmt::format("oauth3 {}\n", kVersion));
                return 0;
            }
            if (call.help) {
                console.text(command == nullptr ? help_text(commands) : help_text(*command));
                return 0;
            }
            context.prints_documents =
                command->audience == Audience::agent ||
                (command->audience == Audience::human &&
                 (call.arguments.has("--json") || !console.out_is_terminal()));
            code = command->run(call.arguments, context);
        } catch (const UsageError& error) {
            console.error(error.what(), error.hint());
            code = ExitCode::usage;
        } catch (const std::invalid_argument& error) {
            console.error(error.what());
            code = ExitCode::usage;
        } catch (const ClientError& error) {
            console.error(error.what(), error.hint());
            code = exit_code(error.kind());
            print_error(error_document(error));
        } catch (const base::Error& error) {
            console.error(error.what(), error.hint());
            code = error.code() == "authentication" ? ExitCode::authentication : ExitCode::failed;
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
