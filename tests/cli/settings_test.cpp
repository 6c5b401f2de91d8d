#include "base/json.h"
#include "cli/parser.h"
#include "program.h"
#include "support/catch.h"

#include <fmt/format.h>
#include <stdlib.h>

// Where options of `serve` come from: command line, environment, file, in that order.

using namespace oauth3;
using namespace oauth3::test;
using base::Json;
using std::chrono::seconds;

namespace {

/// Sets variables of this process while it lives.
class Environment {
  public:
    explicit Environment(std::map<std::string, std::string> variables)
        : variables_(std::move(variables)) {
        for (const auto& [name, value] : variables_) ::setenv(name.c_str(), value.c_str(), 1);
    }
    ~Environment() {
        for (const auto& [name, value] : variables_) ::unsetenv(name.c_str());
    }
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;

  private:
    std::map<std::string, std::string> variables_;
};

/// What `oauth3 serve WORDS` would run with.
cli::Arguments parse(std::vector<std::string> words,
                     const std::map<std::string, std::string>& variables = {}) {
    const Environment environment(variables);
    static const std::vector<cli::Command> commands = cli::all_commands();
    words.insert(words.begin(), "serve");
    return cli::parse_command_line(commands, words).arguments;
}

std::string refusal(const std::vector<std::string>& words,
                    const std::map<std::string, std::string>& variables = {}) {
    try {
        (void)parse(words, variables);
    } catch (const cli::UsageError& error) {
        return std::string(error.what()) + " " + error.hint();
    }
    return "taken";
}

const cli::Command& serve_row() {
    static const std::vector<cli::Command> commands = cli::all_commands();
    for (const cli::Command& command : commands)
        if (command.name == "serve") return command;
    throw std::logic_error("no serve");
}

std::string variable_of(std::string_view option) {
    std::string out = "OAUTH3_";
    for (const char c : option.substr(2))
        out += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return out;
}

}  // namespace

TEST_CASE("the command line wins over the environment, that over the file") {
    const Home home;
    const std::string file = home.file("c.json", R"({"max-pending": 1, "parallel": 2})");
    const auto pending = [&](const std::vector<std::string>& words,
                             const std::map<std::string, std::string>& variables) {
        return parse(words, variables).whole("--max-pending", 99, 1, 100);
    };
    CHECK(pending({}, {}) == 99);
    CHECK(pending({"--config", file}, {}) == 1);
    CHECK(pending({}, {{"OAUTH3_CONFIG", file}}) == 1);
    CHECK(pending({"--config", file}, {{"OAUTH3_MAX_PENDING", "3"}}) == 3);
    CHECK(pending({"--config", file, "--max-pending", "4"}, {{"OAUTH3_MAX_PENDING", "3"}}) == 4);
    // An empty variable is none.
    CHECK(pending({"--config", file}, {{"OAUTH3_MAX_PENDING", ""}}) == 1);
    CHECK(parse({"--config", file}, {{"OAUTH3_MAX_PENDING", "3"}}).text("--parallel") == "2");
}

TEST_CASE("every option of serve can stand in the environment and in the file") {
    for (const cli::OptionSpec& option : serve_row().options) {
        CAPTURE(std::string(option.name));
        if (option.name == "--config") continue;
        const std::string name(option.name.substr(2));
        const std::string value =
            option.choices.empty() ? "some-value" : std::string(option.choices.front());
        const Home home;
        if (option.value.empty()) {
            CHECK(parse({}, {{variable_of(option.name), "true"}}).has(option.name));
            CHECK(!parse({}, {{variable_of(option.name), "no"}}).has(option.name));
            const std::string on = home.file("on", Json{{name, true}}.dump());
            const std::string off = home.file("off", Json{{name, false}}.dump());
            CHECK(parse({"--config", on}).has(option.name));
            CHECK(!parse({"--config", off}).has(option.name));
            // What the environment switches off, the file does not switch on.
            CHECK(!parse({"--config", on}, {{variable_of(option.name), "0"}}).has(option.name));
        } else {
            const std::string file = home.file("c", Json{{name, value}}.dump());
            CHECK(parse({}, {{variable_of(option.name), value}}).text(option.name) == value);
            CHECK(parse({"--config", file}).text(option.name) == value);
        }
    }
}

TEST_CASE("options that may be repeated take lists") {
    const Home home;
    const std::vector<std::string> both{"127.0.0.1:1", "[::1]:2"};
    CHECK(parse({"--listen", both[0], "--listen", both[1]}).list("--listen") == both);
    CHECK(parse({}, {{"OAUTH3_LISTEN", " 127.0.0.1:1, [::1]:2"}}).list("--listen") == both);
    const std::string file = home.file("c.json", Json{{"listen", both}}.dump());
    CHECK(parse({"--config", file}).list("--listen") == both);
    // One source is taken whole: addresses are not mixed.
    CHECK(parse({"--config", file}, {{"OAUTH3_LISTEN", "127.0.0.1:9"}}).list("--listen").size() ==
          1);
}

