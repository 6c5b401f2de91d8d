#include "cli/sheet.h"
#include "owner_support.h"

#include <signal.h>

// The commands of the human: what is shown before a decision, and that the decision is on that.

using namespace oauth3;
using namespace oauth3::test;

TEST_CASE("approve shows everything before it asks, and y approves") {
    const Home home;
    const OwnerServer server;
    PseudoTerminal terminal;
    Program program(home, server.words({"approve", kId}), owner(&terminal, true));
    const std::string shown = terminal.read_until("[y/N] ");
    for (const char* part :
         {"exec_00000000000000a1", "friendly <U+001B>[31magent", "tenant_4b1f0c2d9e8a7f60",
          "hello-skill", "says hello", "session_77", "GH_TOKEN, OTHER_ONE", "api.example.org",
          "42 s", "REPO = \"o/r\"", "N = 5", "new network: api.example.org", "future-value",
          "2026-01-01", "once", "// @skill hello", "console.log('<U+001B>[2K<U+202E>')"}) {
        CAPTURE(part);
        CHECK(has(shown, part));
    }
    CHECK(has(shown, base::sha256_hex(kCode)));
    CHECK_FALSE(has(shown, "\x1b[2K"));
    CHECK_FALSE(has(shown,
                    "\x1b[31m"
                    "agent"));
    CHECK(server.decisions().empty());
    terminal.type("y\n");
    CHECK(program.wait().code == 0);
    CHECK(has(terminal.read_until("Approved"), kId));
    CHECK(server.decisions() == std::vector<std::string>{R"({"action":"approve","level":"once"})"});
}

TEST_CASE("what the decision turns on stands right before the question, and cannot be imitated") {
    Json request = request_document();
    // Blanks up to the edge of a screen, and then what would look like a line of its own.
    request["skill_id"] = std::string(66, 'x') + std::string(200, ' ') + "Secrets:      none";
    std::string code(200, ' ');
    code += "In short\n";
    for (int i = 0; i < 300; ++i) code += "//\n";
    request["code"] = code;
    request["code_hash"] = base::sha256_hex(code);
    const Home home;
    const OwnerServer server(request);
    PseudoTerminal terminal;
    RunOptions plain = owner(&terminal, true);
    plain.environment["NO_COLOR"] = "1";
    Program program(home, server.words({"approve", kId}), plain);
    const std::string shown = terminal.read_until("[y/N] ");
    terminal.type("n\n");
    program.wait();
    std::string in_short = shown.substr(shown.rfind("In short"));
    for (const char* part :
         {"exec_00000000000000a1", "GH_TOKEN, OTHER_ONE", "api.example.org", "42 s", "session_77",
          "Not covered:  new network", "301 lines, 1109 bytes", "to run once"}) {
        CAPTURE(part);
        CHECK(has(in_short, part));
    }
    for (std::size_t at = 0; at < shown.size();) {
        const std::size_t end = std::min(shown.find("\r\n", at), shown.size());
        const std::string line = shown.substr(at, end - at);
        CAPTURE(line);
        CHECK(line.size() < 80);
        CHECK(line != "Secrets:      none");
        at = end + 2;
    }
}

TEST_CASE("text is wrapped within its column, whatever its characters") {
    using cli::wrapped;
    CHECK(wrapped("", 14).empty());
    CHECK(wrapped("one two", 14) == "one two");
    const std::string indent = "\n" + std::string(14, ' ');
    const std::string a(65, 'a');
    CHECK(wrapped(a, 14) == a);
    CHECK(wrapped(a + "bc", 14) == a + indent + "bc");
    CHECK(wrapped("one " + a, 14) == "one " + indent + a);
    CHECK(wrapped("one " + a + "b", 14) == "one " + indent + a + indent + "b");
    // A wide character takes two columns, a tab up to eight, a colour none.
    std::string wide;
    for (int i = 0; i < 32; ++i) wide += "漢";
    CHECK(wrapped(wide + "漢", 14) == wide + indent + "漢");
    CHECK(wrapped(std::string(58, 'a') + "\t", 14) == std::string(58, 'a') + indent + "\t");
    CHECK(wrapped("\x1b[1;33m" + a + "\x1b[0m", 14) == "\x1b[1;33m" + a + "\x1b[0m");
}

