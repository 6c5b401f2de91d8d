#include "base/json.h"
#include "base/utf8.h"
#include "cli/commands/commands.h"
#include "cli/console.h"
#include "cli/keys.h"
#include "cli/options.h"
#include "cli/render.h"
#include "cli/terminal.h"

#include <fmt/format.h>

#include <optional>

namespace oauth3::cli {
namespace {

using base::Json;

Json fetch(Client& client, const std::string& id) {
    return base::parse_json(client.request(id).json);
}

bool is_undecided(const Json& request) {
    return request.value("status", Json()) == "pending" ||
           request.value("status", Json()) == "pending_scope";
}

/// What the human is asked to allow, in one sentence.
std::string meaning(const Json& request, const std::string& level) {
    if (request.contains("scope_request"))
        return "Approving allows what is listed above for this session, without further questions.";
    if (level == "session")
        return "Approving allows this code to run now and again in this session.";
    return "Approving allows this code to run once.";
}

void refuse_what_cannot_be_approved(const Json& request) {
    if (!is_undecided(request)) {
        const Json status = request.value("status", Json());
        throw base::Error("already_decided",
                          fmt::format("This request waits for no decision: it is {}.",
                                      status.is_string() ? status.get<std::string>() : "unknown"));
    }
    if (!code_matches_hash(request))
        throw base::Error("skill_hash_mismatch",
                          "The server shows other code than the hash that it would approve.",
                          "Do not approve this, and look into the server.");
}

void print_decision(const Json& reply, const std::string& id, Context& context) {
    if (context.prints_documents) {
        context.console.document(reply);
        return;
    }
    const Json status = reply.value("status", Json());
    context.console.text(fmt::format(
        "Approved {}; it is {}.\n", id,
        base::make_visible(status.is_string() ? status.get<std::string>() : "unknown", false)));
}

ExitCode run_approve(const Arguments& arguments, Context& context) {
    const std::string id = request_id_of(arguments);
    const std::string level = arguments.text_or("--level", "once");
    const bool asks = !arguments.has("--yes");
    std::optional<Terminal> terminal;
    if (asks) {
        terminal.emplace();
        if (!terminal->is_open())
            throw UsageError("'approve' asks on the terminal, and there is none.",
                             "--yes approves without asking.");
    }
    Client client = connect_owner(arguments, context);
    const Json request = fetch(client, id);
    refuse_what_cannot_be_approved(request);
    if (asks) {
        const bool colour = context.console.colour();
        terminal->write(render_request(request, colour) + "\n" + render_in_short(request, colour) +
                        "\n" + meaning(request, level) + "\n");
        if (!terminal->confirm("Approve? [y/N] ")) {
            context.console.error("Nothing was decided.",
                                  fmt::format("To refuse it: oauth3 deny {}", id));
            if (context.prints_documents)
                context.console.document({{"id", id}, {"error", "Nothing was decided."}});
            return ExitCode::failed;
        }
        // The decision is on what was read, not on what the server would show now.
        const Json now = fetch(client, id);
        refuse_what_cannot_be_approved(now);
        if (essence(now) != essence(request))
            throw base::Error(
                "changed", "The request has changed since it was shown.",
                fmt::format("Nothing was decided. Look again: oauth3 approve {}", id));
    }
    // Whoever has looked decides on the session that was shown, too.
    const Json digest = asks ? request.value("session_digest", Json()) : Json();
    const Reply reply = client.decide(
        id, {.approve = true,
             .level = level,
             .session_digest = digest.is_string() ? digest.get<std::string>() : std::string()});
    print_decision(base::parse_json(reply.json), id, context);
    return ExitCode::ok;
}

}  // namespace

Command approve_command() {
    return {
        .name = "approve",
        .audience = Audience::human,
        .summary = "Show a request, ask on the terminal, and approve it",
        .description =
            "Everything that the request asks for and its whole code are shown first, on the "
            "terminal. Without a terminal, --yes is needed.",
        .positional = "ID",
        .positional_help = "The id of the request",
        .options = human_options(
            {{.name = "--level",
              .value = "LEVEL",
              .help = "For how long the code of an execution is approved; default: once",
              .choices = {"once", "session"}},
             {.name = "--yes", .help = "Approve without showing and asking"}}),
        .run = &run_approve,
    };
}

}  // namespace oauth3::cli
