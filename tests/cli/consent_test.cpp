#include "owner_support.h"

// What a human is told before a decision: what approving means at each level, what an approval
// would have let through, and that what the options say is what is sent.

using namespace oauth3;
using namespace oauth3::test;

namespace {

Json scope_document() {
    Json out = request_document();
    out["kind"] = "scope";
    out["policy_violations"] = nullptr;
    out["session_digest"] = "none";
    out["review"] = {{"verdict", "ask"}, {"reason", "odd\x1b[2K"}, {"failed", false}};
    out["scope_request"] = {
        {"session_id", "session_77"},
        {"description", "Read issues"},
        {"constraints", {"Only read issues \x1b[8m", "Only GET"}},
        {"structured_constraints",
         {{{"text", "Only read issues \x1b[8m"},
           {"class", "partly"},
           {"compiled", "methods GET, HEAD"},
           {"remark", "the other words\x1b[1m are advisory"}},
          {{"text", "Only GET"}, {"class", "enforced"}, {"compiled", "methods GET, HEAD"}}}},
        {"secrets", {"SCOPE_SECRET"}},
        {"networks", {"scope.example.org"}},
        {"rules",
         {{{"host", "scope.example.org"}, {"methods", {"GET"}}, {"paths", {"/a/**", "/\x1b[2K"}}},
          {{"host", "b.example.org"}, {"methods", {"*"}}, {"paths", {"/**"}}, {"later", 1}}}},
        {"args",
         {{{"param", "REPO"}, {"pattern", "acme/.*\x1b"}},
          {{"param", "COUNT"}, {"op", "<="}, {"value", 3}}}},
        {"budgets", {{"requests", 100}, {"secret_uses", {{"SCOPE_SECRET", 5}}}}},
        {"max_runs", 20},
        {"any_code", false},
        {"max_timeout", 77}};
    return out;
}

/// What `approve` shows up to its question, unwrapped; answers `answer`.
std::string asked(const OwnerServer& server, const Home& home, std::vector<std::string> more,
                  const std::string& answer) {
    PseudoTerminal terminal;
    RunOptions plain = owner(&terminal, true);
    plain.environment["NO_COLOR"] = "1";
    std::vector<std::string> words{"approve", kId};
    words.insert(words.end(), more.begin(), more.end());
    Program program(home, server.words(words), plain);
    const std::string text = terminal.read_until("[y/N] ");
    terminal.type(answer);
    program.wait();
    return unwrapped(text);
}

std::string shown_by(const OwnerServer& server, const std::string& until) {
    const Home home;
    PseudoTerminal terminal;
    RunOptions plain = owner(&terminal, true);
    plain.environment["NO_COLOR"] = "1";
    Program program(home, server.words({"show", kId}), plain);
    const std::string text = terminal.read_until(until);
    CHECK(program.wait().code == 0);
    return unwrapped(text);
}

}  // namespace

TEST_CASE("approve says what each level means, and sends it") {
    struct Case {
        std::vector<std::string> words;
        std::vector<const char*> says;
        const char* decision;
    };
    Json request = request_document();
    request["session_digest"] = "none";
    const Home home;
    for (const Case& c : std::vector<Case>{
             {{},
              {"exactly this code with these arguments to run once", "Nothing later"},
              R"({"action":"approve","level":"once","session_digest":"none"})"},
             {{"--level", "session"},
              {"begins a session", "also with other arguments"},
              R"({"action":"approve","level":"session","session_digest":"none"})"},
             {{"--level", "24h"},
              {"in any session of this agent", "exactly the secrets and networks",
               "with any arguments; for 24 hours", "begins a session"},
              R"({"action":"approve","level":"24h","session_digest":"none"})"},
             {{"--level", "forever", "--pin-args"},
              {"only with the arguments shown above; until you revoke it"},
              R"({"action":"approve","level":"forever","pin_args":true,"session_digest":"none"})"},
         }) {
        const OwnerServer server(request);
        const std::string text = asked(server, home, c.words, "y\n");
        for (const char* part : c.says) {
            CAPTURE(part, text);
            CHECK(has(text, part));
        }
        REQUIRE(server.decisions().size() == 1);
        CHECK(base::parse_json(server.decisions()[0]) == base::parse_json(c.decision));
    }
    request["session_digest"] = "9f";
    const OwnerServer server(request);
    CHECK(
        has(asked(server, home, {"--level", "session"}, "n\n"), "widens the session that exists"));
}

TEST_CASE("a scope's approval says whether code that nobody has read may run") {
    const Home home;
    Json scope = scope_document();
    const OwnerServer known(scope);
    CHECK(has(asked(known, home, {}, "n\n"), "that was not approved in the session still asks"));
    scope["scope_request"]["any_code"] = true;
    const OwnerServer any(scope);
    CHECK(has(asked(any, home, {}, "n\n"), "Code that nobody has read may run in it"));
    CHECK(has(asked(any, home, {"--known-code-only"}, "y\n"), "still asks each time"));
    REQUIRE(any.decisions().size() == 1);
    CHECK(base::parse_json(any.decisions()[0]) == Json{{"action", "approve"},
                                                       {"level", "once"},
                                                       {"any_code", false},
                                                       {"session_digest", "none"}});
}