TEST_CASE("what is wrong names its source") {
    const Home home;
    const auto in_file = [&](const std::string& text) {
        return refusal({"--config", home.file("c.json", text)});
    };
    CHECK(in_file(R"({"max_pending":1})").find("unknown setting 'max_pending'") !=
          std::string::npos);
    CHECK(in_file(R"({"max_pending":1})").find("Did you mean 'max-pending'?") != std::string::npos);
    CHECK(in_file(R"({"config":"x"})").find("unknown setting 'config'") != std::string::npos);
    CHECK(in_file(R"({"--listen":"x"})").find("unknown setting") != std::string::npos);
    CHECK(in_file(R"({"no-auth":"yes"})").find("true or false") != std::string::npos);
    CHECK(in_file(R"({"max-pending":true})").find("text or a number") != std::string::npos);
    CHECK(in_file(R"({"max-pending":1.5})").find("text or a number") != std::string::npos);
    CHECK(in_file(R"({"max-pending":[1]})").find("text or a number") != std::string::npos);
    CHECK(in_file(R"({"listen":[1.5]})").find("list of texts") != std::string::npos);
    CHECK(in_file(R"({"signup":"opn"})").find("Did you mean 'open'?") != std::string::npos);
    CHECK(in_file(R"({"signup":"opn"})").find("'signup' in ") != std::string::npos);
    CHECK(in_file(R"({"a":1,"a":2})").find("c.json") != std::string::npos);
    CHECK(in_file("[]").find("no JSON object") != std::string::npos);
    CHECK(in_file("listen = x").find("c.json") != std::string::npos);
    CHECK(in_file(std::string(2'000'000, ' ')).find("--config") != std::string::npos);
    CHECK(refusal({"--config", "/none"}).find("--config") != std::string::npos);
    CHECK(refusal({}, {{"OAUTH3_CONFIG", "/none"}}).find("$OAUTH3_CONFIG") != std::string::npos);
    CHECK(refusal({}, {{"OAUTH3_SIGNUP", "opn"}}).find("$OAUTH3_SIGNUP") != std::string::npos);
    CHECK(refusal({}, {{"OAUTH3_NO_AUTH", "maybe"}}).find("$OAUTH3_NO_AUTH") != std::string::npos);
    // Names of other things, or of nothing, are ignored.
    CHECK(refusal({}, {{"OAUTH3_URL", "x"}, {"OAUTH3_API_KEY", "y"}, {"OAUTH3_LISTN", "z"}}) ==
          "taken");
}

TEST_CASE("times may have a unit") {
    const auto read = [](const std::string& text) {
        cli::Arguments arguments;
        arguments.add("--t", text);
        return arguments.duration("--t", seconds(5), seconds(1), seconds(30 * 86400)).count();
    };
    CHECK(read("90") == 90);
    CHECK(read("90s") == 90);
    CHECK(read("2m") == 120);
    CHECK(read("12h") == 43200);
    CHECK(read("30d") == 2592000);
    CHECK(cli::Arguments().duration("--t", seconds(5), seconds(1), seconds(9)) == seconds(5));
    for (const char* bad : {"", "0", "0s", "31d", "2592001", "-1", "1w", "1.5h", "s", "1ss", " 1",
                            "106751991167301d", "9223372036854775807", "99999999999999999999"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(read(bad), cli::UsageError);
    }
}

TEST_CASE("serve refuses bad settings before it does anything") {
    const Home home;
    const std::string data = (home.path() / "data").string();
    const auto serve = [&](std::vector<std::string> words,
                           std::map<std::string, std::string> variables) {
        words.insert(words.begin(), "serve");
        variables["OAUTH3_DATA_DIR"] = data;
        const Finished done = run_program(home, words, {.environment = std::move(variables)});
        CHECK(done.code == 2);
        CHECK(done.out.empty());
        CHECK(!home.has("data"));
        return done.err;
    };
    CHECK(serve({}, {{"OAUTH3_MAX_PENDING", "many"}}).find("$OAUTH3_MAX_PENDING") !=
          std::string::npos);
    CHECK(serve({}, {{"OAUTH3_RETENTION", "6d"}}).find("$OAUTH3_RETENTION") != std::string::npos);
    CHECK(serve({"--config", home.file("c", R"({"parallel":"0"})")}, {}).find("'parallel' in ") !=
          std::string::npos);
    CHECK(serve({"--tls-cert", "x"}, {}).find("belong together") != std::string::npos);
    // Terminal escapes in a file or variable stay there.
    const std::string evil = serve({}, {{"OAUTH3_PARALLEL", "\x1b[2J\xc2\x9b"}});
    CHECK(evil.find('\x1b') == std::string::npos);
    CHECK(evil.find("\xc2\x9b") == std::string::npos);
}
