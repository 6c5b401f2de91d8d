#pragma once

#include "base/json.h"
#include "cli/sheet.h"

#include <string>
#include <string_view>

// The parts of a scope, a session and a grant as text. What is not as it is expected is shown as
// JSON, so that nothing is left out.

namespace oauth3::cli {

/// "GET, HEAD api.github.com /repos/o/r/**".
std::string rule_text(const base::Json& rule);
/// "REPO matches acme/.*", "COUNT <= 3".
std::string typed_arg_text(const base::Json& arg);
/// "100 requests, 5 uses of GH_TOKEN".
std::string budgets_text(const base::Json& budgets);

/// A member that is a list, one line for each item; `nothing`, if it is not empty, for a list
/// without any and for a member that is not there.
void show_list(Sheet& sheet, std::string_view label, const char* name,
               std::string (*text)(const base::Json&), std::string_view nothing);

/// The constraints of a scope: as texts, and with their classes, which say more.
void show_constraints(Sheet& sheet);

/// The documents of `scope explain`, `scope check`, and the table of phrases.
std::string render_explanation(const base::Json& document, bool colour);
std::string render_verdict(const base::Json& document, bool colour);
std::string render_phrases(const base::Json& document, bool colour);

/// The reply to a back-test, as a section of a request.
std::string render_backtest(const base::Json& backtest, const Style& style);

}  // namespace oauth3::cli