TEST_CASE("what is cut from a request is shown before the question, and sent") {
    const Home home;
    const std::string cut = home.file(
        "cut.json",
        R"({"secrets":["GH_TOKEN"],"rules":[{"host":"a.org","methods":["GET"]}],"max_timeout":9})");
    const OwnerServer server;
    const std::string text = asked(server, home, {"--narrow", cut}, "y\n");
    const std::string last = text.substr(text.rfind("Cut to"));
    for (const char* part : {"GH_TOKEN", "GET a.org /**", "9 s"}) CHECK(has(last, part));
    CHECK_FALSE(has(last, "OTHER_ONE"));
    REQUIRE(server.decisions().size() == 1);
    CHECK(base::parse_json(server.decisions()[0])["narrow"] ==
          base::parse_json(home.read("cut.json")));
}

TEST_CASE("options that would be ignored are refused") {
    const Home home;
    const OwnerServer execution;
    const OwnerServer scope(scope_document());
    const auto refused = [&](const OwnerServer& server, std::vector<std::string> words) {
        words.insert(words.begin(), {"approve", kId, "--yes"});
        const Finished done = run_program(home, server.words(words), owner());
        CHECK(server.decisions().empty());
        return done.code;
    };
    CHECK(refused(execution, {"--known-code-only"}) == 2);
    CHECK(refused(scope, {"--level", "session"}) == 2);
    CHECK(refused(scope, {"--level", "forever", "--pin-args"}) == 2);
    CHECK(refused(execution, {"--narrow", home.file("list", "[]")}) == 2);
}

TEST_CASE("all of a scope is shown, with what is only advisory") {
    const OwnerServer server(scope_document());
    const std::string text = shown_by(server, "console.log");
    for (const char* part :
         {"Only read issues <U+001B>[8m [PARTLY: methods GET, HEAD]",
          "not checked: the other words", "Only GET [ENFORCED: methods GET, HEAD]",
          "GET scope.example.org /a/**, /<U+001B>[2K", "\"later\":1",
          "REPO matches acme/.*<U+001B>", "COUNT <= 3", "Reviewer: ask: odd<U+001B>[2K",
          "100 requests, 5 uses of SCOPE_SECRET", "at most 20", "asks each time",
          "at most 77 s a run"}) {
        CAPTURE(part, text);
        CHECK(has(text, part));
    }
    CHECK_FALSE(has(text, "\x1b"));
}

TEST_CASE("show tells what an approval would have let through, the denied ones first") {
    OwnerServer server;
    Json allowed = Json::array();
    for (int i = 0; i < 12; ++i)
        allowed.push_back({{"request_id", fmt::format("exec_{:016x}", i)},
                           {"skill_id", "skill\x1b[31m"},
                           {"created_at", 1767225600000},
                           {"denied_by_human", i == 7}});
    server.answer_backtest({.body = Json{{"request_id", kId},
                                         {"considered", 30},
                                         {"would_allow", allowed},
                                         {"would_allow_denied", 1},
                                         {"would_refuse", Json::array()}}
                                        .dump()});
    const std::string text = shown_by(server, "console.log");
    CHECK(has(text, "Would have let through"));
    CHECK(has(text, "of the last 30 programs of this agent 12 (1 of which a human denied)"));
    CHECK(has(text, "exec_0000000000000007 DENIED BY A HUMAN skill<U+001B>[31m"));
    CHECK(text.find("exec_0000000000000007") < text.find("exec_0000000000000000"));
    CHECK(has(text, "and 2 more"));
    CHECK(text.find("Would have") < text.find("Code ("));
    CHECK(base::parse_json(server.backtest_asked()) == Json{{"limit", 50}});

    const Home home;
    const Finished piped =
        run_program(home, server.words({"show", kId, "--backtest", "7"}), owner());
    CHECK(base::parse_json(piped.out)["backtest"]["considered"] == 30);
    CHECK(base::parse_json(server.backtest_asked()) == Json{{"limit", 7}});
    const Finished none =
        run_program(home, server.words({"show", kId, "--backtest", "0"}), owner());
    CHECK_FALSE(base::parse_json(none.out).contains("backtest"));
}

TEST_CASE("a server that has no back-test is shown without") {
    const Home home;
    for (const int status : {404, 405}) {
        OwnerServer server;
        server.answer_backtest({.status = status, .body = R"({"error":"No.","code":"x"})"});
        const Finished done = run_program(home, server.words({"show", kId}), owner());
        CHECK(done.code == 0);
        CHECK_FALSE(base::parse_json(done.out).contains("backtest"));
    }
    OwnerServer broken;
    broken.answer_backtest({.status = 500, .body = R"({"error":"No.","code":"internal"})"});
    CHECK(run_program(home, broken.words({"show", kId}), owner()).code == 1);
    // What is decided is not asked for.
    Json done = request_document();
    done["status"] = done["state"] = "denied";
    const OwnerServer decided(done);
    CHECK(run_program(home, decided.words({"show", kId}), owner()).code == 0);
    CHECK(decided.backtest_asked().empty());
}
