#pragma once

#include "base/json.h"

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace oauth3::skill {

/// Environment variables in the order in which they are set.
using Environment = std::vector<std::pair<std::string, std::string>>;

/// Why arguments are refused: `code` is the wire's (invalid_arg, reserved_name,
/// arg_shadows_secret, args_too_large), `message` one plain sentence.
struct ArgsProblem {
    std::string code;
    std::string message;
};

/// The text that a program sees of an argument that is not null: strings as they are, all else as
/// compact JSON.
std::string text_of(const base::Json& value);

/// SKILL_ARGS may be at most this long, in bytes.
inline constexpr std::size_t kMaxSkillArgs = 96 * 1024;

/// Turns the `args` object of a request into environment variables (wire 4.3): strings as they
/// are, numbers and booleans as JSON text, objects and arrays as compact JSON, null not at all;
/// SKILL_ARGS holds the whole object. `args` must be an object.
std::variant<Environment, ArgsProblem> environment_of(const base::Json& args,
                                                      const std::vector<std::string>& secrets);

}  // namespace oauth3::skill
