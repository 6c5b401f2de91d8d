#include "base/error.h"
#include "base/fd.h"
#include "base/json.h"
#include "client_support.h"
#include "stand_in.h"

#include <netinet/in.h>
#include <oauth3/client.h>
#include <sys/socket.h>

#include <atomic>
#include <thread>

using namespace oauth3;
using namespace oauth3::test;

namespace {

/// A port on which nothing listens: bound, so that nobody else takes it, but not listening.
class ClosedPort {
  public:
    ClosedPort() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        if (::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
            ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
            base::throw_errno("bind");
        port_ = ntohs(address.sin_port);
    }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    void listen() { ::listen(fd_.get(), 8); }
    int fd() const { return fd_.get(); }

  private:
    base::Fd fd_;
    int port_ = 0;
};

}  // namespace

TEST_CASE("server URLs get one comparable form") {
    CHECK(parse_server_url("http://127.0.0.1:3737/").text == "http://127.0.0.1:3737");
    CHECK(parse_server_url("HTTPS://Example.ORG:443/Pre/fix/").text ==
          "https://example.org/Pre/fix");
    CHECK(parse_server_url("http://h:80").text == "http://h");
    CHECK(parse_server_url("https://h:80").text == "https://h:80");
    CHECK(parse_server_url("http://localhost:1").loopback);
    CHECK(parse_server_url("http://127.9.8.7").loopback);
    CHECK(parse_server_url("http://[::1]:80").loopback);
    CHECK_FALSE(parse_server_url("http://127.0.0.1.example.org").loopback);
    CHECK_FALSE(parse_server_url("http://128.0.0.1").loopback);
    for (const char* bad : {"", "127.0.0.1:3737", "ftp://h", "http://", "http://user@h",
                            "http://u:p@h", "http://h?a=b", "http://h#f", "http://h\r\nX: y",
                            "http://h/a b", "file:///etc/passwd", "http://h:99999"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(parse_server_url(bad), std::invalid_argument);
    }
}

TEST_CASE("ids and keys that could change the request are refused before anything is sent") {
    StandIn server([](const HttpRequest&) { return HttpReply{}; });
    Client client = client_of(server.url());
    for (const char* bad : {"", "..", "a/b", "a?b", "a%2f", "a b", "exec_\n"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(client.status(bad), std::invalid_argument);
        CHECK_THROWS_AS(client.poll(bad), std::invalid_argument);
        CHECK_THROWS_AS(client.decide(bad, {}), std::invalid_argument);
    }
    CHECK_THROWS_AS(Client({.url = server.url(), .agent_key = "a\r\nX-Evil: 1"}),
                    std::invalid_argument);
    CHECK_THROWS_AS(client.execute({.skill_code = "x"}, "key with blanks"), std::invalid_argument);
    CHECK_THROWS_AS(client.execute({.skill_code = "x", .args_json = "{"}), std::invalid_argument);
    CHECK(server.requests().empty());
}

TEST_CASE("an execution is sent as the wire document says, with its own key each time") {
    StandIn server([](const HttpRequest&) {
        return HttpReply{.body = R"({"request_id":"exec_5d0c12ab34cd56ef","status":"pending",)"
                                 R"("session_id":"s","approval_url":"http://x/approve"})"};
    });
    Client client = client_of(server.url());
    const Submission submission = client.execute({.skill_id = "hello",
                                                  .skill_code = "console.log(\"ü\")\n",
                                                  .secrets = {"A", "B"},
                                                  .args_json = R"({"n":5})",
                                                  .session_id = "s"});
    CHECK(submission.request_id == kId);
    CHECK(submission.approval_url == "http://x/approve");
    client.execute({.skill_code = "x"});
    client.execute({.skill_code = "x"}, "mine");

    const auto requests = server.requests();
    REQUIRE(requests.size() == 3);
    CHECK(server.faults().empty());
    CHECK(requests[0].header("authorization") == "Bearer oauth3_agent");
    CHECK(base::parse_json(requests[0].body) ==
          base::parse_json(R"({"skill_id":"hello","skill_code":"console.log(\"ü\")\n",)"
                           R"("secrets":["A","B"],"args":{"n":5},"session_id":"s"})"));
    CHECK(base::parse_json(requests[1].body) == base::parse_json(R"({"skill_code":"x"})"));
    CHECK(requests[0].header("idempotency-key") != requests[1].header("idempotency-key"));
    CHECK(requests[2].header("idempotency-key") == "mine");
}

TEST_CASE("owner calls carry the owner's key, and the agent's key goes nowhere else") {
    StandIn server([](const HttpRequest&) { return HttpReply{}; });
    Client client = client_of(server.url());
    client.pending();
    client.pending("a b&c=d");
    client.request(kId);
    client.decide(kId, {.approve = true, .level = "session"});
    client.decide(kId, {.approve = false, .reason = "no"});
    const auto requests = server.requests();
    REQUIRE(requests.size() == 5);
    for (const auto& request : requests)
        CHECK(request.header("authorization") == "Bearer oauth3_owner_key");
    CHECK(requests[1].target == "/requests?status=pending&limit=100&before=a%20b%26c%3Dd");
    CHECK(base::parse_json(requests[3].body) ==
          base::parse_json(R"({"action":"approve","level":"session"})"));
    CHECK(base::parse_json(requests[4].body) ==
          base::parse_json(R"({"action":"deny","reason":"no"})"));
}

TEST_CASE("sign-up sends no key") {
    StandIn server([](const HttpRequest&) { return HttpReply{.body = R"({"api_key":"k"})"}; });
    Client client = client_of(server.url());
    client.signup("agent");
    REQUIRE(server.requests().size() == 1);
    CHECK(server.requests()[0].headers.count("authorization") == 0);
    CHECK(server.requests()[0].body == R"({"name":"agent"})");
}

TEST_CASE("a sign-up whose reply has no usable key is an error") {
    for (const char* body : {"{}", R"({"api_key":""})", R"({"api_key":5})",
                             R"({"api_key":"a\r\nb"})", R"({"api_key":"\u001b[31m"})"}) {
        CAPTURE(body);
        StandIn server([&](const HttpRequest&) { return HttpReply{.body = body}; });
        Client client = client_of(server.url());
        CHECK(error_of([&] { client.signup("agent"); }).kind() == ClientErrorKind::protocol);
    }
}

TEST_CASE("errors of the server keep their status, code, hint and document") {
    int status = 0;
    StandIn server([&](const HttpRequest&) {
        return HttpReply{.status = status, .body = R"({"error":"No.","code":"c","hint":"h"})"};
    });
    Client client = client_of(server.url());
    for (const auto& [code, kind] :
         std::vector<std::pair<int, ClientErrorKind>>{{400, ClientErrorKind::refused},
                                                      {401, ClientErrorKind::authentication},
                                                      {403, ClientErrorKind::authentication},
                                                      {404, ClientErrorKind::refused},
                                                      {409, ClientErrorKind::refused},
                                                      {429, ClientErrorKind::refused},
                                                      {500, ClientErrorKind::refused}}) {
        status = code;
        const ClientError error = error_of([&] { client.status(kId); });
        CHECK(error.kind() == kind);
        CHECK(error.http_status() == code);
        CHECK(error.what() == std::string("No."));
        CHECK(error.code() == "c");
        CHECK(error.hint() == "h");
        CHECK(error.json() == R"({"error":"No.","code":"c","hint":"h"})");
    }
}

TEST_CASE("garbage is named as garbage") {
    HttpReply reply;
    StandIn server([&](const HttpRequest&) { return reply; });
    const auto kind = [&](HttpReply given) {
        reply = std::move(given);
        reply.close = true;
        Client client = client_of(server.url());
        return error_of([&] { client.status(kId); }).kind();
    };
    CHECK(kind({.body = "<html>"}) == ClientErrorKind::protocol);
    CHECK(kind({.body = ""}) == ClientErrorKind::unreachable);  // cut without an answer
    CHECK(kind({.body = "[]"}) == ClientErrorKind::protocol);
    CHECK(kind({.body = "{}"}) == ClientErrorKind::protocol);
    CHECK(kind({.body = R"({"status":5})"}) == ClientErrorKind::protocol);
    CHECK(kind({.body = R"({"status":"a","status":"b"})"}) == ClientErrorKind::protocol);
    CHECK(kind({.body = "{\"status\":\"\xff\"}"}) == ClientErrorKind::protocol);
    CHECK(kind({.body = R"({"status":"completed","request_id":"exec_other"})"}) ==
          ClientErrorKind::protocol);
    CHECK(kind({.body = std::string(100'000, '[')}) == ClientErrorKind::protocol);
    CHECK(kind({.status = 204, .body = "x"}) == ClientErrorKind::protocol);
    CHECK(kind({.raw = "SSH-2.0-OpenSSH_9.2\r\n"}) == ClientErrorKind::protocol);
    CHECK(kind({.raw = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"}) ==
          ClientErrorKind::unreachable);
    CHECK(kind({.raw = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{"}) !=
          ClientErrorKind::timeout);
}

TEST_CASE("an answer above 24 MiB, or with endless headers, is not read to its end") {
    HttpReply reply;
    StandIn server([&](const HttpRequest&) { return reply; });
    Client client = client_of(server.url());
    reply.body = R"({"status":"completed","x":")" + std::string((24 << 20) + 1, 'x') + "\"}";
    CHECK(error_of([&] { client.status(kId); }).kind() == ClientErrorKind::protocol);
    reply.raw = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 300; ++i) reply.raw += "X-Filler: " + std::string(1000, 'x') + "\r\n";
    CHECK(error_of([&] { client.status(kId); }).kind() == ClientErrorKind::protocol);
}

TEST_CASE("redirects are not followed, and the key does not travel with them") {
    StandIn other([](const HttpRequest&) { return HttpReply{.body = state("completed")}; });
    for (const int status : {301, 302, 303, 307, 308}) {
        StandIn server([&](const HttpRequest&) {
            return HttpReply{.status = status, .headers = {"Location: " + other.url() + "/"}};
        });
        Client client = client_of(server.url());
        CHECK(error_of([&] { client.status(kId); }).kind() == ClientErrorKind::protocol);
        CHECK(error_of([&] { client.poll(kId); }).kind() == ClientErrorKind::protocol);
        CHECK(error_of([&] { client.execute({.skill_code = "x"}); }).kind() ==
              ClientErrorKind::protocol);
    }
    CHECK(other.requests().empty());
}

TEST_CASE("a poll goes on over 5xx, 429 and cut connections until the request is final") {
    std::atomic<int> calls{0};
    StandIn server([&](const HttpRequest&) -> HttpReply {
        switch (calls++) {
            case 0:
                return {.status = 500, .body = "oops"};
            case 1:
                return {.body = "", .close = true};
            case 2:
                return {.status = 429, .body = R"({"error":"slow"})"};
            case 3:
                return {.body = state("pending")};
            case 4:
                return {.body = state("executing")};
            default:
                return {.body = state("completed")};
        }
    });
    std::vector<std::string> seen;
    Client client({.url = server.url(),
                   .agent_key = "k",
                   .timeout = std::chrono::minutes(1),
                   .progress = [&](const Progress& p) {
                       if (p.kind == Progress::Kind::status) seen.push_back(p.text);
                   }});
    CHECK(client.poll(kId).status == "completed");
    CHECK(calls >= 6);
    CHECK(seen == std::vector<std::string>{"pending", "executing"});
    CHECK(server.faults().empty());
    for (const auto& request : server.requests())
        CHECK(request.target.find("?wait=true&timeout=") != std::string::npos);
}

TEST_CASE("a poll ends at each status that needs somebody else") {
    for (const char* status : {"completed", "failed", "denied", "awaiting_secrets"}) {
        StandIn server([&](const HttpRequest&) { return HttpReply{.body = state(status)}; });
        Client client = client_of(server.url());
        CHECK(client.poll(kId).status == status);
    }
}

TEST_CASE("a refusal ends a poll") {
    StandIn server([](const HttpRequest&) {
        return HttpReply{.status = 404, .body = R"({"error":"No.","code":"not_found"})"};
    });
    Client client = client_of(server.url());
    CHECK(error_of([&] { client.poll(kId); }).code() == "not_found");
}

TEST_CASE("the deadline holds against a server that hangs or trickles") {
    for (const bool trickle : {false, true}) {
        StandIn server(
            [&](const HttpRequest&) { return HttpReply{.hang = !trickle, .trickle = trickle}; });
        Client client = client_of(server.url(), std::chrono::milliseconds(300));
        CHECK(error_of([&] { client.poll(kId); }).kind() == ClientErrorKind::timeout);
        CHECK(error_of([&] { client.status(kId); }).kind() == ClientErrorKind::timeout);
        const ClientError error = error_of([&] { client.execute({.skill_code = "x"}); });
        CHECK_FALSE(error.idempotency_key().empty());
        CHECK(error.kind() == ClientErrorKind::timeout);
        CHECK(error.maybe_sent());
        client.set_deadline(std::chrono::steady_clock::now());
        CHECK(error_of([&] { client.poll(kId); }).kind() == ClientErrorKind::timeout);
    }
}

TEST_CASE("without any answer a server is unreachable, not slow") {
    const ClosedPort closed;
    Client client = client_of(closed.url(), std::chrono::milliseconds(300));
    CHECK(error_of([&] { client.status(kId); }).kind() == ClientErrorKind::unreachable);
    CHECK(error_of([&] { client.poll(kId); }).kind() == ClientErrorKind::unreachable);
    const ClientError error = error_of([&] { client.execute({.skill_code = "x"}); });
    CHECK(error.kind() == ClientErrorKind::unreachable);
    CHECK_FALSE(error.maybe_sent());
}

TEST_CASE("a submission waits for a server that is not up yet") {
    ClosedPort port;
    std::thread server;
    std::atomic<int> refusals{0};
    // The server comes up after the client was refused for the first time.
    Client client({.url = port.url(),
                   .agent_key = "k",
                   .timeout = std::chrono::minutes(1),
                   .progress = [&](const Progress& progress) {
                       if (progress.kind != Progress::Kind::retry || refusals++ != 0) return;
                       port.listen();
                       server = std::thread([&] {
                           const base::Fd fd(::accept4(port.fd(), nullptr, nullptr, SOCK_CLOEXEC));
                           std::string got;
                           std::array<char, 4096> chunk{};
                           while (got.find("skill_code") == std::string::npos) {
                               const ssize_t n = ::recv(fd.get(), chunk.data(), chunk.size(), 0);
                               if (n <= 0) return;
                               got.append(chunk.data(), static_cast<std::size_t>(n));
                           }
                           const std::string body = state("pending");
                           base::write_all(fd.get(), "HTTP/1.1 200 OK\r\nContent-Length: " +
                                                         std::to_string(body.size()) + "\r\n\r\n" +
                                                         body);
                       });
                   }});
    CHECK(client.execute({.skill_code = "x"}).request_id == kId);
    CHECK(refusals >= 1);
    server.join();
}

TEST_CASE("an interrupt ends a long poll, a back-off and a submission at once") {
    base::Pipe pipe = base::make_pipe();
    StandIn server([](const HttpRequest&) { return HttpReply{.hang = true}; });
    std::thread presser([&] {
        server.wait_for(kStatusPath);
        base::write_all(pipe.write.get(), "x");
    });
    Client client = client_of(server.url(), std::chrono::hours(1), pipe.read.get());
    CHECK(error_of([&] { client.poll(kId); }).kind() == ClientErrorKind::interrupted);
    presser.join();
    CHECK(error_of([&] { client.execute({.skill_code = "x"}); }).kind() ==
          ClientErrorKind::interrupted);
    const ClosedPort closed;
    Client waiting = client_of(closed.url(), std::chrono::hours(1), pipe.read.get());
    CHECK(error_of([&] { waiting.poll(kId); }).kind() == ClientErrorKind::interrupted);
}

TEST_CASE("a proxy of the environment is not used for loopback") {
    StandIn proxy([](const HttpRequest&) { return HttpReply{.body = state("completed")}; });
    StandIn server([](const HttpRequest&) { return HttpReply{.body = state("pending")}; });
    ::setenv("http_proxy", proxy.url().c_str(), 1);
    Client client = client_of(server.url());
    CHECK(client.status(kId).status == "pending");
    ::unsetenv("http_proxy");
    CHECK(proxy.requests().empty());
}

TEST_CASE("no key occurs in an error") {
    const ClosedPort closed;
    StandIn server([](const HttpRequest&) { return HttpReply{.status = 401, .body = "no"}; });
    for (const std::string& url : {closed.url(), server.url()}) {
        Client client = client_of(url, std::chrono::milliseconds(100));
        const ClientError error = error_of([&] { client.poll(kId); });
        CHECK(std::string(error.what()).find("oauth3_agent") == std::string::npos);
        CHECK(error.json().find("oauth3_agent") == std::string::npos);
    }
}
