#include "cli/scope_input.h"

#include "base/json.h"
#include "cli/skill_input.h"

namespace oauth3::cli {

std::string read_scope(const Arguments& arguments, std::string_view skill_code) {
    base::Json scope = base::parse_json(read_json_object(arguments, "--scope"));
    if (!skill_code.empty()) scope["skill_code"] = skill_code;
    const std::string session = text_argument(arguments, "--session");
    if (!session.empty()) {
        const auto in_file = scope.find("session_id");
        if (in_file != scope.end() && in_file->is_string() &&
            in_file->get<std::string>() != session)
            throw UsageError("--session and the session_id of the scope file differ.");
        scope["session_id"] = session;
    }
    return base::dump_json(scope);
}

}  // namespace oauth3::cli
