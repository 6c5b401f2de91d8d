#include "agent_support.h"

#include <algorithm>
#include <atomic>

// The commands of agents: exit codes, the one document on stdout, what goes to stderr.

using namespace oauth3;
using namespace oauth3::test;

TEST_CASE("the exit code says how a request ended, and its reply is the document") {
    const Home home;
    const std::string code = home.file("some.skill.ts", "console.log(1)");
    struct Case {
        const char* state;
        int code;
    };
    for (const Case& c :
         {Case{R"("status":"completed","state":"completed","result":{"stdout":"hi","exitCode":0})",
               0},
          Case{R"("status":"failed","state":"failed","error":"x")", 1},
          Case{R"("status":"failed","state":"cancelled","error":"cancelled")", 1},
          Case{R"("status":"denied","state":"denied")", 3},
          Case{R"("status":"denied","state":"expired","error":"approval expired")", 3},
          Case{R"("status":"denied","state":"cancelled","error":"cancelled")", 3},
          Case{R"("status":"awaiting_secrets","missing_secrets":["A"])", 5}}) {
        CAPTURE(c.state);
        StandIn server(answering(c.state));
        const Json expected =
            base::parse_json(fmt::format(R"({{"request_id":"{}",{}}})", kExec, c.state));

        const Finished executed = run_program(
            home, with_server(server, {"execute", "--code", code, "--session", "s"}), kKey);
        CHECK(executed.code == c.code);
        CHECK(document_of(executed) == expected);
        CHECK(executed.err.find("👉 Approve execution: " + kUrl + "\n") != std::string::npos);
        CHECK(executed.out.find("approve/") == std::string::npos);

        const Finished polled = run_program(home, with_server(server, {"poll", kExec}), kKey);
        CHECK(polled.code == c.code);
        CHECK(document_of(polled) == expected);

        const Finished asked = run_program(home, with_server(server, {"status", kExec}), kKey);
        CHECK(asked.code == 0);
        CHECK(document_of(asked) == expected);
        CHECK(server.faults().empty());

        const Json body = base::parse_json(server.requests().at(0).body);
        CHECK(body == Json{{"skill_id", "some.skill"},
                           {"skill_code", "console.log(1)"},
                           {"session_id", "s"}});
        CHECK(server.requests().at(0).header("authorization") == "Bearer oauth3_test_key");
    }
}

TEST_CASE("authentication, refusals and an unreachable server have their exit codes") {
    const Home home;
    for (const auto& [http_status, exit_code] : std::vector<std::pair<int, int>>{
             {401, 4}, {403, 4}, {404, 1}, {409, 1}, {426, 1}, {500, 1}}) {
        const int status = http_status;
        const int code = exit_code;
        StandIn server([&](const HttpRequest&) {
            return HttpReply{.status = status, .body = R"({"error":"No.","code":"c","extra":1})"};
        });
        for (const char* verb : {"status", "cancel"}) {
            const Finished done = run_program(home, with_server(server, {verb, kExec}), kKey);
            CHECK(done.code == code);
            CHECK(document_of(done) ==
                  Json{{"error", "No."}, {"code", "c"}, {"extra", 1}, {"request_id", kExec}});
            CHECK(done.err.find("No.") != std::string::npos);
        }
    }
    // Port 1 of this machine: nothing listens there.
    const std::string code = home.file("a.ts", "1");
    for (const std::vector<std::string>& words : {std::vector<std::string>{"status", kExec},
                                                  {"poll", kExec, "--timeout", "1"},
                                                  {"execute", "--code", code, "--timeout", "1"},
                                                  {"cancel", kExec}}) {
        auto all = words;
        all.insert(all.end(), {"--url", "http://127.0.0.1:1"});
        const Finished done = run_program(home, all, kKey);
        CHECK(done.code == 6);
        CHECK(document_of(done)["code"] == "server_unreachable");
    }
}

TEST_CASE("garbage from the server is one sentence and exit code 1") {
    const Home home;
    for (const char* body : {"<html>", "[]", "{}", "{\"status\":5}", "\xff\xfe"}) {
        StandIn server([&](const HttpRequest&) { return HttpReply{.body = body}; });
        const Finished done = run_program(home, with_server(server, {"poll", kExec}), kKey);
        CHECK(done.code == 1);
        CHECK(document_of(done)["code"] == "bad_reply");
        CHECK(done.err.find("does not answer as an oauth3 server") != std::string::npos);
    }
}

