#include "cli/waiting.h"

#include "base/utf8.h"
#include "cli/console.h"
#include "cli/sheet.h"

#include <fmt/format.h>

namespace oauth3::cli {

using base::Json;

void announce(const Submission& submission, std::string_view what, Context& context) {
    if (!submission.approval_url.empty())
        context.console.note(fmt::format("👉 Approve {}: {}", what, submission.approval_url));
}

void tell_how_to_go_on(std::string_view id, Context& context) {
    context.console.note(fmt::format("        Go on waiting with: oauth3 poll {}", id));
}

std::optional<RequestState> wait_for(Client& client, std::string_view id, Context& context,
                                     ExitCode& code) {
    try {
        return client.poll(id);
    } catch (const ClientError& error) {
        const bool interrupted = error.kind() == ClientErrorKind::interrupted;
        if (!interrupted && error.kind() != ClientErrorKind::timeout) {
            tell_how_to_go_on(id, context);
            throw;
        }
        code = interrupted ? ExitCode::interrupted : ExitCode::timeout;
        const std::string sentence = interrupted ? "interrupted; the request lives on"
                                                 : "no result in time; the request lives on";
        context.console.error(fmt::format("{}: {}.", id, sentence));
        tell_how_to_go_on(id, context);
        if (context.prints_documents)
            context.console.document({{"request_id", id},
                                      {"status", interrupted ? "interrupted" : "timeout"},
                                      {"error", sentence}});
        return std::nullopt;
    }
}

ExitCode exit_code_of(std::string_view status) {
    if (status == "completed") return ExitCode::ok;
    if (status == "denied") return ExitCode::denied;
    if (status == "awaiting_secrets") return ExitCode::awaiting_secrets;
    return ExitCode::failed;
}

ExitCode print_raw(const Json& reply, Context& context) {
    const ExitCode of_status = exit_code_of(text_of(reply, "status"));
    const Json* const result = member(reply, "result");
    if (result == nullptr || member(*result, "stdout") == nullptr) {
        if (of_status != ExitCode::ok)
            context.console.error(fmt::format("There is no result: {}.", text_of(reply, "status")),
                                  text_of(reply, "error"));
        return of_status;
    }
    std::string out = text_of(*result, "stdout");
    while (!out.empty() && out.back() == '\n') out.pop_back();
    if (context.console.out_is_terminal()) out = base::make_visible(out, true);
    context.console.text(out + "\n");

    const Json* const code = member(*result, "exitCode");
    const bool is_code = code != nullptr && code->is_number_integer() && *code >= 0 && *code < 256;
    // What did not succeed must not look as if it had, whatever the program's own code says.
    if (!is_code || (*code == 0 && of_status != ExitCode::ok)) return ExitCode::failed;
    return static_cast<ExitCode>(code->get<int>());
}

ExitCode finish(const RequestState& state, Context& context) {
    const Json reply = base::parse_json(state.reply.json);
    if (context.raw) return print_raw(reply, context);
    context.console.document(reply);
    return exit_code_of(state.status);
}

ExitCode wait_and_finish(Client& client, std::string_view id, Context& context) {
    ExitCode code = ExitCode::failed;
    const auto state = wait_for(client, id, context, code);
    return state ? finish(*state, context) : code;
}

}  // namespace oauth3::cli
