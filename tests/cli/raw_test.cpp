#include "base/json.h"
#include "client/stand_in.h"
#include "program.h"
#include "support/catch.h"

#include <fmt/format.h>

// --raw, --no-wait and --dry-run: what goes to stdout, and how the program ends.

using namespace oauth3;
using namespace oauth3::test;
using base::Json;

namespace {

const std::string kExec = "exec_00000000000000a1";
const std::string kUrl = "http://127.0.0.1:1/approve/x?token=0123";
const RunOptions kKey{.environment = {{"OAUTH3_API_KEY", "oauth3_test_key"}}};

StandIn::Handler ending(const std::string& members) {
    return [=](const HttpRequest& request) -> HttpReply {
        if (request.method == "POST")
            return {.body = fmt::format(
                        R"({{"request_id":"{}","status":"pending","approval_url":"{}"}})", kExec,
                        kUrl)};
        return {.body = fmt::format(R"({{"request_id":"{}",{}}})", kExec, members)};
    };
}

std::string result(const std::string& status, const std::string& out, const std::string& code) {
    return fmt::format(R"("status":"{}","result":{{"stdout":{},"exitCode":{}}})", status, out,
                       code);
}

}  // namespace

TEST_CASE("raw output: prints the program's output with one final newline and ends with its code") {
    const Home home;
    const std::string code = home.file("a.ts", "1");
    struct Case {
        std::string state;
        int code;
        const char* out;
    };
    for (const Case& c : std::vector<Case>{
             {result("completed", R"("hi")", "0"), 0, "hi\n"},
             {result("completed", R"("a\nb\n\n\n")", "0"), 0, "a\nb\n"},
             {result("completed", R"("")", "0"), 0, "\n"},
             {result("completed", R"("  x  ")", "0"), 0, "  x  \n"},
             {result("failed", R"("half\n")", "7"), 7, "half\n"},
             {result("failed", R"("")", "124"), 124, "\n"},
             {result("failed", R"("")", "137"), 137, "\n"},
             {result("failed", R"("")", "255"), 255, "\n"},
             // Nothing that failed ends with 0, and no code wraps around to it.
             {result("failed", R"("x")", "0"), 1, "x\n"},
             {result("failed", R"("x")", "256"), 1, "x\n"},
             {result("failed", R"("x")", "-1"), 1, "x\n"},
             // What makes no sense is no result.
             {result("failed", R"("x")", "18446744073709551616"), 1, ""},
             {result("completed", R"("x")", "1.5"), 1, ""},
             {result("completed", R"("x")", "\"0\""), 1, ""},
             {result("completed", R"("x")", "null"), 1, ""},
             // Without a result there is no output, and the table of exit codes holds.
             {R"("status":"failed","error":"no such code")", 1, ""},
             {R"("status":"failed","result":{"exitCode":9})", 1, ""},
             {R"("status":"failed","result":"stdout")", 1, ""},
             {R"("status":"denied","state":"denied")", 3, ""},
             {R"("status":"awaiting_secrets","missing_secrets":["A"])", 5, ""}}) {
        CAPTURE(c.state);
        StandIn server(ending(c.state));
        for (const std::vector<std::string>& words :
             {std::vector<std::string>{"execute", "--code", code, "--raw"},
              {"poll", kExec, "--raw"}}) {
            auto all = words;
            all.insert(all.end(), {"--url", server.url()});
            const Finished done = run_program(home, all, kKey);
            CHECK(done.code == c.code);
            CHECK(done.out == c.out);
        }
    }
}

TEST_CASE("raw output: prints nothing on stdout when there is no reply") {
    const Home home;
    const std::string code = home.file("a.ts", "1");
    const auto run = [&](const std::string& url) {
        return run_program(
            home, {"execute", "--code", code, "--raw", "--timeout", "1", "--url", url}, kKey);
    };
    const Finished nobody = run("http://127.0.0.1:1");
    CHECK(nobody.code == 6);
    CHECK(nobody.out.empty());
    StandIn refusing([](const HttpRequest&) {
        return HttpReply{.status = 401, .body = R"({"error":"No.","code":"invalid_key"})"};
    });
    const Finished refused = run(refusing.url());
    CHECK(refused.code == 4);
    CHECK(refused.out.empty());
    CHECK(refused.err.find("No.") != std::string::npos);
    StandIn slow(ending(R"("status":"pending")"));
    const Finished late = run(slow.url());
    CHECK(late.code == 124);
    CHECK(late.out.empty());
    CHECK(late.err.find("oauth3 poll " + kExec + "\n") != std::string::npos);
}