TEST_CASE("scope-and-execute sends the code with the scope, then runs it in the session") {
    const Home home;
    const std::string scope = home.file("s.json", R"({"description":"d","skill_code":"other"})");
    const std::string code = home.file("hello.ts", "console.log(2)");
    const std::vector<std::string> words{
        "scope-and-execute", "--scope", scope, "--code", code, "--arg", "A=1",
        "--idempotency-key", "mine"};
    StandIn server(answering(R"("status":"completed")"));
    const Finished done = run_program(home, with_server(server, words), kKey);
    CHECK(done.code == 0);
    CHECK(document_of(done)["request_id"] == kExec);
    CHECK(done.err.find("👉 Approve scope: " + kUrl + "\n") != std::string::npos);
    CHECK(done.err.find("👉 Approve execution: " + kUrl + "\n") != std::string::npos);
    const auto requests = server.requests();
    REQUIRE(requests.size() == 4);
    CHECK(requests[0].path() == "/scope");
    CHECK(base::parse_json(requests[0].body) ==
          Json{{"description", "d"}, {"skill_code", "console.log(2)"}});
    CHECK(requests[0].header("idempotency-key") == "mine");
    CHECK(requests[2].path() == "/execute");
    CHECK(base::parse_json(requests[2].body) == Json{{"skill_id", "hello"},
                                                     {"skill_code", "console.log(2)"},
                                                     {"args", {{"A", "1"}}},
                                                     {"session_id", "s2"}});

    StandIn denying(answering(R"("status":"completed")", R"("status":"denied")"));
    const Finished denied = run_program(home, with_server(denying, words), kKey);
    CHECK(denied.code == 3);
    CHECK(document_of(denied)["request_id"] == kScope);
    CHECK(denying.count("POST", "/execute") == 0);
}

TEST_CASE("args keep their types, and single ones win") {
    const Home home;
    const std::string args = home.file("args.json", R"({"n":5,"s":"5","o":{"a":[1]}})");
    StandIn server(answering(R"("status":"completed")"));
    const Finished done = run_program(
        home,
        with_server(server, {"execute", "--code", "-", "--args", args, "--arg", "s=a=b, c", "--arg",
                             "e=", "--secrets", "A,B", "--skill-id", "x"}),
        {.environment = kKey.environment, .input = "console.log('ü')"});
    CHECK(done.code == 0);
    const Json args_sent = base::parse_json(R"({"n":5,"s":"a=b, c","o":{"a":[1]},"e":""})");
    CHECK(base::parse_json(server.requests().at(0).body) == Json{{"skill_id", "x"},
                                                                 {"skill_code", "console.log('ü')"},
                                                                 {"secrets", {"A", "B"}},
                                                                 {"args", args_sent}});
}

TEST_CASE("nothing of the server reaches a terminal raw") {
    const Home home;
    const std::string evil = "\\u001b]0;x\\u0007\\u009b31m\\u202e\\u2066 ok";
    StandIn server([&](const HttpRequest& request) -> HttpReply {
        if (request.path() == "/execute")
            return {.body = R"({"request_id":")" + kExec +
                            R"(","status":"pending","approval_url":"http://x/)" + evil + "\"}"};
        if (request.method == "GET" && request.target.find("wait") != std::string::npos)
            return {.body = R"({"status":"completed","error":")" + evil + "\"}"};
        return {.status = 400, .body = R"({"error":")" + evil + R"(","hint":")" + evil + "\"}"};
    });
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"execute", "--code", home.file("a.ts", "1")},
          {"status", kExec},
          {"poll", kExec}}) {
        const Finished done = run_program(home, with_server(server, words), kKey);
        for (const std::string& text : {done.out, done.err}) {
            for (const char* raw : {"\x1b", "\a", "\xc2\x9b", "\xe2\x80\xae", "\xe2\x81\xa6"})
                CHECK(text.find(raw) == std::string::npos);
        }
        // The document is still the same one.
        CHECK(document_of(done)["error"] == base::parse_json("\"" + evil + "\""));
    }
}

