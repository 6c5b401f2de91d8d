// Lines of the log, under attack.
#include "base/log.h"

#include "base/fd.h"
#include "base/files.h"
#include "base/utf8.h"
#include "support/any_json.h"
#include "support/catch.h"
#include "support/temporary_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

using namespace oauth3::base;
using oauth3::test::any_json;
using oauth3::test::any_text;
using TestFolder = oauth3::test::TemporaryFolder;

namespace {

/// What is written to stderr while `work` runs.
template <typename Work>
std::string stderr_of(LogFormat format, Work work) {
    const TestFolder folder;
    const auto path = folder / "stderr";
    const Fd saved(::dup(STDERR_FILENO));
    const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    ::dup2(file.get(), STDERR_FILENO);
    set_log_format(format);
    work();
    set_log_format(LogFormat::text);
    ::dup2(saved.get(), STDERR_FILENO);
    return read_file(path, std::size_t{16} << 20);
}

/// Text that likes to break out: of a line, of quotes, of a field, of a terminal.
std::string nasty_text() {
    std::string out;
    for (int left = *rc::gen::inRange(0, 6); left > 0; --left) {
        out += *rc::gen::weightedOneOf<std::string>(
            {{3, rc::gen::elementOf(std::vector<std::string>{"\n",
                                                             "\r\n",
                                                             "\"",
                                                             "\\",
                                                             "\\\"",
                                                             " status=200",
                                                             "=",
                                                             " ",
                                                             "\x1B[2J",
                                                             "\xFF",
                                                             "\xC2\x9B",
                                                             "\xE2\x80\xAE",
                                                             "\xE2\x80\xA8",
                                                             "\x7F",
                                                             "{",
                                                             "}",
                                                             ",",
                                                             "\",\"level\":\"error",
                                                             "2026-01-01T00:00:00.000Z error ",
                                                             "a"})},
             {1, rc::gen::exec([] { return any_text(4); })},
             {1, rc::gen::arbitrary<std::string>()}});
    }
    return out;
}

/// True if each character of it may reach a terminal.
bool is_harmless(std::string_view line) {
    while (!line.empty()) {
        const CodePoint c = next_code_point(line);
        if (!c.valid || is_deceptive(c.value)) return false;
        line.remove_prefix(c.size);
    }
    return true;
}

struct Parsed {
    std::string head;  ///< up to the first field
    std::vector<std::pair<std::string, std::string>> fields;
};

/// Reads " name=value" at the end of a text line, strictly; quotes and backslashes are undone.
Parsed parse_text(std::string_view line, std::string_view message) {
    Parsed out;
    const std::size_t at = line.find(message, 20);
    RC_ASSERT(at != std::string_view::npos);
    out.head = line.substr(0, at + message.size());
    line.remove_prefix(out.head.size());
    while (!line.empty()) {
        RC_ASSERT(line.front() == ' ');
        const std::size_t equals = line.find('=');
        RC_ASSERT(equals != std::string_view::npos);
        const std::string name(line.substr(1, equals - 1));
        line.remove_prefix(equals + 1);
        std::string value;
        if (!line.empty() && line.front() == '"') {
            std::size_t i = 1;
            while (i < line.size() && line[i] != '"') {
                if (line[i] == '\\') ++i;
                RC_ASSERT(i < line.size());
                value += line[i++];
            }
            RC_ASSERT(i < line.size());
            line.remove_prefix(i + 1);
        } else {
            value = line.substr(0, line.find(' '));
            RC_ASSERT(!value.empty());
            line.remove_prefix(value.size());
        }
        out.fields.emplace_back(name, value);
    }
    return out;
}

}  // namespace