TEST_CASE("raw output: is raw in a pipe and harmless on a terminal") {
    const Home home;
    StandIn server(ending(result("completed", R"("\u001b]0;x\u0007ü\n\u202e\u009b2J")", "0")));
    const std::vector<std::string> words{"poll", kExec, "--raw", "--url", server.url()};
    CHECK(run_program(home, words, kKey).out == "\x1b]0;x\aü\n\u202e\u009b2J\n");

    PseudoTerminal terminal;
    RunOptions options = kKey;
    options.terminal = terminal.name();
    options.terminal_out = true;
    CHECK(run_program(home, words, options).code == 0);
    const std::string seen = terminal.read_until("2J");
    CHECK(seen.find("ü") != std::string::npos);
    for (const char* raw : {"\x1b", "\a", "\u202e", "\u009b"})
        CHECK(seen.find(raw) == std::string::npos);
}

TEST_CASE("no-wait prints the first reply and waits for nothing") {
    const Home home;
    const std::string code = home.file("a.ts", "1");
    const std::string scope = home.file("s.json", R"({"description":"d"})");
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"execute", "--code", code},
          {"scope", "--scope", scope},
          {"scope-and-execute", "--scope", scope, "--code", code}}) {
        StandIn server(ending(R"("status":"completed")"));
        auto all = words;
        all.insert(all.end(), {"--no-wait", "--url", server.url()});
        const Finished done = run_program(home, all, kKey);
        CHECK(done.code == 0);
        CHECK(base::parse_json(done.out)["request_id"] == kExec);
        CHECK(done.err.find(kUrl) != std::string::npos);
        CHECK(server.requests().size() == 1);
    }
}

TEST_CASE("scope waits until it is decided") {
    const Home home;
    const std::string scope = home.file("s.json", R"({"description":"d","session_id":"mine"})");
    struct Case {
        const char* status;
        int code;
    };
    for (const Case& c : {Case{"completed", 0}, Case{"denied", 3}}) {
        StandIn server(ending(fmt::format(R"("status":"{}")", c.status)));
        const Finished done =
            run_program(home, {"scope", "--scope", scope, "--url", server.url()}, kKey);
        CHECK(done.code == c.code);
        CHECK(base::parse_json(done.out)["status"] == c.status);
        CHECK(done.out.find("token=") == std::string::npos);
        CHECK(base::parse_json(server.requests().at(0).body) ==
              Json{{"description", "d"}, {"session_id", "mine"}});
    }
    StandIn server(ending(R"("status":"completed")"));
    CHECK(run_program(
              home, {"scope", "--scope", scope, "--session", "other", "--url", server.url()}, kKey)
              .code == 2);
    CHECK(server.requests().empty());
}

TEST_CASE("dry-run asks and makes no request") {
    const Home home;
    StandIn server([](const HttpRequest& request) -> HttpReply {
        if (base::parse_json(request.body).value("dry_run", false))
            return {.body = R"({"dry_run":true,"would_auto_approve":false,"reason":"x"})"};
        return {.status = 500, .body = "{}"};
    });
    const Finished done = run_program(
        home, {"execute", "--code", home.file("a.ts", "1"), "--dry-run", "--url", server.url()},
        kKey);
    CHECK(done.code == 0);
    CHECK(base::parse_json(done.out) ==
          Json{{"dry_run", true}, {"would_auto_approve", false}, {"reason", "x"}});
    CHECK(server.requests().size() == 1);
}

TEST_CASE("skill-url goes to the server, and nobody is asked for what it refuses to fetch") {
    const Home home;
    StandIn server([](const HttpRequest&) {
        return HttpReply{.status = 400, .body = R"({"error":"No.","code":"skill_url_refused"})"};
    });
    const std::string url = "https://github.com/o/r/blob/main/a.ts";
    const std::string hash(64, 'a');
    const Finished done = run_program(
        home, {"execute", "--skill-url", url, "--skill-sha256", hash, "--url", server.url()}, kKey);
    CHECK(done.code == 1);
    CHECK(base::parse_json(done.out)["code"] == "skill_url_refused");
    CHECK(done.err.find("No.") != std::string::npos);
    CHECK(base::parse_json(server.requests().at(0).body) ==
          Json{{"skill_url", url}, {"skill_sha256", hash}});

    const Finished scoped =
        run_program(home,
                    {"scope-and-execute", "--scope", home.file("s.json", R"({"description":"d"})"),
                     "--skill-url", url, "--url", server.url()},
                    kKey);
    CHECK(scoped.code == 1);
    CHECK(server.count("POST", "/scope") == 0);
}
