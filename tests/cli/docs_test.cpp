#include "base/files.h"
#include "cli/help.h"
#include "cli/manual_text.h"
#include "cli/suggest.h"
#include "policy/phrases.h"
#include "program.h"
#include "support/catch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <set>
#include <sstream>

// What is written from the table of commands.

using namespace oauth3;
using namespace oauth3::test;

namespace {

const std::filesystem::path kSource = OAUTH3_SOURCE_DIR;

std::string output_of(const std::string& command) {
    std::FILE* const pipe = ::popen(command.c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::string out;
    for (int c = 0; (c = std::fgetc(pipe)) != EOF;) out += static_cast<char>(c);
    ::pclose(pipe);
    return out;
}

/// What bash offers for the last of `words`.
std::string completion(const std::string& words) {
    const std::string script = fmt::format(
        "cd '{0}' && . share/completions/oauth3.bash && complete -p oauth3 >/dev/null && "
        "COMP_WORDS=(oauth3 {1}) && COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)) && _oauth3 && "
        "printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        kSource.string(), words);
    const Home home;
    return output_of("bash --norc --noprofile " + home.file("script", script) + " 2>&1");
}

}  // namespace

TEST_CASE("the manual page and the completion are what the table gives") {
    // After a change of the table: ninja oauth3_docs.
    const auto commands = cli::all_commands();
    CHECK(base::read_file(kSource / "man/oauth3.1") == cli::manual_page(commands));
    CHECK(base::read_file(kSource / "share/completions/oauth3.bash") ==
          cli::bash_completion(commands));
}

TEST_CASE("man finds nothing to warn of in the manual page") {
    const std::string page = (kSource / "man/oauth3.1").string();
    CHECK(output_of("groff -man -ww -Tutf8 -z '" + page + "' 2>&1").empty());
}

TEST_CASE("the table has all that its readers need") {
    for (const cli::Command& command : cli::all_commands()) {
        CAPTURE(std::string(command.name));
        CHECK(command.run != nullptr);
        CHECK(!command.summary.empty());
        CHECK(command.summary.back() != '.');
        CHECK(command.positional.empty() == command.positional_help.empty());
        std::set<std::string_view> names;
        for (const cli::OptionSpec& option : command.options) {
            CAPTURE(std::string(option.name));
            CHECK(option.name.rfind("--", 0) == 0);
            CHECK(names.insert(option.name).second);
            CHECK(!option.help.empty());
            CHECK(option.help.back() != '.');
        }
    }
}

TEST_CASE("bash completes commands, options, choices and files") {
    CHECK(completion("ex") == "execute\n");
    CHECK(completion("''").find("scope-and-execute\n") != std::string::npos);
    CHECK(completion("execute --se") == "--session\n--secrets\n");
    CHECK(completion("approve --level ''") == "once\nsession\n24h\nforever\n");
    CHECK(completion("approve --level s") == "session\n");
    CHECK(completion("execute --code READM") == "README.md\n");
    CHECK(completion("execute --session x") == "\n");
    CHECK(completion("nonsense --x") == "\n");
    CHECK(completion("sess") == "sessions\nsession\n");
    CHECK(completion("session ''") == "list\nshow\nnarrow\nrevoke\n");
    CHECK(completion("session narrow --max-r") == "--max-runs\n");
    CHECK(completion("session show --max-r").empty());
    CHECK(completion("audit ''") == "verify\n");
    CHECK(completion("audit --bef") == "--before\n");
    CHECK(completion("audit verify --fi") == "--file\n");
    CHECK(completion("scope ''") == "explain\ncheck\n");
    CHECK(completion("scope --sc") == "--scope\n");
    CHECK(completion("scope explain READM") == "README.md\n");
    CHECK(completion("trust ''") == "list\nrevoke\n");
    CHECK(completion("result READM") == "README.md\n");
    CHECK(completion("serve --signup ''") == "open\ninvite\nclosed\n");
}

TEST_CASE("the manual has every row of the table of phrases") {
    const std::string page = cli::manual_page(cli::all_commands());
    for (const policy::PhraseRow& row : policy::phrase_table()) {
        CAPTURE(std::string(row.forms));
        CHECK(page.find(cli::roff(row.compiles)) != std::string::npos);
        CHECK(page.find(cli::roff(row.remark)) != std::string::npos);
    }
    CHECK(page.find("only access {HOSTS}; ") != std::string::npos);
}

TEST_CASE("every command explains itself") {
    const Home home;
    for (const cli::Command& command : cli::all_commands()) {
        std::vector<std::string> words;
        std::istringstream name{std::string(command.name)};
        for (std::string word; name >> word;) words.push_back(word);
        words.emplace_back("--help");
        const Finished done = run_program(home, words);
        CHECK(done.code == 0);
        CHECK(done.out == cli::help_text(command));
        for (const cli::OptionSpec& option : command.options)
            CHECK(done.out.find(option.name) != std::string::npos);
    }
    const Finished all = run_program(home, {"--help"});
    CHECK(all.code == 0);
    CHECK(all.out == cli::help_text(cli::all_commands()));
    CHECK(run_program(home, {"--version"}).out == "oauth3 1.0.0\n");
    const Finished group = run_program(home, {"session", "--help"});
    CHECK(group.code == 0);
    CHECK(group.out == cli::group_help_text(cli::all_commands(), "session"));
    for (const char* verb : {"list", "show ID", "narrow ID", "revoke ID"})
        CHECK(group.out.find(std::string("session ") + verb) != std::string::npos);
}

TEST_CASE("the commands of a group stand together, and no name is there twice") {
    std::set<std::string_view> names;
    std::vector<std::string_view> groups;
    for (const cli::Command& command : cli::all_commands()) {
        CAPTURE(std::string(command.name));
        CHECK(names.insert(command.name).second);
        const std::string_view group = cli::group_of(command.name);
        if (group.empty()) continue;
        if (groups.empty() || groups.back() != group) {
            CHECK(std::find(groups.begin(), groups.end(), group) == groups.end());
            groups.push_back(group);
        }
    }
    CHECK(!groups.empty());
}

TEST_CASE("the nearest name is a near one") {
    const std::vector<std::string_view> names{"execute", "poll", "approve"};
    CHECK(cli::nearest_name("exceute", names) == "execute");
    CHECK(cli::nearest_name("pol", names) == "poll");
    CHECK(cli::nearest_name("zzz", names).empty());
    CHECK(cli::nearest_name("", names).empty());
}
