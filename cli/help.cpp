#include "cli/help.h"

#include <fmt/format.h>

#include <algorithm>

namespace oauth3::cli {
namespace {

constexpr std::string_view kPurpose =
    "Runs an agent's program with your secrets, after you have approved it.";

struct Line {
    std::string left;
    std::string right;
};

/// Two columns; the right one is wrapped at 96 characters.
std::string table(const std::vector<Line>& lines) {
    constexpr std::size_t kWidth = 96;
    std::size_t column = 0;
    for (const Line& line : lines) column = std::max(column, line.left.size() + 4);
    std::string out;
    for (const Line& line : lines) {
        std::string row = fmt::format("  {:<{}}", line.left, column - 2);
        std::string_view rest = line.right;
        while (!rest.empty()) {
            std::string_view part = rest.substr(0, kWidth - column);
            if (part.size() < rest.size() && part.rfind(' ') != std::string_view::npos)
                part = part.substr(0, part.rfind(' '));
            row += part;
            rest.remove_prefix(std::min(rest.size(), part.size() + 1));
            out += row + "\n";
            row = std::string(column, ' ');
        }
    }
    return out;
}

/// Paragraphs wrapped at 96 characters; indented lines stay as they are.
std::string wrapped(std::string_view text) {
    constexpr std::size_t kWidth = 96;
    std::string out;
    while (!text.empty()) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        while (line.size() > kWidth && line.front() != ' ') {
            const std::size_t at = line.rfind(' ', kWidth);
            if (at == std::string_view::npos) break;
            out += std::string(line.substr(0, at)) + "\n";
            line.remove_prefix(at + 1);
        }
        out += std::string(line) + "\n";
    }
    return out;
}

std::string left_of(const OptionSpec& option) {
    return option.value.empty() ? std::string(option.name)
                                : fmt::format("{} {}", option.name, option.value);
}

/// " ID", " [FILE]"; empty for a command without a positional argument.
std::string positional_of(const Command& command) {
    if (command.positional.empty()) return {};
    return fmt::format(fmt::runtime(command.positional_is_optional ? " [{}]" : " {}"),
                       command.positional);
}

Line line_of(const Command& command) {
    std::string left(command.name);
    left += positional_of(command);
    return {std::move(left), std::string(command.summary)};
}

}  // namespace

std::string_view heading(Audience audience) {
    switch (audience) {
        case Audience::agent:
            return "Commands for agents";
        case Audience::human:
            return "Commands for the human who decides";
        case Audience::offline:
            return "Commands that need no server";
        case Audience::server:
            return "The server";
    }
    return {};
}

std::string option_help(const OptionSpec& option) {
    std::string out(option.help);
    if (!option.choices.empty()) out += fmt::format(" ({})", fmt::join(option.choices, ", "));
    if (option.repeated) out += " (may be repeated)";
    return out;
}

std::string usage_line(const Command& command) {
    std::string out = fmt::format("oauth3 {}", command.name);
    for (const OptionSpec& option : command.options)
        if (option.required) out += " " + left_of(option);
    return out + positional_of(command) + " [OPTIONS]";
}

std::string help_text(const std::vector<Command>& commands) {
    std::string out =
        fmt::format("oauth3 {}\n{}\n\nUsage: oauth3 COMMAND [OPTIONS]\n", kVersion, kPurpose);
    for (const Audience audience : kAudiences) {
        std::vector<Line> lines;
        for (const Command& command : commands)
            if (command.audience == audience) lines.push_back(line_of(command));
        if (!lines.empty()) out += fmt::format("\n{}:\n{}", heading(audience), table(lines));
    }
    out += "\nOptions:\n" + table({{"-h, --help", "Print this help, or that of a command"},
                                   {"--version", "Print the version"}});
    return out + "\nSee 'oauth3 COMMAND --help', and 'man oauth3'.\n";
}

std::string help_text(const Command& command) {
    std::string out = fmt::format("{}.\n\nUsage: {}\n", command.summary, usage_line(command));
    if (!command.description.empty()) out += "\n" + wrapped(command.description);
    if (!command.positional.empty())
        out += "\nArgument:\n" +
               table({{std::string(command.positional), std::string(command.positional_help)}});
    std::vector<Line> lines;
    for (const OptionSpec& option : command.options)
        lines.push_back({left_of(option), option_help(option)});
    lines.push_back({"-h, --help", "Print this help"});
    return out + "\nOptions:\n" + table(lines);
}

std::string group_help_text(const std::vector<Command>& commands, std::string_view group) {
    std::vector<Line> lines;
    for (const Command& command : commands)
        if (group_of(command.name) == group) lines.push_back(line_of(command));
    return fmt::format(
        "Usage: oauth3 {0} COMMAND [OPTIONS]\n\n{1}\nSee 'oauth3 {0} COMMAND --help'.\n", group,
        table(lines));
}

}  // namespace oauth3::cli
