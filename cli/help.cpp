#include "cli/help.h"

#include <fmt/format.h>

#include <algorithm>

namespace oauth3::cli {
namespace {

constexpr std::string_view kPurpose =
    "Runs an agent's program with your secrets, after you have approved it.";

std::string_view heading(Audience audience) {
    switch (audience) {
        case Audience::agent:
            return "Commands for agents";
        case Audience::human:
            return "Commands for the human who decides";
        case Audience::server:
            return "The server";
    }
    return {};
}

constexpr std::array kAudiences{Audience::agent, Audience::human, Audience::server};

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

std::string left_of(const OptionSpec& option) {
    return option.value.empty() ? std::string(option.name)
                                : fmt::format("{} {}", option.name, option.value);
}

std::string right_of(const OptionSpec& option) {
    std::string out(option.help);
    if (!option.choices.empty()) out += fmt::format(" ({})", fmt::join(option.choices, ", "));
    if (option.repeated) out += " (may be repeated)";
    return out;
}

std::string usage_line(const Command& command) {
    std::string out = fmt::format("oauth3 {}", command.name);
    for (const OptionSpec& option : command.options)
        if (option.required) out += " " + left_of(option);
    if (!command.positional.empty()) out += fmt::format(" {}", command.positional);
    return out + " [OPTIONS]";
}

/// Text in the macros of man(7): what could be taken for a request or an escape is protected.
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

std::string roff_paragraphs(std::string_view text) {
    std::string out = roff(text);
    for (std::size_t at = 0; (at = out.find("\n\n", at)) != std::string::npos;)
        out.replace(at, 2, "\n.PP\n");
    return out;
}

std::string roff_option(const OptionSpec& option) {
    std::string out = fmt::format(".TP\n\\fB{}\\fR", roff(option.name));
    if (!option.value.empty()) out += fmt::format(" \\fI{}\\fR", roff(option.value));
    return out + "\n" + roff(right_of(option)) + ".\n";
}

constexpr std::string_view kExitStatus = R"(.SH EXIT STATUS
.TP
0
The request is \fBcompleted\fR, or the reply that was asked for was printed.
.TP
1
The run failed, or another error.
.TP
2
The command line makes no sense.
.TP
3
Denied, expired, or cancelled before it started.
.TP
4
Authentication: no key, a wrong key, or not allowed.
.TP
5
Approved, but a secret is missing (\fBawaiting_secrets\fR).
.TP
6
The server cannot be reached.
.TP
124
The time of \fB\-\-timeout\fR is over; the request lives on.
.TP
130
Interrupted; the request lives on.
.PP
With 124 and 130 the command that goes on waiting, \fBoauth3 poll\fR \fIID\fR, is printed on
standard error.
)";

constexpr std::string_view kFiles = R"(.SH THE SERVER AND THE KEYS
The server is taken from \fB\-\-url\fR, \fB$OAUTH3_URL\fR, \fBurl\fR (else \fBenclave_url\fR) in
.IR ~/.oauth3/config.json ,
else http://127.0.0.1:3737. Redirects are not followed.
.PP
An agent's key is taken from \fB\-\-key\-file\fR, \fB$OAUTH3_API_KEY\fR,
.IR ~/.oauth3/key ,
or \fBjwt\fR in the configuration if its \fBenclave_url\fR is the server in use. Without any, the
command signs up and stores the new key, readable by its user only. The stored key is bound to the
server it was made for (\fBkey_url\fR in the configuration) and is never sent to another.
.PP
The owner's key is taken only from \fB\-\-owner\-key\-file\fR or \fB$OAUTH3_OWNER_KEY\fR.
.SH ENVIRONMENT
.TP
\fBHOME\fR
Where \fI.oauth3\fR lies.
.TP
\fBOAUTH3_URL\fR, \fBOAUTH3_API_KEY\fR, \fBOAUTH3_OWNER_KEY\fR
See above.
.TP
\fBSSL_CERT_FILE\fR
The certificates of the authorities to trust, instead of the system's.
.TP
\fBNO_COLOR\fR
If set, nothing is coloured.
)";

}  // namespace

std::string help_text(const std::vector<Command>& commands) {
    std::string out =
        fmt::format("oauth3 {}\n{}\n\nUsage: oauth3 COMMAND [OPTIONS]\n", kVersion, kPurpose);
    for (const Audience audience : kAudiences) {
        std::vector<Line> lines;
        for (const Command& command : commands)
            if (command.audience == audience)
                lines.push_back({std::string(command.name), std::string(command.summary)});
        if (!lines.empty()) out += fmt::format("\n{}:\n{}", heading(audience), table(lines));
    }
    out += "\nOptions:\n" + table({{"-h, --help", "Print this help, or that of a command"},
                                   {"--version", "Print the version"}});
    return out + "\nSee 'oauth3 COMMAND --help', and 'man oauth3'.\n";
}

std::string help_text(const Command& command) {
    std::string out = fmt::format("{}.\n\nUsage: {}\n", command.summary, usage_line(command));
    if (!command.description.empty()) out += fmt::format("\n{}\n", command.description);
    if (!command.positional.empty())
        out += "\nArgument:\n" +
               table({{std::string(command.positional), std::string(command.positional_help)}});
    std::vector<Line> lines;
    for (const OptionSpec& option : command.options)
        lines.push_back({left_of(option), right_of(option)});
    lines.push_back({"-h, --help", "Print this help"});
    return out + "\nOptions:\n" + table(lines);
}

std::string manual_page(const std::vector<Command>& commands) {
    std::string out = fmt::format(
        R"(.\" Written from the table of commands (cli/commands): do not edit.
.TH OAUTH3 1 "" "oauth3 {0}" "User Commands"
.SH NAME
oauth3 \- run an agent's program with your secrets, after you have approved it
.SH SYNOPSIS
.B oauth3
.I COMMAND
.RI [ OPTIONS ]
.SH DESCRIPTION
An agent submits a program. A human sees what it asks for and decides. The server runs it in a
sandbox and returns its output. Commands for agents block until there is a result and print exactly
one JSON document on one line of standard output; the link to approve, progress and warnings go to
standard error. Commands for the human print text on a terminal, and the JSON document in a pipe or
with \fB\-\-json\fR.
.PP
\fBoauth3 \-\-help\fR and \fBoauth3\fR \fICOMMAND\fR \fB\-\-help\fR print a summary,
\fBoauth3 \-\-version\fR the version.
)",
        kVersion);
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
    return out + std::string(kExitStatus) + std::string(kFiles);
}

std::string bash_completion(const std::vector<Command>& commands) {
    std::string names;
    std::string cases;
    for (const Command& command : commands) {
        names += fmt::format("{} ", command.name);
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
        cases +=
            fmt::format("        {})\n            options=\"{}--help\"\n", command.name, options);
        if (!values.empty())
            cases += "            case $before in\n" + values + "            esac ;;\n";
        else
            cases += "            ;;\n";
    }
    return fmt::format(
        R"(# bash completion of oauth3, written from its table of commands: do not edit.
_oauth3() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}
    local options="" words="" files=""
    local IFS=$' \n'
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "{}--help --version" -- "$word"))
        return
    fi
    case ${{COMP_WORDS[1]}} in
{}        *) return ;;
    esac
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
        names, cases);
}

}  // namespace oauth3::cli
