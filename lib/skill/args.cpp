#include "skill/args.h"

#include "base/utf8.h"
#include "skill/names.h"

#include <fmt/format.h>

#include <algorithm>

namespace oauth3::skill {
namespace {

std::string shown(std::string_view name) {
    return base::make_visible(base::cut_utf8(name, 64), false);
}

}  // namespace

std::string text_of(const base::Json& value) {
    return value.is_string() ? value.get<std::string>() : base::dump_json(value);
}

std::variant<Environment, ArgsProblem> environment_of(const base::Json& args,
                                                      const std::vector<std::string>& secrets) {
    Environment out;
    const std::string whole = base::dump_json(args);
    if (whole.size() > kMaxSkillArgs)
        return ArgsProblem{"args_too_large", "The arguments are larger than 96 KiB."};
    out.emplace_back("SKILL_ARGS", whole);
    for (const auto& [name, value] : args.items()) {
        if (!is_arg_name(name))
            return ArgsProblem{"invalid_arg",
                               fmt::format("\"{}\" is not a name for an argument.", shown(name))};
        if (is_reserved_name(name))
            return ArgsProblem{"reserved_name",
                               fmt::format("The argument name {} is reserved.", name)};
        if (std::find(secrets.begin(), secrets.end(), name) != secrets.end())
            return ArgsProblem{
                "arg_shadows_secret",
                fmt::format("The argument {} has the name of a requested secret.", name)};
        if (value.is_null()) continue;
        std::string text = text_of(value);
        if (text.find('\0') != std::string::npos)
            return ArgsProblem{"invalid_arg",
                               fmt::format("The argument {} holds a NUL character.", name)};
        out.emplace_back(name, std::move(text));
    }
    return out;
}

}  // namespace oauth3::skill