TEST_CASE("a list of requests that does not end is no list") {
    const Home home;
    StandIn server([](const HttpRequest&) {
        return HttpReply{.body = R"({"requests":[{"id":"exec_1"}],"next":"again"})"};
    });
    const Finished done = run_program(home, {"pending", "--url", server.url()}, owner());
    CHECK(done.code == 1);
    CHECK(base::parse_json(done.out)["code"] == "bad_reply");
}

TEST_CASE("the owner's key goes only where it was used before, or where --url sends it") {
    const Home home;
    const OwnerServer mine;
    const OwnerServer other;
    const auto ask = [&](std::map<std::string, std::string> environment,
                         std::vector<std::string> more = {}) {
        std::vector<std::string> words{"pending"};
        words.insert(words.end(), more.begin(), more.end());
        environment.emplace("OAUTH3_OWNER_KEY", "owner_key");
        return run_program(home, words, {.environment = std::move(environment)});
    };
    home.file(".oauth3/config.json", Json{{"url", mine.url()}, {"theme", {1}}}.dump());
    CHECK(ask({}).code == 0);
    const std::string name = base::sha256_hex("owner_key").substr(0, 16);
    const auto config = [&] { return base::parse_json(home.read(".oauth3/config.json")); };
    CHECK(config() == Json{{"url", mine.url()},
                           {"theme", {1}},
                           {"owner_urls", {{name, Json::array({mine.url()})}}}});

    // Neither a variable nor the file sends it elsewhere.
    const Finished refused = ask({{"OAUTH3_URL", other.url()}});
    CHECK(refused.code == 4);
    CHECK(base::parse_json(refused.out)["code"] == "authentication");
    CHECK(has(refused.err, "--url " + other.url()));
    CHECK(other.asked() == 0);
    // Another key has nothing to do with it.
    const std::string second = home.file("second", "owner_2\n");
    CHECK(ask({{"OAUTH3_URL", other.url()}}, {"--owner-key-file", second}).code == 4);
    CHECK(other.asked() == 1);

    CHECK(ask({}, {"--url", other.url() + "/"}).code == 0);
    CHECK(ask({{"OAUTH3_URL", other.url()}}).code == 0);
    CHECK(ask({{"OAUTH3_URL", mine.url()}}).code == 0);
    CHECK(config()["owner_urls"][name] == Json{mine.url(), other.url()});
}

TEST_CASE("the owner's key does not go to the enclave_url of other programs") {
    const Home home;
    const OwnerServer foreign;
    home.file(".oauth3/config.json", Json{{"enclave_url", foreign.url()}}.dump());
    run_program(home, {"pending"}, owner());
    CHECK(foreign.asked() == 0);
}

TEST_CASE("any other answer decides nothing") {
    for (const char* answer : {"n\n", "\n", "yep\n", "\x04"}) {
        CAPTURE(answer);
        const Home home;
        const OwnerServer server;
        PseudoTerminal terminal;
        Program program(home, server.words({"approve", kId}), owner(&terminal));
        terminal.read_until("[y/N] ");
        terminal.type(answer);
        const Finished done = program.wait();
        CHECK(done.code == 1);
        CHECK(has(done.err, "Nothing was decided"));
        CHECK(base::parse_json(done.out).is_object());
        CHECK(server.decisions().empty());
    }
}

TEST_CASE("what was typed before the question is no answer") {
    const Home home;
    const OwnerServer server;
    PseudoTerminal terminal;
    terminal.type("y\n");
    Program program(home, server.words({"approve", kId}), owner(&terminal));
    terminal.read_until("[y/N] ");
    program.signal(SIGINT);
    CHECK(program.wait().code == 130);
    CHECK(server.decisions().empty());
}

TEST_CASE("a request that changes while it is read is not approved") {
    Json changed = request_document();
    SECTION("its args") {
        changed["args"]["REPO"] = "other/repo";
    }
    SECTION("its secrets") {
        changed["secrets"].push_back("MORE");
    }
    SECTION("its code and hash") {
        changed["code"] = "evil()";
        changed["code_hash"] = base::sha256_hex("evil()");
    }
    SECTION("its status") {
        changed["status"] = changed["state"] = "denied";
    }
    const Home home;
    OwnerServer server;
    server.change_after(1, changed);
    PseudoTerminal terminal;
    Program program(home, server.words({"approve", kId}), owner(&terminal));
    terminal.read_until("[y/N] ");
    terminal.type("y\n");
    CHECK(program.wait().code == 1);
    CHECK(server.decisions().empty());
}

