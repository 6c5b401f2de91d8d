#include "cli/parser.h"

#include "base/utf8.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <numeric>

// The only file that includes CLI11, which takes long to compile.

namespace oauth3::cli {
namespace {

/// Where CLI11 stores what it reads for one option.
struct Slot {
    std::vector<std::string> values;
    bool flag = false;
};

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            row[j] =
                std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
            diagonal = above;
        }
    }
    return row[b.size()];
}

std::string in_quotes(std::string_view word) {
    return "'" + base::make_visible(base::cut_utf8(word, 80), false) + "'";
}

std::string hint_for(std::string_view word, const std::vector<std::string_view>& names,
                     std::string_view help) {
    const std::string_view near = nearest_name(word, names);
    return near.empty() ? fmt::format("See '{}'.", help) : fmt::format("Did you mean '{}'?", near);
}

[[noreturn]] void refuse_extra(const Command& command, std::string_view word) {
    const std::string help = fmt::format("oauth3 {} --help", command.name);
    if (word.size() > 1 && word.front() == '-') {
        std::vector<std::string_view> names{"--help"};
        for (const OptionSpec& option : command.options) names.push_back(option.name);
        const std::string_view name = word.substr(0, word.find('='));
        throw UsageError(fmt::format("'{}' has no option {}.", command.name, in_quotes(name)),
                         hint_for(name, names, help));
    }
    throw UsageError(
        fmt::format("'{}' does not take the argument {}.", command.name, in_quotes(word)),
        fmt::format("See '{}'.", help));
}

void check_choice(const Command& command, const OptionSpec& option, const std::string& value) {
    if (option.choices.empty()) return;
    if (std::find(option.choices.begin(), option.choices.end(), value) != option.choices.end())
        return;
    throw UsageError(
        fmt::format("{} of '{}' cannot be {}: it is one of {}.", option.name, command.name,
                    in_quotes(value), fmt::join(option.choices, ", ")),
        hint_for(value, option.choices, fmt::format("oauth3 {} --help", command.name)));
}

void declare(CLI::App& app, const OptionSpec& option, Slot& slot) {
    const std::string name(option.name);
    if (option.value.empty()) {
        app.add_flag(name, slot.flag);
    } else {
        // One value each time it is given; whether it may be repeated is said below in a sentence.
        app.add_option(name, slot.values)->expected(1)->allow_extra_args(false)->take_all();
    }
}

Arguments collect(const Command& command, std::map<std::string_view, Slot>& slots,
                  std::vector<std::string> rest) {
    Arguments out;
    if (!command.positional.empty() && !rest.empty() &&
        (rest.front() == "-" || rest.front().front() != '-')) {
        out.set_positional(rest.front());
        rest.erase(rest.begin());
    }
    if (!rest.empty()) refuse_extra(command, rest.front());
    const std::string help = fmt::format("See 'oauth3 {} --help'.", command.name);
    for (const OptionSpec& option : command.options) {
        Slot& slot = slots[option.name];
        if (slot.flag) out.add_flag(option.name);
        if (!option.repeated && slot.values.size() > 1)
            throw UsageError(fmt::format("{} is given more than once.", option.name), help);
        if (option.required && slot.values.empty())
            throw UsageError(
                fmt::format("'{}' needs {} {}.", command.name, option.name, option.value), help);
        for (std::string& value : slot.values) {
            check_choice(command, option, value);
            out.add(option.name, std::move(value));
        }
    }
    if (!command.positional.empty() && out.positional().empty())
        throw UsageError(fmt::format("'{}' needs {} {}.", command.name,
                                     command.positional == "ID" ? "an" : "a", command.positional),
                         help);
    return out;
}

}  // namespace

std::string_view nearest_name(std::string_view word, const std::vector<std::string_view>& names) {
    std::string_view best;
    std::size_t best_distance = std::min<std::size_t>(4, word.size() / 2 + 1);
    for (const std::string_view name : names) {
        const std::size_t distance = edit_distance(word, name);
        if (distance < best_distance) {
            best = name;
            best_distance = distance;
        }
    }
    return best;
}

Call parse_command_line(const std::vector<Command>& commands,
                        const std::vector<std::string>& words) {
    std::vector<std::string_view> names;
    for (const Command& command : commands) names.push_back(command.name);
    if (words.empty()) throw UsageError("No command is given.", "See 'oauth3 --help'.");

    Call call;
    if (words.front() == "--version") {
        call.version = true;
        return call;
    }
    if (words.front() == "--help" || words.front() == "-h" || words.front() == "help") {
        call.help = true;
        return call;
    }
    const auto found = std::find_if(commands.begin(), commands.end(),
                                    [&](const Command& c) { return c.name == words.front(); });
    if (found == commands.end()) {
        names.insert(names.end(), {"--help", "--version"});
        if (words.front().size() > 1 && words.front().front() == '-')
            throw UsageError(
                fmt::format("{} is not an option of oauth3 itself; options follow the command.",
                            in_quotes(words.front())),
                hint_for(words.front(), {"--help", "--version"}, "oauth3 --help"));
        throw UsageError(fmt::format("{} is not a command.", in_quotes(words.front())),
                         hint_for(words.front(), names, "oauth3 --help"));
    }
    call.command = &*found;

    CLI::App app;
    app.set_help_flag();
    app.allow_extras();
    app.add_flag("-h,--help", call.help);
    std::map<std::string_view, Slot> slots;
    for (const OptionSpec& option : found->options) declare(app, option, slots[option.name]);
    try {
        app.parse(std::vector<std::string>(words.rbegin(), words.rend() - 1));
    } catch (const CLI::ArgumentMismatch&) {
        // The value is missing: the last word, or the one before the next option.
        for (std::size_t i = 1; i < words.size(); ++i) {
            const bool last = i + 1 == words.size();
            const auto option =
                std::find_if(found->options.begin(), found->options.end(),
                             [&](const OptionSpec& o) { return o.name == words[i]; });
            if (option == found->options.end() || option->value.empty()) continue;
            if (last || (words[i + 1].size() > 1 && words[i + 1].front() == '-'))
                throw UsageError(fmt::format("{} needs a value: {}.", option->name, option->value),
                                 fmt::format("See 'oauth3 {} --help'.", found->name));
        }
        throw UsageError(fmt::format("An option of '{}' lacks its value.", found->name),
                         fmt::format("See 'oauth3 {} --help'.", found->name));
    } catch (const CLI::ParseError& error) {
        throw UsageError(base::make_visible(error.what(), false),
                         fmt::format("See 'oauth3 {} --help'.", found->name));
    }
    if (!call.help) call.arguments = collect(*found, slots, app.remaining());
    return call;
}

}  // namespace oauth3::cli
