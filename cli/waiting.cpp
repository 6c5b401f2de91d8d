#include "cli/waiting.h"

#include "base/json.h"
#include "cli/console.h"

#include <fmt/format.h>

namespace oauth3::cli {

void announce(const Submission& submission, std::string_view what, Context& context) {
    if (!submission.approval_url.empty())
        context.console.note(fmt::format("👉 Approve {}: {}", what, submission.approval_url));
}

std::optional<RequestState> wait_for(Client& client, std::string_view id, Context& context,
                                     ExitCode& code) {
    try {
        return client.poll(id);
    } catch (const ClientError& error) {
        const bool interrupted = error.kind() == ClientErrorKind::interrupted;
        if (!interrupted && error.kind() != ClientErrorKind::timeout) throw;
        code = interrupted ? ExitCode::interrupted : ExitCode::timeout;
        const std::string sentence = interrupted ? "interrupted; the request lives on"
                                                 : "no result in time; the request lives on";
        context.console.error(fmt::format("{}: {}.", id, sentence),
                              fmt::format("Go on waiting with: oauth3 poll {}", id));
        context.console.document({{"request_id", id},
                                  {"status", interrupted ? "interrupted" : "timeout"},
                                  {"error", sentence}});
        return std::nullopt;
    }
}

ExitCode finish(const RequestState& state, Context& context) {
    context.console.document(base::parse_json(state.reply.json));
    if (state.status == "completed") return ExitCode::ok;
    if (state.status == "denied") return ExitCode::denied;
    if (state.status == "awaiting_secrets") return ExitCode::awaiting_secrets;
    return ExitCode::failed;
}

ExitCode wait_and_finish(Client& client, std::string_view id, Context& context) {
    ExitCode code = ExitCode::failed;
    const auto state = wait_for(client, id, context, code);
    return state ? finish(*state, context) : code;
}

}  // namespace oauth3::cli
