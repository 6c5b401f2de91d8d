#include "base/json.h"
#include "cli/commands/commands.h"
#include "cli/console.h"
#include "cli/keys.h"
#include "cli/options.h"
#include "cli/render.h"

namespace oauth3::cli {
namespace {

/// A list that does not end is a server that misbehaves.
constexpr int kMostPages = 100;

ExitCode run_pending(const Arguments& arguments, Context& context) {
    Client client = connect_owner(arguments, context);
    base::Json all = base::Json::array();
    std::string before;
    for (int page = 0;; ++page) {
        if (page == kMostPages)
            throw base::Error("bad_reply", "The server's list of requests does not end.");
        const base::Json document = base::parse_json(client.pending(before).json);
        const auto requests = document.find("requests");
        if (requests == document.end() || !requests->is_array())
            throw base::Error("bad_reply", "The reply of the server lacks the list of requests.");
        for (const base::Json& request : *requests) all.push_back(request);
        const auto next = document.find("next");
        if (next == document.end() || !next->is_string()) break;
        before = next->get<std::string>();
    }
    if (context.prints_documents) {
        context.console.document({{"requests", all}, {"next", nullptr}});
    } else {
        context.console.text(render_pending(all, context.console.colour()));
    }
    return ExitCode::ok;
}

}  // namespace

Command pending_command() {
    return {
        .name = "pending",
        .audience = Audience::human,
        .summary = "List the requests that wait for your decision",
        .options = human_options({}),
        .run = &run_pending,
    };
}

}  // namespace oauth3::cli