TEST_CASE("a line with fields, in both forms") {
    const auto write = [] {
        log_event(LogLevel::info, "request",
                  {{"method", "GET"},
                   {"path", "/execute/exec_1/status"},
                   {"status", 200},
                   {"us", 12'345'678'901},
                   {"held", true},
                   {"peer", nullptr},
                   {"agent", "a \"b\" c"},
                   {"empty", ""}});
        log_warning("plain {}", 7);
    };
    const std::string text = stderr_of(LogFormat::text, write);
    CHECK(text.substr(24).substr(0, text.find('\n') - 24) ==
          " info request method=GET path=/execute/exec_1/status status=200 us=12345678901 "
          "held=true agent=\"a \\\"b\\\" c\" empty=\"\"");
    CHECK(text.find(" warning plain 7\n") != std::string::npos);

    const std::string json = stderr_of(LogFormat::json, write);
    const std::size_t end = json.find('\n');
    Json line = parse_json(json.substr(0, end));
    CHECK(line.at("at").get<std::string>().size() == 24);
    line.erase("at");
    CHECK(line == Json({{"level", "info"},
                        {"message", "request"},
                        {"method", "GET"},
                        {"path", "/execute/exec_1/status"},
                        {"status", 200},
                        {"us", 12'345'678'901},
                        {"held", true},
                        {"agent", "a \"b\" c"},
                        {"empty", ""}}));
    CHECK(json.substr(0, 6) == "{\"at\":");
    CHECK(parse_json(json.substr(end + 1)).at("message") == "plain 7");
    CHECK(parse_json(json.substr(end + 1)).at("level") == "warning");
}

TEST_CASE("no value forges a line, a field or a terminal command, in text") {
    CHECK(rc::check([] {
        const std::string first = nasty_text();
        const Json second = any_json(2);
        const std::string third = nasty_text();
        const std::string log = stderr_of(LogFormat::text, [&] {
            log_event(LogLevel::info, "event", {{"a", first}, {"b", second}, {"c", third}});
        });
        RC_ASSERT(std::count(log.begin(), log.end(), '\n') == 1);
        RC_ASSERT(log.back() == '\n');
        const std::string line = log.substr(0, log.size() - 1);
        RC_ASSERT(is_harmless(line));
        Parsed parsed = parse_text(line, " info event");
        RC_ASSERT(parsed.head.size() == 24 + std::string_view(" info event").size());
        const auto shown = [](const Json& value) {
            return make_visible(value.is_string() ? value.get<std::string>() : dump_json(value),
                                false);
        };
        std::vector<std::pair<std::string, std::string>> expected{
            {"a", make_visible(first, false)}};
        if (!second.is_null()) expected.emplace_back("b", shown(second));
        expected.emplace_back("c", make_visible(third, false));
        RC_ASSERT(parsed.fields == expected);
    }));
}

TEST_CASE("no value forges a line, a member or a terminal command, in JSON") {
    CHECK(rc::check([] {
        const std::string message = nasty_text();
        const std::string first = nasty_text();
        const Json second = any_json(2);
        const std::string log = stderr_of(LogFormat::json, [&] {
            log_event(LogLevel::error, message, {{"a", first}, {"b", second}});
        });
        RC_ASSERT(log.back() == '\n');
        const std::string line = log.substr(0, log.size() - 1);
        for (const char c : line) RC_ASSERT(c >= 0x20 && c < 0x7F);
        // parse_json refuses members that come twice.
        const Json parsed = parse_json(line);
        RC_ASSERT(parsed.size() == (second.is_null() ? 4U : 5U));
        RC_ASSERT(parsed.at("level") == "error");
        if (is_valid_utf8(message)) RC_ASSERT(parsed.at("message") == message);
        if (is_valid_utf8(first)) RC_ASSERT(parsed.at("a") == first);
        if (second.is_string()) RC_ASSERT(parsed.at("b") == second);
    }));
}

TEST_CASE("levels and formats have names, and no others") {
    for (const char* name : {"error", "warning", "info", "debug"}) CHECK(parse_log_level(name));
    CHECK(parse_log_level("debug") == LogLevel::debug);
    CHECK(parse_log_format("text") == LogFormat::text);
    CHECK(parse_log_format("json") == LogFormat::json);
    for (const char* bad : {"", "Info", "info ", "warn", "JSON", "0"}) {
        CHECK_FALSE(parse_log_level(bad));
        CHECK_FALSE(parse_log_format(bad));
    }
}

TEST_CASE("levels hold for events too") {
    const std::string log = stderr_of(LogFormat::json, [] {
        log_event(LogLevel::debug, "hidden", {{"a", 1}});
        set_log_level(LogLevel::warning);
        log_event(LogLevel::info, "hidden", {{"a", 1}});
        log_event(LogLevel::warning, "shown", {{"a", 1}});
        set_log_level(LogLevel::info);
    });
    CHECK(std::count(log.begin(), log.end(), '\n') == 1);
    CHECK(log.find("shown") != std::string::npos);
}
