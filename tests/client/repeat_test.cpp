#include "base/json.h"
#include "client_support.h"
#include "stand_in.h"

#include <atomic>

// What is sent again, and what is not.

using namespace oauth3;
using namespace oauth3::test;

namespace {

const std::string kPending =
    R"({"request_id":"exec_5d0c12ab34cd56ef","status":"pending","session_id":"s"})";

/// Ways in which a call can fail after its request has arrived.
std::vector<HttpReply> broken_replies() {
    return {HttpReply{.body = "", .close = true},
            HttpReply{.raw = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", .close = true},
            HttpReply{.raw = "HTTP/1.1 20", .close = true},
            HttpReply{.status = 500, .body = "oops"},
            HttpReply{.status = 502, .body = "<html>"},
            HttpReply{.status = 503, .body = R"({"error":"x","code":"shutting_down"})"},
            HttpReply{.status = 504, .body = ""},
            HttpReply{.status = 429, .body = R"({"error":"x"})"}};
}

}  // namespace

TEST_CASE("a submission in doubt is sent again, with the same key and bytes") {
    for (const HttpReply& broken : broken_replies()) {
        CAPTURE(broken.status, broken.raw);
        std::atomic<int> calls{0};
        StandIn server(
            [&](const HttpRequest&) { return calls++ < 2 ? broken : HttpReply{.body = kPending}; });
        Client client = client_of(server.url());
        CHECK(client.execute({.skill_code = "x", .args_json = R"({"b":1,"a":[2]})"}).request_id ==
              kId);
        calls = 0;
        CHECK(client.scope(R"({"description":"d","zz":1,"a":2})", "mine").request_id == kId);

        const auto requests = server.requests();
        REQUIRE(requests.size() == 6);
        CHECK(server.faults().empty());
        for (const std::size_t i :
             {std::size_t{1}, std::size_t{2}, std::size_t{4}, std::size_t{5}}) {
            const HttpRequest& first = requests[i < 3 ? 0 : 3];
            CHECK(requests[i].target == first.target);
            CHECK(requests[i].body == first.body);
            CHECK(requests[i].header("idempotency-key") == first.header("idempotency-key"));
        }
        CHECK(requests[3].header("idempotency-key") == "mine");
        CHECK(requests[0].header("idempotency-key") != "mine");
    }
}

TEST_CASE("a submission goes on after silence, on a new connection") {
    std::atomic<int> calls{0};
    StandIn server([&](const HttpRequest&) {
        return calls++ == 0 ? HttpReply{.hang = true} : HttpReply{.body = kPending};
    });
    // The client gives one try 20 s; here its clock says at once that they are over.
    FakeClocks clocks;
    std::thread hurry([&] {
        server.wait_for("/execute");
        clocks.pass(std::chrono::seconds(21));
    });
    client::Channel channel({.url = server.url(), .timeout = std::chrono::minutes(1)}, {}, clocks);
    const auto answer = client::post_once(channel, "/execute", R"({"skill_code":"x"})", "k");
    CHECK(answer.document["request_id"] == kId);
    CHECK(calls == 2);
    hurry.join();
}

TEST_CASE("the error of a submission in doubt names the key to go on with") {
    StandIn server([](const HttpRequest&) { return HttpReply{.body = "", .close = true}; });
    Client client = client_of(server.url(), std::chrono::milliseconds(400));
    const ClientError error = error_of([&] { client.execute({.skill_code = "x"}, "mine"); });
    CHECK(error.kind() == ClientErrorKind::unreachable);
    CHECK(error.maybe_sent());
    CHECK(error.idempotency_key() == "mine");
    CHECK(error.hint().find("mine") != std::string::npos);
    CHECK(server.requests().size() >= 2);
}

TEST_CASE("an answer that leaves open what became of a submission leaves it in doubt") {
    std::atomic<int> calls{0};
    HttpReply first;
    HttpReply later;
    StandIn server([&](const HttpRequest&) { return calls++ == 0 ? first : later; });
    const auto error_after = [&](const HttpReply& one, const HttpReply& others) {
        calls = 0;
        first = one;
        later = others;
        Client client = client_of(server.url(), std::chrono::milliseconds(400));
        return error_of([&] { client.execute({.skill_code = "x"}, "mine"); });
    };
    const HttpReply cut{.body = "", .close = true};
    const HttpReply internal{.status = 500, .body = R"({"error":"No.","code":"internal"})"};
    const HttpReply slow{.status = 429, .body = R"({"error":"Slow.","code":"rate_limited"})"};
    const HttpReply bad{.status = 400, .body = R"({"error":"No.","code":"bad_request"})"};
    struct Case {
        HttpReply first, later;
        bool in_doubt;
    };
    for (const Case& c : {Case{internal, internal, true}, Case{cut, internal, true},
                          Case{cut, slow, true}, Case{internal, slow, true},
                          Case{slow, slow, false}, Case{bad, bad, false}, Case{cut, bad, false}}) {
        CAPTURE(c.first.status, c.later.status);
        const ClientError error = error_after(c.first, c.later);
        CHECK(error.http_status() == c.later.status);
        CHECK(error.maybe_sent() == c.in_doubt);
        CHECK(error.idempotency_key() == "mine");
        CHECK((error.hint().find("mine") != std::string::npos) == c.in_doubt);
    }
    // A dry run leaves nothing to go on with.
    later = first = internal;
    Client client = client_of(server.url(), std::chrono::milliseconds(400));
    const ClientError error = error_of([&] { client.dry_run({.skill_code = "x"}); });
    CHECK_FALSE(error.maybe_sent());
    CHECK(error.idempotency_key().empty());
    CHECK(error.hint().empty());
}

TEST_CASE("a scope and the run in it are submitted with one key") {
    StandIn server([](const HttpRequest& request) -> HttpReply {
        return {.body = request.method == "POST" ? kPending : state("completed")};
    });
    Client client = client_of(server.url());
    client.scope_and_execute(R"({"description":"d"})", {.skill_code = "x"});
    client.scope_and_execute(R"({"description":"d"})", {.skill_code = "x"}, {}, "mine");
    std::vector<std::string> keys;
    for (const HttpRequest& request : server.requests())
        if (request.method == "POST") keys.push_back(request.header("idempotency-key"));
    REQUIRE(keys.size() == 4);
    CHECK(keys[0] == keys[1]);
    CHECK(keys[0].size() == 32);
    CHECK(keys[2] == "mine");
    CHECK(keys[3] == "mine");
}

TEST_CASE("a full server is asked again, and says why, unless the caller does not wait for room") {
    std::atomic<int> calls{0};
    StandIn server([&](const HttpRequest&) {
        return calls++ == 0
                   ? HttpReply{.status = 429,
                               .body = R"({"error":"50 wait already.","code":"too_many_pending"})"}
                   : HttpReply{.body = kPending};
    });
    std::string said;
    Client waiting({.url = server.url(),
                    .timeout = std::chrono::minutes(1),
                    .progress = [&](const Progress& progress) { said = progress.text; }});
    CHECK(waiting.execute({.skill_code = "x"}).status == "pending");
    CHECK(calls == 2);
    CHECK(said.find("50 wait already.") != std::string::npos);

    Client hurried(
        {.url = server.url(), .timeout = std::chrono::minutes(1), .waits_for_room = false});
    for (const auto& call :
         std::vector<std::function<void()>>{[&] { hurried.execute({.skill_code = "x"}); },
                                            [&] { hurried.scope(R"({"description":"d"})"); },
                                            [&] { waiting.dry_run({.skill_code = "x"}); }}) {
        calls = 0;
        const ClientError error = error_of(call);
        CHECK(error.code() == "too_many_pending");
        CHECK_FALSE(error.maybe_sent());
        CHECK(calls == 1);
    }
}

TEST_CASE("a refusal of a submission is final") {
    for (const int status : {400, 401, 403, 404, 409, 413, 422, 426}) {
        StandIn server([&](const HttpRequest&) {
            return HttpReply{.status = status, .body = R"({"error":"No.","code":"c"})"};
        });
        Client client = client_of(server.url());
        const ClientError error = error_of([&] { client.execute({.skill_code = "x"}); });
        CHECK(error.http_status() == status);
        CHECK_FALSE(error.maybe_sent());
        CHECK(server.requests().size() == 1);
    }
}

TEST_CASE("what is not a submission is sent once at most") {
    std::atomic<int> calls{0};
    HttpReply reply;
    StandIn server([&](const HttpRequest&) {
        ++calls;
        return reply;
    });
    Client client = client_of(server.url());
    const std::vector<std::function<void()>> changes{
        [&] { client.signup("agent"); },
        [&] { client.cancel(kId); },
        [&] { client.decide(kId, {.approve = true}); },
        [&] { client.narrow_session("s", "{}"); },
        [&] { client.revoke_session("s"); },
        [&] { client.create_tenant("t"); },
        [&] { client.create_key(); },
        [&] { client.create_owner_key(); },
        [&] { client.revoke_key("key_0123456789abcdef"); },
        [&] { client.create_owner("o"); },
        [&] { client.create_invite(); },
    };
    for (const HttpReply& broken : broken_replies()) {
        // A kept connection first: libcurl would repeat a request on it by itself.
        reply = HttpReply{.body = R"({"status":"pending"})"};
        client.status(kId);
        reply = broken;
        for (const auto& change : changes) {
            calls = 0;
            const ClientError error = error_of(change);
            CHECK(calls == 1);
            CHECK(error.maybe_sent() == (broken.status != 429));
        }
    }
}

TEST_CASE("a Retry-After is kept, by polls and by submissions") {
    std::atomic<int> calls{0};
    StandIn server([&](const HttpRequest& request) {
        if (calls++ % 2 == 0)
            return HttpReply{.status = 429,
                             .body = R"({"error":"slow","code":"rate_limited"})",
                             .headers = {"Retry-After: 2"}};
        return HttpReply{.body = request.method == "GET" ? state("completed") : kPending};
    });
    std::vector<std::chrono::milliseconds> delays;
    Client client({.url = server.url(),
                   .timeout = std::chrono::minutes(1),
                   .progress = [&](const Progress& progress) {
                       if (progress.kind == Progress::Kind::retry) delays.push_back(progress.delay);
                   }});
    const auto start = std::chrono::steady_clock::now();
    CHECK(client.poll(kId).status == "completed");
    CHECK(client.execute({.skill_code = "x"}).status == "pending");
    CHECK(std::chrono::steady_clock::now() - start >= std::chrono::seconds(4));
    REQUIRE(delays.size() == 2);
    for (const auto delay : delays) CHECK(delay >= std::chrono::seconds(2));
}

TEST_CASE("an absurd Retry-After does not outlast the time") {
    StandIn server([&](const HttpRequest&) {
        return HttpReply{.status = 503,
                         .body = R"({"error":"later","code":"shutting_down"})",
                         .headers = {"Retry-After: 99999999999"}};
    });
    Client client = client_of(server.url(), std::chrono::milliseconds(300));
    CHECK(error_of([&] { client.poll(kId); }).kind() == ClientErrorKind::timeout);
    const ClientError error = error_of([&] { client.execute({.skill_code = "x"}); });
    CHECK(error.kind() == ClientErrorKind::refused);
    CHECK(error.code() == "shutting_down");
}

TEST_CASE("a laptop that slept asks again instead of waiting on a dead connection") {
    std::atomic<int> calls{0};
    StandIn server([&](const HttpRequest&) {
        return calls++ == 0 ? HttpReply{.hang = true} : HttpReply{.body = state("completed")};
    });
    FakeClocks clocks;
    std::thread lid([&] {
        server.wait_for(kStatusPath);
        clocks.sleep(std::chrono::minutes(10));
    });
    client::Channel channel({.url = server.url(), .timeout = std::chrono::hours(1)}, {}, clocks);
    CHECK(client::wait_for_end(channel, kId, {}).status == "completed");
    CHECK(calls == 2);
    lid.join();
}

TEST_CASE("a deadline that passed while the machine slept ends the call when it wakes") {
    StandIn server([](const HttpRequest&) { return HttpReply{.hang = true}; });
    FakeClocks clocks;
    std::thread lid([&] {
        server.wait_for(kStatusPath);
        clocks.sleep(std::chrono::hours(2));
    });
    client::Channel channel({.url = server.url(), .timeout = std::chrono::hours(1)}, {}, clocks);
    CHECK(error_of([&] { client::wait_for_end(channel, kId, {}); }).kind() ==
          ClientErrorKind::timeout);
    lid.join();
}

TEST_CASE("what was sent before the machine slept is not sent again") {
    StandIn server([](const HttpRequest&) { return HttpReply{.hang = true}; });
    FakeClocks clocks;
    std::thread lid([&] {
        server.wait_for("/signup");
        clocks.sleep(std::chrono::minutes(1));
    });
    client::Channel channel({.url = server.url(), .timeout = std::chrono::hours(1)}, {}, clocks);
    client::Call call;
    call.method = "POST";
    call.path = "/signup";
    call.body = "{}";
    call.repeat = client::Repeat::unsent;
    const ClientError error = error_of([&] { channel.call(call); });
    CHECK(error.kind() == ClientErrorKind::unreachable);
    CHECK(error.maybe_sent());
    CHECK(server.requests().size() == 1);
    lid.join();
}
