#include "agent_support.h"

#include <signal.h>

#include <atomic>

// How waiting ends before there is a result: signals, time, a server that fails or is full.

using namespace oauth3;
using namespace oauth3::test;

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