TEST_CASE("a command line that makes no sense is one sentence and exit code 2") {
    const Home home;
    const std::string code = home.file("a.ts", "1");
    const std::string binary = home.file("b.ts", "\xff");
    const std::string list = home.file("list.json", "[1]");
    struct Case {
        std::vector<std::string> words;
        const char* says;
    };
    for (const Case& c : std::vector<Case>{
             {{}, "No command"},
             {{"exceute"}, "Did you mean 'execute'?"},
             {{"--verison"}, "Did you mean '--version'?"},
             {{"execute"}, "needs --code"},
             {{"execute", "--code", code, "--skill-url", "https://x"}, "together"},
             {{"execute", "--code", code, "--skill-sha256", "AB"}, "64 lower-case hex"},
             {{"execute", "--code", code, "--bg", "--raw"}, "--bg and --raw"},
             {{"execute", "--code", code, "--bg", "--no-wait"}, "--bg and --no-wait"},
             {{"execute", "--code", code, "--dry-run", "--raw"}, "--dry-run and --raw"},
             {{"session", "shwo", "s"}, "Did you mean 'show'?"},
             {{"session", "show"}, "needs an ID"},
             {{"session", "show", ".."}, "not the id of a session"},
             {{"session", "narrow", "s"}, "at least one thing"},
             {{"sesion", "show"}, "Did you mean 'session'?"},
             {{"audit", "verfy"}, "Did you mean 'verify'?"},
             {{"audit", "verify", "x"}, "does not take"},
             {{"history", "--limit", "501"}, "--limit"},
             {{"login-link"}, "--json"},
             {{"execute", "--cod", code}, "Did you mean '--code'?"},
             {{"execute", "--code"}, "--code needs a value"},
             {{"execute", "--code", code, "--code", code}, "more than once"},
             {{"execute", "--code", code, "extra"}, "does not take the argument 'extra'"},
             {{"execute", "--code", home.path() / "none"}, "No such file"},
             {{"execute", "--code", binary}, "not UTF-8"},
             {{"execute", "--code", code, "--args", list}, "no JSON object"},
             {{"execute", "--code", code, "--args", code}, "JSON"},
             {{"execute", "--code", code, "--arg", "x"}, "NAME=TEXT"},
             {{"execute", "--code", code, "--arg", ""}, "--arg is empty"},
             {{"execute", "--code", code, "--secrets", ""}, "--secrets is empty"},
             {{"execute", "--code", code, "--secrets", " , "}, "names no secret"},
             {{"execute", "--code", code, "--session", ""}, "--session is empty"},
             {{"execute", "--code", code, "--idempotency-key", ""}, "--idempotency-key is empty"},
             {{"execute", "--code", code, "--skill-sha256", ""}, "--skill-sha256 is empty"},
             {{"scope", "--scope", list, "--session", ""}, "--session is empty"},
             {{"audit", "--tenant", ""}, "--tenant is empty"},
             {{"session", "narrow", "s", "--file", ""}, "--file is empty"},
             {{"execute", "--code", code, "--timeout", "0"}, "--timeout"},
             {{"execute", "--code", code, "--timeout", "5m"}, "--timeout"},
             {{"execute", "--code", code, "--url", "ftp://x"}, "--url"},
             {{"execute", "--code", code, "--key-file", home.path() / "none"}, "--key-file"},
             {{"scope-and-execute", "--code", code}, "needs --scope"},
             {{"poll"}, "needs an ID"},
             {{"poll", "../x"}, "not the id"},
             {{"poll", "a", "b"}, "does not take"},
             {{"approve", kExec, "--level", "sesion"}, "Did you mean 'session'?"},
             {{"approve", kExec, "--level", "always"}, "one of once, session, 24h, forever"},
             {{"approve", kExec, "--yes", "--pin-args"}, "--level 24h or forever"},
             {{"trust", "revoke", "../x"}, "not the id of a trust"},
             {{"trust", "revoek", "x"}, "Did you mean 'revoke'?"},
             {{"scope", "explian", list}, "Did you mean 'explain'?"},
             {{"policy"}, "needs one of these"},
             {{"policy", "test"}, "needs a FOLDER"},
             {{"approve", kExec}, "--yes"}}) {
        const Finished done = run_program(home, c.words, kKey);
        INFO(fmt::format("{}", fmt::join(c.words, " ")) << "\n" << done.err);
        CHECK(done.code == 2);
        CHECK(done.err.find(c.says) != std::string::npos);
        CHECK(done.err.rfind("oauth3: ", 0) == 0);
        // Agents read stdout.
        const std::vector<std::string> agents{"execute", "scope", "scope-and-execute", "poll",
                                              "history"};
        const bool is_agent = !c.words.empty() && std::find(agents.begin(), agents.end(),
                                                            c.words.front()) != agents.end();
        if (is_agent && std::find(c.words.begin(), c.words.end(), "--raw") == c.words.end()) {
            CHECK(document_of(done)["code"] == "usage");
            CHECK(document_of(done)["error"].is_string());
        } else {
            CHECK(done.out.empty());
        }
    }
}

TEST_CASE("a full disk under stdout is not success") {
    const Home home;
    StandIn server(answering(R"("status":"completed")"));
    const std::string command =
        fmt::format("{} status {} --url {} --key-file {} >/dev/full 2>/dev/null", OAUTH3_PROGRAM,
                    kExec, server.url(), home.file("key", "k\n"));
    const int status = ::system(command.c_str());
    CHECK(WEXITSTATUS(status) == 1);
}
