#include "base/json.h"
#include "client/stand_in.h"
#include "program.h"
#include "support/catch.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <atomic>

// The commands of agents: exit codes, the one document on stdout, what goes to stderr.

using namespace oauth3;
using namespace oauth3::test;
using base::Json;

namespace {

const std::string kExec = "exec_00000000000000a1";
const std::string kScope = "scope_00000000000000b2";
const std::string kUrl = "http://127.0.0.1:1/approve/x?token=0123";

/// The one document that stdout must hold.
Json document_of(const Finished& done) {
    INFO("stdout: " << done.out << "\nstderr: " << done.err);
    REQUIRE(!done.out.empty());
    CHECK(done.out.find('\n') == done.out.size() - 1);
    return base::parse_json(done.out);
}

/// A server that takes anything and says of every execution that it is `state`.
StandIn::Handler answering(const std::string& state, const std::string& scope_state) {
    return [=](const HttpRequest& request) -> HttpReply {
        const auto submitted = [](const std::string& id, const char* status) {
            return HttpReply{
                .body = fmt::format(
                    R"({{"request_id":"{}","status":"{}","session_id":"s1","approval_url":"{}"}})",
                    id, status, kUrl)};
        };
        if (request.path() == "/execute") return submitted(kExec, "pending");
        if (request.path() == "/scope") return submitted(kScope, "pending_scope");
        if (request.path() == "/execute/" + kExec + "/status")
            return {.body = fmt::format(R"({{"request_id":"{}",{}}})", kExec, state)};
        if (request.path() == "/execute/" + kScope + "/status")
            return {.body = fmt::format(R"({{"request_id":"{}","session_id":"s2",{}}})", kScope,
                                        scope_state)};
        return {.status = 404, .body = R"({"error":"No.","code":"not_found"})"};
    };
}

StandIn::Handler answering(const std::string& state) {
    return answering(state, state);
}

std::vector<std::string> with_server(const StandIn& server, std::vector<std::string> words) {
    words.insert(words.end(), {"--url", server.url()});
    return words;
}

const RunOptions kKey{.environment = {{"OAUTH3_API_KEY", "oauth3_test_key"}}};

}  // namespace

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

TEST_CASE("Ctrl-C during a poll says how to go on") {
    const Home home;
    const std::string code = home.file("a.ts", "1");
    for (const int number : {SIGINT, SIGTERM}) {
        StandIn server([&](const HttpRequest& request) {
            HttpReply reply = answering("")(request);
            reply.hang = request.method == "GET";
            return reply;
        });
        Program program(home, with_server(server, {"execute", "--code", code}), kKey);
        server.wait_for("/execute/" + kExec + "/status");
        program.signal(number);
        const Finished done = program.wait();
        CHECK(done.code == 130);
        CHECK(done.err.find("oauth3 poll " + kExec + "\n") != std::string::npos);
        const Json document = document_of(done);
        CHECK(document["request_id"] == kExec);
        CHECK(document["status"] == "interrupted");
    }
}

TEST_CASE("what may have been submitted names the key with which the command goes on") {
    const Home home;
    const std::string code = home.file("a.ts", "1");
    struct Case {
        HttpReply bad;
        bool interrupts;
        int code;
    };
    const HttpReply silence{.hang = true};
    const HttpReply broken{.status = 503,
                           .body = R"({"error":"Down.","code":"shutting_down","hint":"Wait."})"};
    for (const Case& c :
         {Case{silence, true, 130}, Case{silence, false, 124}, Case{broken, false, 1}}) {
        std::atomic<bool> answers{false};
        StandIn server([&](const HttpRequest& request) {
            return answers ? answering(R"("status":"completed")")(request) : c.bad;
        });
        const std::vector<std::string> words{"execute", "--code", code};
        auto first = words;
        first.insert(first.end(), {"--timeout", c.interrupts ? "60" : "1"});
        Program program(home, with_server(server, first), kKey);
        server.wait_for("/execute");
        if (c.interrupts) program.signal(SIGINT);
        const Finished done = program.wait();
        CHECK(done.code == c.code);
        const std::string key = document_of(done).value("idempotency_key", "");
        REQUIRE(!key.empty());
        CHECK(done.err.find("--idempotency-key " + key + "\n") != std::string::npos);

        answers = true;
        auto again = words;
        again.insert(again.end(), {"--idempotency-key", key});
        CHECK(run_program(home, with_server(server, again), kKey).code == 0);
        for (const HttpRequest& request : server.requests())
            if (request.method == "POST") CHECK(request.header("idempotency-key") == key);
    }
}

