#include "cli/settings.h"

#include "base/files.h"
#include "base/json.h"
#include "base/utf8.h"
#include "cli/config.h"
#include "cli/suggest.h"

#include <fmt/format.h>

#include <algorithm>

namespace oauth3::cli {
namespace {

using base::Json;

std::string_view bare_name(const OptionSpec& option) {
    return option.name.substr(2);
}

std::string variable_of(const OptionSpec& option) {
    std::string out = "OAUTH3_";
    for (const char c : bare_name(option)) {
        if (c == '-') {
            out += '_';
        } else {
            out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        }
    }
    return out;
}

/// Adds the values of one option, unless there are none.
void add_all(const OptionSpec& option, std::vector<std::string> values, std::string source,
             Arguments& arguments) {
    for (std::string& value : values) arguments.add(option.name, std::move(value));
    if (!values.empty()) arguments.set_source(option.name, std::move(source));
}

void set_flag(const OptionSpec& option, bool on, std::string source, Arguments& arguments) {
    if (!on) return;
    arguments.add_flag(option.name);
    arguments.set_source(option.name, std::move(source));
}

void add_from_environment(const OptionSpec& option, Arguments& arguments) {
    const std::string name = variable_of(option);
    const auto text = environment(name.c_str());
    if (!text) return;
    std::string source = "$" + name;
    if (!option.value.empty()) {
        add_all(option, option.repeated ? words_of(*text) : std::vector<std::string>{*text},
                std::move(source), arguments);
        return;
    }
    const bool on = *text == "1" || *text == "true" || *text == "yes";
    if (!on && *text != "0" && *text != "false" && *text != "no")
        throw UsageError(
            fmt::format("{} must be true or false, not {}.", source, in_quotes(*text)));
    // What is said to be off here must not be switched on by the file.
    set_flag(option, on, std::move(source), arguments);
}

bool is_in_environment(const OptionSpec& option) {
    return environment(variable_of(option).c_str()).has_value();
}

/// A text or number as the command line would have it; nullopt for anything else.
std::optional<std::string> scalar(const Json& value) {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_number_integer()) return base::dump_json(value);
    return std::nullopt;
}

void add_from_file(const OptionSpec& option, const Json& value, const std::string& source,
                   Arguments& arguments) {
    const auto refuse = [&](std::string_view kind) {
        throw UsageError(fmt::format("{} must be {}.", source, kind));
    };
    if (option.value.empty()) {
        if (!value.is_boolean()) refuse("true or false");
        set_flag(option, value.get<bool>(), source, arguments);
        return;
    }
    std::vector<std::string> values;
    const bool is_list = option.repeated && value.is_array();
    for (const Json& item : is_list ? value : Json::array({value})) {
        const auto text = scalar(item);
        if (!text) refuse(option.repeated ? "a text or a list of texts" : "a text or a number");
        values.push_back(*text);
    }
    add_all(option, std::move(values), source, arguments);
}

Json read_settings(const std::string& path, const std::string& source) {
    Json file;
    try {
        file = base::parse_json(base::read_file(path));
    } catch (const base::JsonError& error) {
        throw UsageError(fmt::format("{}: {}: {}.", source, path, error.what()));
    } catch (const base::Error& error) {
        throw UsageError(fmt::format("{}: {}.", source, error.what()));
    }
    if (!file.is_object())
        throw UsageError(fmt::format("{}: {} holds no JSON object.", source, path));
    return file;
}

}  // namespace

void add_settings(const Command& command, Arguments& arguments) {
    for (const OptionSpec& option : command.options)
        if (!arguments.has(option.name)) add_from_environment(option, arguments);

    const auto path = arguments.text("--config");
    if (!path) return;
    const std::string source = arguments.source("--config");
    const Json file = read_settings(*path, source);
    std::vector<std::string_view> names;
    for (const OptionSpec& option : command.options)
        if (option.name != "--config") names.push_back(bare_name(option));
    for (const auto& item : file.items()) {
        const std::string& name = item.key();
        const auto option = std::find_if(command.options.begin(), command.options.end(),
                                         [&](const OptionSpec& o) { return bare_name(o) == name; });
        if (option == command.options.end() || name == "config")
            throw UsageError(
                fmt::format("{}: {} holds the unknown setting {}.", source, *path, in_quotes(name)),
                hint_for(name, names, fmt::format("oauth3 {} --help", command.name)));
        if (arguments.has(option->name) || is_in_environment(*option)) continue;
        add_from_file(*option, item.value(), fmt::format("'{}' in {}", name, *path), arguments);
    }
}

}  // namespace oauth3::cli
