#include "cli/help.h"
#include "cli/manual_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace oauth3::cli {

std::string roff(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\\') {
            out += "\\e";
        } else if (c == '-') {
            out += "\\-";
        } else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) {
            out += "\\&";
            out += c;
        } else {
            out += c;
        }
    }
    return out;
}

namespace {

std::string roff_paragraphs(std::string_view text) {
    std::string out = roff(text);
    for (std::size_t at = 0; (at = out.find("\n\n", at)) != std::string::npos;)
        out.replace(at, 2, "\n.PP\n");
    return out;
}

std::string roff_option(const OptionSpec& option) {
    std::string out = fmt::format(".TP\n\\fB{}\\fR", roff(option.name));
    if (!option.value.empty()) out += fmt::format(" \\fI{}\\fR", roff(option.value));
    return out + "\n" + roff(option_help(option)) + ".\n";
}

}  // namespace

std::string manual_page(const std::vector<Command>& commands) {
    std::string out = fmt::format(fmt::runtime(kManualStart), kVersion);
    for (const Audience audience : kAudiences) {
        bool first = true;
        for (const Command& command : commands) {
            if (command.audience != audience) continue;
            if (first) {
                std::string title(heading(audience));
                std::transform(title.begin(), title.end(), title.begin(), [](char c) {
                    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
                });
                out += fmt::format(".SH {}\n", title);
                first = false;
            }
            out += fmt::format(".SS {}\n{}.\n", roff(usage_line(command)), roff(command.summary));
            if (!command.description.empty())
                out += ".PP\n" + roff_paragraphs(command.description) + "\n";
            if (!command.positional.empty())
                out += fmt::format(".TP\n\\fI{}\\fR\n{}.\n", roff(command.positional),
                                   roff(command.positional_help));
            for (const OptionSpec& option : command.options) out += roff_option(option);
        }
    }
    return out + manual_of_policy() + std::string(kManualEnd);
}

}  // namespace oauth3::cli
