#pragma once

#include <string_view>

namespace oauth3::skill {

/// [A-Z_][A-Z0-9_]{0,63}: how a secret is called. Whether it is reserved is another question.
bool is_secret_name(std::string_view name);

/// [A-Za-z_][A-Za-z0-9_]{0,63}: how an argument is called.
bool is_arg_name(std::string_view name);

/// Names that neither an argument nor a secret may have, because they would steer the dynamic
/// loader, the runtime or a tool instead of the program (wire 4.3).
bool is_reserved_name(std::string_view name);

}  // namespace oauth3::skill
