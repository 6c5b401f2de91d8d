#include "base/utf8.h"
#include "cli/commands/commands.h"
#include "cli/console.h"
#include "cli/offline_cases.h"
#include "cli/options.h"
#include "cli/sheet.h"

#include <fmt/format.h>

namespace oauth3::cli {
namespace {

std::string render(const std::vector<CaseResult>& results, bool colour) {
    const Style style(colour);
    std::string out;
    std::size_t failed = 0;
    for (const CaseResult& result : results) {
        failed += result.passed() ? 0U : 1U;
        std::string line =
            (result.passed() ? "ok    " : style.alarm("FAIL") + "  ") + shown(result.file);
        if (result.name + ".json" != result.file) line += "  " + shown(result.name);
        out += wrapped(line, 6) + "\n";
        for (const std::string& problem : result.problems)
            out += "      " + wrapped(shown(problem), 6) + "\n";
    }
    return out + fmt::format("{} of {} case{} passed.\n", results.size() - failed, results.size(),
                             results.size() == 1 ? "" : "s");
}

ExitCode run_test(const Arguments& arguments, Context& context) {
    const std::vector<CaseResult> results = run_cases(arguments.positional());
    const base::Json document = cases_json(results);
    if (context.prints_documents) {
        context.console.document(document);
    } else {
        context.console.text(render(results, context.console.colour()));
    }
    return document["failed"] == 0 ? ExitCode::ok : ExitCode::failed;
}

}  // namespace

std::vector<Command> policy_commands() {
    return {{
        .name = "policy test",
        .audience = Audience::offline,
        .summary = "Run recorded cases of scopes and programs",
        .description =
            "Each file of the folder that ends in .json is a case; see POLICY TESTS. Ends with 0 "
            "if all pass, with 1 if one fails, with 2 if one makes no sense or there is none.",
        .positional = "FOLDER",
        .positional_help = "Where the cases lie; folders in it are not searched",
        .positional_is_path = true,
        .options = {json_option()},
        .run = &run_test,
    }};
}

}  // namespace oauth3::cli
