#pragma once

#include "base/json.h"

#include <filesystem>
#include <string>
#include <vector>

// Recorded cases of a scope and a run, as a regression suite of a policy.

namespace oauth3::cli {

struct CaseResult {
    std::string file;  ///< its name in the folder
    std::string name;
    bool fits = false;
    std::vector<std::string> violations;
    std::vector<std::string> problems;  ///< what differs from the case, for people; empty: passed

    bool passed() const { return problems.empty(); }
};

/// Runs each *.json file of the folder, by name and not those of folders below:
///     {"name"?, "scope": {...} | "scope_file": "a.json",
///      "request": {"code": "..." | "code_file": "a.ts", "args"?: {}, "secrets"?: []},
///      "expect": "fits" | "violates", "violations"?: ["..."],
///      "calls"?: [{"method", "url", "expect": "allow" | "deny"}]}
/// Files are named as seen from the folder and must lie in it. `calls` are what the egress gate
/// would say of calls of the run. Throws UsageError, naming the file, for a case that makes no
/// sense, and for a folder without any.
std::vector<CaseResult> run_cases(const std::filesystem::path& folder);

/// {"cases":[...],"passed":n,"failed":n}
base::Json cases_json(const std::vector<CaseResult>& results);

}  // namespace oauth3::cli
