#include "cli/help.h"

#include <fmt/format.h>

#include <algorithm>

namespace oauth3::cli {
namespace {

/// The case of one command: its options, and what each of them takes.
std::string case_of(const Command& command) {
    std::string options;
    std::vector<std::string_view> paths;
    std::vector<std::string_view> texts;
    std::string values;
    for (const OptionSpec& option : command.options) {
        options += fmt::format("{} ", option.name);
        if (option.is_path) {
            paths.push_back(option.name);
        } else if (!option.choices.empty()) {
            values += fmt::format("                {}) words=\"{}\" ;;\n", option.name,
                                  fmt::join(option.choices, " "));
        } else if (!option.value.empty()) {
            texts.push_back(option.name);
        }
    }
    if (!paths.empty())
        values += fmt::format("                {}) files=1 ;;\n", fmt::join(paths, "|"));
    if (!texts.empty())
        values += fmt::format("                {}) return ;;\n", fmt::join(texts, "|"));
    std::string out =
        fmt::format("        '{}')\n            options=\"{}--help\"\n", command.name, options);
    if (command.positional_is_path) out += "            positional_files=1\n";
    if (values.empty()) return out + "            ;;\n";
    return out + "            case $before in\n" + values + "            esac ;;\n";
}

}  // namespace

std::string bash_completion(const std::vector<Command>& commands) {
    std::string names;
    std::string cases;
    std::vector<std::string_view> groups;
    for (const Command& command : commands) {
        const std::string_view group = group_of(command.name);
        if (group.empty()) {
            names += fmt::format("{} ", command.name);
        } else if (std::find(groups.begin(), groups.end(), group) == groups.end()) {
            groups.push_back(group);
            const bool is_command = std::any_of(commands.begin(), commands.end(),
                                                [&](const Command& c) { return c.name == group; });
            if (!is_command) names += fmt::format("{} ", group);
        }
        cases += case_of(command);
    }
    std::string verbs;
    for (const std::string_view group : groups) {
        verbs += fmt::format("        {}) verbs=\"", group);
        std::string_view between;
        for (const Command& command : commands) {
            if (group_of(command.name) != group) continue;
            verbs += fmt::format("{}{}", between, command.name.substr(group.size() + 1));
            between = " ";
        }
        verbs += "\" ;;\n";
    }
    return fmt::format(
        R"(# bash completion of oauth3, written from its table of commands: do not edit.
_oauth3() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}
    local command=${{COMP_WORDS[1]}} verb=${{COMP_WORDS[2]}}
    local options="" words="" files="" positional_files="" verbs="" known=""
    local IFS=$' \n'
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "{}--help --version" -- "$word"))
        return
    fi
    case $command in
{}    esac
    if [ -n "$verbs" ]; then
        if [ "$COMP_CWORD" -eq 2 ] && [ "${{word:0:1}}" != - ]; then
            COMPREPLY=($(compgen -W "$verbs" -- "$word"))
            return
        fi
        for known in $verbs; do
            [ "$known" != "$verb" ] || command="$command $verb"
        done
    fi
    case $command in
{}        *) return ;;
    esac
    [ -z "$positional_files" ] || [ "${{word:0:1}}" = - ] || files=1
    if [ -n "$files" ]; then
        IFS=$'\n'
        compopt -o filenames 2>/dev/null
        COMPREPLY=($(compgen -f -- "$word"))
    elif [ -n "$words" ]; then
        COMPREPLY=($(compgen -W "$words" -- "$word"))
    elif [ "${{word:0:1}}" = - ]; then
        COMPREPLY=($(compgen -W "$options" -- "$word"))
    fi
}}
complete -F _oauth3 oauth3
)",
        names, verbs, cases);
}

}  // namespace oauth3::cli
