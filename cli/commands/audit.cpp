#include "base/files.h"
#include "base/json.h"
#include "cli/audit_chain.h"
#include "cli/commands/commands.h"
#include "cli/console.h"
#include "cli/keys.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/render_lists.h"
#include "cli/sheet.h"
#include "cli/skill_input.h"

#include <fmt/format.h>

namespace oauth3::cli {
namespace {

using base::Json;

/// An export of a million events.
constexpr std::size_t kMaxExport = std::size_t{1} << 30;

ExitCode run_audit(const Arguments& arguments, Context& context) {
    AuditFilter filter;
    filter.limit = limit_of(arguments);
    filter.before = text_argument(arguments, "--before");
    filter.tenant = text_argument(arguments, "--tenant");
    if (arguments.has("--request")) filter.request_id = text_argument(arguments, "--request");
    Client client = connect_owner(arguments, context);
    const Page page = client.audit(filter);
    return print_either(
        base::parse_json(page.json),
        [&](const Json& document, bool colour) {
            std::string text = render_events(list_in(document, "events"), colour);
            if (page.next.empty()) return text;
            // The story of one request is told from its beginning, so what is missing is its end.
            return text + (filter.request_id.empty()
                               ? fmt::format("There is more: --before {}\n", shown(page.next))
                               : std::string("There is more: a higher --limit shows it\n"));
        },
        context);
}

/// The whole chain of the server, oldest first, page by page, so that it needs no memory.
void check_server(const Arguments& arguments, Context& context, AuditChain& chain) {
    Client client = connect_owner(arguments, context);
    AuditFilter filter;
    filter.limit = 500;
    filter.after = "0";
    for (;;) {
        const Json document = base::parse_json(client.audit(filter).json);
        const Json& events = list_in(document, "events");
        for (const Json& event : events)
            if (!chain.add(event)) return;
        const auto next = document.find("next");
        if (events.empty() || next == document.end() || !next->is_string()) return;
        filter.after = std::to_string(chain.count());
    }
}

void check_file(const std::string& path, AuditChain& chain) {
    std::string text;
    try {
        text = base::read_file(path, kMaxExport);
    } catch (const base::Error& error) {
        throw UsageError(fmt::format("--file: {}.", error.what()));
    }
    for (const Json& event : read_exported_events(text))
        if (!chain.add(event)) return;
}

ExitCode run_verify(const Arguments& arguments, Context& context) {
    AuditChain chain;
    if (const auto path = arguments.text("--file")) {
        check_file(*path, chain);
    } else {
        check_server(arguments, context, chain);
    }
    Json document{
        {"valid", !chain.broken_at()}, {"events", chain.count()}, {"last_hash", chain.last_hash()}};
    if (chain.broken_at()) {
        document["broken_at"] = *chain.broken_at();
        document["error"] =
            fmt::format("Event {} breaks the chain: {}.", *chain.broken_at(), chain.reason());
        context.console.error(document["error"].get<std::string>());
    }
    if (context.prints_documents) {
        context.console.document(document);
    } else {
        context.console.text(
            chain.broken_at()
                ? fmt::format("Broken: {} event{} before it hold.\n", chain.count(),
                              chain.count() == 1 ? "" : "s")
                : fmt::format("The chain holds: {} event{}, the last hash is {}.\n", chain.count(),
                              chain.count() == 1 ? "" : "s", chain.last_hash()));
    }
    return chain.broken_at() ? ExitCode::failed : ExitCode::ok;
}

}  // namespace

std::vector<Command> audit_commands() {
    return {
        {
            .name = "audit",
            .audience = Audience::human,
            .summary = "List what happened: every decision, run and log-in, newest first",
            .description =
                "All events of one owner are one chain: each holds the hash of the one before it. "
                "'oauth3 audit verify' checks it.",
            .options = human_options(
                {limit_option(),
                 before_option(),
                 {.name = "--tenant", .value = "ID", .help = "Only the events of this agent"},
                 {.name = "--request",
                  .value = "ID",
                  .help = "The whole story of one request, oldest first"}}),
            .run = &run_audit,
        },
        {
            .name = "audit verify",
            .audience = Audience::human,
            .summary = "Check the whole chain of events",
            .description =
                "Fetches all events and checks each hash, that each names the hash of the one "
                "before it, and that none is missing. Prints how many there are and the last "
                "hash; ends with 1 and the number of the first broken event if the chain does not "
                "hold. Keep the last hash somewhere else: it is what shows that events were cut "
                "off at the end.\n\n"
                "An exported file is one event a line, as JSON, or what 'oauth3 audit --json' "
                "prints; it has to begin with event 1.",
            .options = human_options(
                {{.name = "--file",
                  .value = "FILE",
                  .help = "Check an exported file instead; needs no server and no key",
                  .is_path = true}}),
            .run = &run_verify,
        },
    };
}

}  // namespace oauth3::cli
