#pragma once

#include "base/error.h"
#include "cli/exit_code.h"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The table of commands: the command line is read by it, and --help, the manual page and the bash
// completion are written from it. A file of cli/commands makes one row, or those of one group.

namespace oauth3::cli {

class Console;

/// A command line that makes no sense: one sentence on stderr, exit code 2.
class UsageError : public base::Error {
  public:
    explicit UsageError(const std::string& message, std::string hint = {})
        : Error("usage", message, std::move(hint)) {}
};

/// Whom a command is for; the order in which the help lists them.
enum class Audience { agent, human, offline, server };

/// One option. `value` names its value in the help ("FILE"); an empty one makes it a flag.
struct OptionSpec {
    std::string_view name = {};  ///< with its dashes: "--session"
    std::string_view value = {};
    std::string_view help = {};  ///< one sentence without final full stop
    bool required = false;
    bool repeated = false;                       ///< may be given several times
    bool is_path = false;                        ///< the completion offers file names
    std::vector<std::string_view> choices = {};  ///< if not empty, the only values allowed
    bool may_be_empty = false;                   ///< an empty value means something
};

/// What was given on the command line.
class Arguments {
  public:
    /// The value of the positional argument; "" if the command has none.
    const std::string& positional() const { return positional_; }
    /// True iff the option was given; for flags, the whole answer.
    bool has(std::string_view option) const { return values_.find(option) != values_.end(); }
    std::optional<std::string> text(std::string_view option) const;
    std::string text_or(std::string_view option, std::string_view fallback) const;
    std::vector<std::string> list(std::string_view option) const;
    /// A whole number of seconds from `low` to `high`. Throws UsageError.
    std::chrono::seconds seconds(std::string_view option, std::chrono::seconds fallback,
                                 std::chrono::seconds low, std::chrono::seconds high) const;
    /// As seconds, and the number may end in s, m, h or d.
    std::chrono::seconds duration(std::string_view option, std::chrono::seconds fallback,
                                  std::chrono::seconds low, std::chrono::seconds high) const;

    /// A whole number from `low` to `high`. Throws UsageError.
    long long whole(std::string_view option, long long fallback, long long low,
                    long long high) const;

    /// Where the option's value stands, for messages: its own name, or the variable or file that
    /// it was taken from.
    std::string source(std::string_view option) const;

    void set_positional(std::string value) { positional_ = std::move(value); }
    void add(std::string_view option, std::string value);
    void add_flag(std::string_view option);
    void set_source(std::string_view option, std::string source);

  private:
    std::string positional_;
    std::map<std::string, std::vector<std::string>, std::less<>> values_;
    std::map<std::string, std::string, std::less<>> sources_;
};

/// What a command runs with.
struct Context {
    Console& console;
    /// True iff stdout gets the JSON document: agent commands always but with --raw, those that
    /// have a --json with it or in a pipe.
    bool prints_documents = false;
    bool raw = false;  ///< --raw: stdout gets the program's output instead
};

/// One row of the table.
struct Command {
    std::string_view name = {};  ///< one word, or a group and a verb: "session show"
    Audience audience = Audience::agent;
    std::string_view summary = {};      ///< one line without final full stop
    std::string_view description = {};  ///< paragraphs for the manual, parted by an empty line
    std::string_view positional = {};   ///< name of the one positional argument, such as "ID"
    std::string_view positional_help = {};
    bool positional_is_path = false;      ///< the completion offers file names
    bool positional_is_optional = false;  ///< the command makes sense without it
    std::vector<OptionSpec> options = {};
    /// True iff options may also stand in the file of --config and in $OAUTH3_<OPTION>.
    bool takes_settings = false;
    /// Does the work. May throw UsageError, ClientError and base::Error, which are reported with
    /// their exit codes by run().
    ExitCode (*run)(const Arguments&, Context&) = nullptr;
};

/// What stands between commas and blanks.
std::vector<std::string> words_of(std::string_view text);

/// The group of a command's name ("session" of "session show"); "" for a name of one word.
std::string_view group_of(std::string_view name);

/// All commands, in the order of the help; those of a group stand together.
std::vector<Command> all_commands();

/// The whole program: reads the command line, runs the command, reports what it throws.
int run(int argc, const char* const* argv);

inline constexpr std::string_view kVersion = OAUTH3_VERSION;

}  // namespace oauth3::cli
