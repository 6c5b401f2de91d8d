#include "base/json.h"
#include "base/utf8.h"
#include "cli/commands/commands.h"
#include "cli/console.h"
#include "cli/keys.h"
#include "cli/meaning.h"
#include "cli/options.h"
#include "cli/render.h"
#include "cli/sheet.h"
#include "cli/skill_input.h"
#include "cli/terminal.h"

#include <fmt/format.h>

#include <optional>

namespace oauth3::cli {
namespace {

using base::Json;

Json fetch(Client& client, const std::string& id) {
    return base::parse_json(client.request(id).json);
}

Consent read_consent(const Arguments& arguments) {
    Consent out;
    out.level = arguments.text_or("--level", "once");
    out.pin_args = arguments.has("--pin-args");
    out.known_code_only = arguments.has("--known-code-only");
    if (arguments.has("--narrow"))
        out.narrow = base::parse_json(read_json_object(arguments, "--narrow"));
    // The session that a lower level makes takes any arguments: a promise would be false.
    if (out.pin_args && out.level != "24h" && out.level != "forever")
        throw UsageError("--pin-args goes with --level 24h or forever.");
    return out;
}

/// Options that would be ignored look as if they did something.
void check_kind(const Json& request, const Arguments& arguments) {
    const bool scope = request.contains("scope_request");
    if (!scope && arguments.has("--known-code-only"))
        throw UsageError("--known-code-only is for scopes: an execution only approves its code.");
    if (scope && (arguments.has("--level") || arguments.has("--pin-args")))
        throw UsageError("--level and --pin-args are for executions: a scope is a session.");
}

Client::Decision decision_of(const Consent& consent, const Json& request) {
    Client::Decision out;
    out.approve = true;
    out.level = consent.level;
    if (consent.pin_args) out.pin_args = true;
    if (consent.known_code_only) out.any_code = false;
    if (consent.narrow.is_object()) out.narrow_json = base::dump_json(consent.narrow);
    out.session_digest = request.is_object() ? request.value("session_digest", "") : "";
    return out;
}

void refuse_what_cannot_be_approved(const Json& request) {
    if (!waits_for_decision(request)) {
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
    const Consent consent = read_consent(arguments);
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
    check_kind(request, arguments);
    if (asks) {
        const bool colour = context.console.colour();
        terminal->write(render_request(request, colour) + "\n" + render_in_short(request, colour) +
                        narrowing_text(consent.narrow, colour) + "\n" +
                        wrapped(meaning(request, consent), 0) + "\n");
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
    const Reply reply = client.decide(id, decision_of(consent, asks ? request : Json()));
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
            "terminal, and what approving it means. Without a terminal, --yes is needed.\n\n"
            "A level says for how long the code of an execution is approved: once, this run with "
            "these arguments; session, this code again within its session; 24h and forever, this "
            "code in every session of the agent, with exactly these secrets and networks, and in "
            "this session with whatever it holds. See TRUST.\n\n"
            "--narrow takes a JSON object whose members replace those of the request and may only "
            "be less: secrets, networks, rules, max_timeout, and for a scope also args, max_runs, "
            "expires_in and any_code.",
        .positional = "ID",
        .positional_help = "The id of the request",
        .options = human_options(
            {{.name = "--level",
              .value = "LEVEL",
              .help = "For how long the code of an execution is approved; default: once",
              .choices = {"once", "session", "24h", "forever"}},
             {.name = "--pin-args",
              .help = "With 24h and forever: trust the code with these arguments only"},
             {.name = "--known-code-only",
              .help = "Of a scope: code that was not approved in the session asks each time"},
             {.name = "--narrow",
              .value = "FILE",
              .help = "Approve less than was asked: a JSON object",
              .is_path = true},
             {.name = "--yes", .help = "Approve without showing and asking"}}),
        .run = &run_approve,
    };
}

}  // namespace oauth3::cli