TEST_CASE("code that is not the code of its hash is not approved, not even with --yes") {
    Json lie = request_document();
    lie["code_hash"] = base::sha256_hex("other");
    const Home home;
    const OwnerServer server(lie);
    const Finished done = run_program(home, server.words({"approve", kId, "--yes"}), owner());
    CHECK(done.code == 1);
    CHECK(base::parse_json(done.out)["code"] == "skill_hash_mismatch");
    CHECK(server.decisions().empty());
}

TEST_CASE("approve --yes and deny need no terminal and print the reply in a pipe") {
    const Home home;
    const OwnerServer server;
    const Finished approved =
        run_program(home, server.words({"approve", kId, "--yes", "--level", "session"}), owner());
    CHECK(approved.code == 0);
    CHECK(base::parse_json(approved.out)["status"] == "approved");
    const Finished denied =
        run_program(home, server.words({"deny", kId, "--reason", "not now"}), owner());
    CHECK(denied.code == 0);
    CHECK(server.decisions() ==
          std::vector<std::string>{R"({"action":"approve","level":"session"})",
                                   R"({"action":"deny","reason":"not now"})"});
}

TEST_CASE("a scope is shown with the class of each constraint") {
    Json scope = request_document();
    scope["kind"] = "scope";
    scope["policy_violations"] = nullptr;
    scope["scope_request"] = {
        {"session_id", "session_77"},
        {"description", "Read\nissues"},
        {"constraints", {"be nice", "Only GET"}},
        {"structured_constraints",
         {{{"text", "be nice"}, {"class", "advisory"}},
          {{"text", "Only GET"}, {"class", "enforced"}, {"compiled", "methods GET, HEAD"}}}},
        {"secrets", {"SCOPE_SECRET"}},
        {"networks", {"scope.example.org"}},
        {"rules", Json::array()},
        {"max_timeout", 77}};
    const Home home;
    const OwnerServer server(scope);
    PseudoTerminal terminal;
    Program program(home, server.words({"show", kId}), owner(&terminal, true));
    CHECK(program.wait().code == 0);
    const std::string shown = terminal.read_until("console.log");
    for (const char* part :
         {"Read<U+000A>issues", "ADVISORY: oauth3 cannot check this", "Only GET [ENFORCED: methods",
          "SCOPE_SECRET", "scope.example.org", "77 s"}) {
        CAPTURE(part);
        CHECK(has(shown, part));
    }
}

TEST_CASE("lists and shows are text on a terminal, a document in a pipe or with --json") {
    const Home home;
    const OwnerServer server;
    for (const char* verb : {"pending", "show"}) {
        std::vector<std::string> words{verb};
        if (verb == std::string("show")) words.push_back(kId);
        const Finished piped = run_program(home, server.words(words), owner());
        CHECK(piped.code == 0);
        CHECK(base::parse_json(piped.out).is_object());
        {
            PseudoTerminal terminal;
            Program program(home, server.words(words), owner(&terminal, true));
            CHECK(program.wait().code == 0);
            const std::string text = terminal.read_until("hello-skill");
            CHECK(has(text, "\x1b[1m"));
            CHECK_FALSE(has(text, "{\""));
        }
        {
            PseudoTerminal terminal;
            RunOptions plain = owner(&terminal, true);
            plain.environment["NO_COLOR"] = "1";
            Program program(home, server.words(words), plain);
            CHECK(program.wait().code == 0);
            CHECK_FALSE(has(terminal.read_until("hello-skill"), "\x1b"));
        }
        words.push_back("--json");
        PseudoTerminal terminal;
        Program program(home, server.words(words), owner(&terminal, true));
        CHECK(program.wait().code == 0);
        CHECK(has(terminal.read_until("hello-skill"), "{\""));
    }
}

TEST_CASE("the owner's key comes from its file or variable only, and agents' keys do not serve") {
    const Home home;
    const OwnerServer server;
    home.file(".oauth3/key", "agent_key\n");
    const Finished none = run_program(home, server.words({"pending"}),
                                      {.environment = {{"OAUTH3_API_KEY", "agent_key"}}});
    CHECK(none.code == 4);
    CHECK(has(none.err, "--owner-key-file"));
    const std::string file = home.file("owner", "owner_key\n", 0640);
    const Finished named =
        run_program(home, server.words({"pending", "--owner-key-file", file}), {});
    CHECK(named.code == 0);
    CHECK(has(named.err, "other users can read the key"));
    const std::string wrong = home.file("wrong", "agent_key\n");
    CHECK(run_program(home, server.words({"pending", "--owner-key-file", wrong}), {}).code == 4);
}