TEST_CASE("both submissions of scope-and-execute are in doubt with one key, a dry run with none") {
    const Home home;
    const std::string code = home.file("a.ts", "1");
    const std::string scope = home.file("s.json", R"({"description":"d"})");
    StandIn server([&](const HttpRequest& request) {
        if (request.path() == "/execute") return HttpReply{.status = 500, .body = "{}"};
        return answering(R"("status":"completed")")(request);
    });
    const Finished done = run_program(home,
                                      with_server(server, {"scope-and-execute", "--scope", scope,
                                                           "--code", code, "--timeout", "1"}),
                                      kKey);
    CHECK(done.code == 1);
    const std::string key = document_of(done).value("idempotency_key", "");
    CHECK(!key.empty());
    CHECK(done.err.find("--idempotency-key " + key + "\n") != std::string::npos);
    CHECK(server.count("POST", "/scope") == 1);
    for (const HttpRequest& request : server.requests())
        if (request.method == "POST") CHECK(request.header("idempotency-key") == key);

    // Its time is 300 s: a signal ends it earlier.
    StandIn silent([](const HttpRequest&) { return HttpReply{.hang = true}; });
    Program program(home, with_server(silent, {"execute", "--code", code, "--dry-run"}), kKey);
    silent.wait_for("/execute");
    program.signal(SIGINT);
    const Finished dry = program.wait();
    CHECK(dry.code == 130);
    CHECK((dry.out + dry.err).find("idempotency") == std::string::npos);
}

TEST_CASE("whatever ends the waiting for what was submitted, its id is told") {
    const Home home;
    const std::string code = home.file("a.ts", "1");
    struct Case {
        HttpReply reply;
        int code;
        const char* word;
    };
    for (const Case& c :
         {Case{
              {.status = 401, .body = R"({"error":"No.","code":"invalid_key"})"}, 4, "invalid_key"},
          Case{{.status = 404, .body = R"({"error":"No.","code":"not_found"})"}, 1, "not_found"},
          Case{{.body = "<html>"}, 1, "bad_reply"}, Case{{.body = "{}"}, 1, "bad_reply"}}) {
        StandIn server([&](const HttpRequest& request) {
            return request.method == "GET" ? c.reply : answering("")(request);
        });
        for (const bool raw : {false, true}) {
            std::vector<std::string> words{"execute", "--code", code};
            if (raw) words.emplace_back("--raw");
            const Finished done = run_program(home, with_server(server, words), kKey);
            CHECK(done.code == c.code);
            CHECK(done.err.find("oauth3 poll " + kExec + "\n") != std::string::npos);
            if (raw) continue;
            CHECK(document_of(done)["request_id"] == kExec);
            CHECK(document_of(done)["code"] == c.word);
        }
    }
}

TEST_CASE("who does not wait is told at once that the server is full, and others why they wait") {
    const Home home;
    const std::string code = home.file("a.ts", "1");
    StandIn server([](const HttpRequest&) {
        return HttpReply{.status = 429,
                         .body = R"({"error":"50 wait already.","code":"too_many_pending"})",
                         .headers = {"Retry-After: 1"}};
    });
    for (const char* how : {"--no-wait", "--bg", "--dry-run"}) {
        const std::size_t before = server.requests().size();
        const Finished done =
            run_program(home, with_server(server, {"execute", "--code", code, how}), kKey);
        CHECK(done.code == 1);
        CHECK(document_of(done)["code"] == "too_many_pending");
        CHECK(server.requests().size() == before + 1);
    }
    const Finished waited =
        run_program(home, with_server(server, {"execute", "--code", code, "--timeout", "2"}), kKey);
    CHECK(waited.code == 1);
    CHECK(waited.err.find("HTTP 429: 50 wait already.; trying again") != std::string::npos);
}

TEST_CASE("the end of --timeout says how to go on, whatever the server does") {
    const Home home;
    const std::string code = home.file("a.ts", "1");
    for (const HttpReply& bad :
         {HttpReply{.hang = true}, HttpReply{.trickle = true}, HttpReply{.body = "", .close = true},
          HttpReply{.status = 503, .body = "{}"}, HttpReply{.body = R"({"status":"pending"})"}}) {
        StandIn server([&](const HttpRequest& request) {
            return request.method == "GET" ? bad : answering("")(request);
        });
        const Finished done = run_program(
            home, with_server(server, {"execute", "--code", code, "--timeout", "1"}), kKey);
        CHECK(done.code == 124);
        CHECK(done.err.find("oauth3 poll " + kExec + "\n") != std::string::npos);
        const Json document = document_of(done);
        CHECK(document["request_id"] == kExec);
        CHECK(document["status"] == "timeout");
        CHECK(document["error"].is_string());
    }
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
             {{"approve", kExec, "--level", "forever"}, "one of once, session"},
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
