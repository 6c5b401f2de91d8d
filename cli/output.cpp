#include "cli/output.h"

#include "cli/console.h"

#include <fmt/format.h>

namespace oauth3::cli {

ExitCode print_either(const base::Json& document,
                      const std::function<std::string(const base::Json&, bool)>& render,
                      Context& context) {
    if (context.prints_documents) {
        context.console.document(document);
    } else {
        context.console.text(render(document, context.console.colour()));
    }
    return ExitCode::ok;
}

const base::Json& list_in(const base::Json& document, const char* name) {
    const auto list = document.find(name);
    if (list == document.end() || !list->is_array())
        throw base::Error("bad_reply",
                          fmt::format("The reply of the server lacks the list of {}.", name));
    return *list;
}

}  // namespace oauth3::cli
