#include "cli/parser.h"

#include "base/utf8.h"
#include "cli/settings.h"
#include "cli/suggest.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

// The only file that includes CLI11, which takes long to compile.

namespace oauth3::cli {
namespace {

/// Where CLI11 stores what it reads for one option.
struct Slot {
    std::vector<std::string> values;
    bool flag = false;
};

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

void check_choices(const Command& command, const Arguments& arguments) {
    for (const OptionSpec& option : command.options) {
        if (option.choices.empty()) continue;
        for (const std::string& value : arguments.list(option.name)) {
            if (std::find(option.choices.begin(), option.choices.end(), value) !=
                option.choices.end())
                continue;
            throw UsageError(
                fmt::format("{} of '{}' cannot be {}: it is one of {}.",
                            arguments.source(option.name), command.name, in_quotes(value),
                            fmt::join(option.choices, ", ")),
                hint_for(value, option.choices, fmt::format("oauth3 {} --help", command.name)));
        }
    }
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
            // An empty one is most often a variable that is not set, and would silently take away
            // what the option is there for.
            if (value.empty() && !option.may_be_empty)
                throw UsageError(fmt::format("The value of {} is empty.", option.name), help);
            out.add(option.name, std::move(value));
        }
    }
    if (!command.positional.empty() && !command.positional_is_optional && out.positional().empty())
        throw UsageError(fmt::format("'{}' needs {} {}.", command.name,
                                     command.positional == "ID" ? "an" : "a", command.positional),
                         help);
    if (command.takes_settings) add_settings(command, out);
    check_choices(command, out);
    return out;
}

/// The command that the first words name, and how many words that takes.
struct Found {
    const Command* command = nullptr;
    std::size_t words = 0;
    std::string group;  ///< set if only the help of a group can be meant
};

bool is_help(const std::string& word) {
    return word == "--help" || word == "-h";
}

/// For a first word that is a group: its command by the second word.
Found find_in_group(const std::vector<Command>& commands, const std::vector<std::string>& words) {
    const std::string& group = words.front();
    std::vector<std::string_view> verbs;
    const Command* list = nullptr;
    for (const Command& command : commands) {
        if (group_of(command.name) != group) continue;
        verbs.push_back(command.name.substr(group.size() + 1));
        if (words.size() > 1 && verbs.back() == words[1]) return {&command, 2, {}};
        if (verbs.back() == "list") list = &command;
    }
    if (words.size() > 1 && is_help(words[1])) return {nullptr, 1, group};
    if (list != nullptr && (words.size() == 1 || words[1].starts_with('-'))) return {list, 1, {}};
    const std::string help = fmt::format("oauth3 {} --help", group);
    if (words.size() == 1)
        throw UsageError(
            fmt::format("'{}' needs one of these after it: {}.", group, fmt::join(verbs, ", ")),
            fmt::format("See '{}'.", help));
    throw UsageError(fmt::format("'{}' has no command {}: it has {}.", group, in_quotes(words[1]),
                                 fmt::join(verbs, ", ")),
                     hint_for(words[1], verbs, help));
}

Found find_command(const std::vector<Command>& commands, const std::vector<std::string>& words) {
    const std::string& first = words.front();
    const bool is_group = std::any_of(commands.begin(), commands.end(),
                                      [&](const Command& c) { return group_of(c.name) == first; });
    // "audit" is a command and a group: only an option can follow the command itself.
    const bool names_verb = is_group && words.size() > 1 && !words[1].starts_with('-');
    for (const Command& command : commands)
        if (command.name == first && !names_verb) return {&command, 1, {}};
    if (is_group) return find_in_group(commands, words);

    if (first.size() > 1 && first.front() == '-')
        throw UsageError(
            fmt::format("{} is not an option of oauth3 itself; options follow the command.",
                        in_quotes(first)),
            hint_for(first, {"--help", "--version"}, "oauth3 --help"));
    std::vector<std::string_view> names{"--help", "--version"};
    for (const Command& command : commands) {
        const std::string_view group = group_of(command.name);
        const std::string_view name = group.empty() ? command.name : group;
        if (names.back() != name) names.push_back(name);
    }
    throw UsageError(fmt::format("{} is not a command.", in_quotes(first)),
                     hint_for(first, names, "oauth3 --help"));
}

}  // namespace

Call parse_command_line(const std::vector<Command>& commands, const std::vector<std::string>& words,
                        const Command** known) {
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
    // Of a wrong verb it is still known whose group it is: agents get a document then, too.
    if (known != nullptr)
        for (const Command& command : commands)
            if (command.name == words.front()) *known = &command;
    const Found named = find_command(commands, words);
    if (named.command == nullptr) {
        call.help = true;
        call.group = named.group;
        return call;
    }
    const Command* const found = named.command;
    call.command = found;
    if (known != nullptr) *known = found;

    CLI::App app;
    app.set_help_flag();
    app.allow_extras();
    app.add_flag("-h,--help", call.help);
    std::map<std::string_view, Slot> slots;
    for (const OptionSpec& option : found->options) declare(app, option, slots[option.name]);
    try {
        app.parse(std::vector<std::string>(
            words.rbegin(), words.rend() - static_cast<std::ptrdiff_t>(named.words)));
    } catch (const CLI::ArgumentMismatch&) {
        // The value is missing: the last word, or the one before the next option.
        for (std::size_t i = named.words; i < words.size(); ++i) {
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
