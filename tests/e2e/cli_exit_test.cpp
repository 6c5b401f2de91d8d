// Conformance 39 (but for exit code 5, which needs secrets): every exit code of the command line
// against the real server, what stands on stdout and what on stderr.

#include "e2e/harness.h"
#include "support/catch.h"

#include <signal.h>

#include <algorithm>

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

const std::string kCode =
    "// @skill ends\nconsole.log('out');\nDeno.exit(Number(Deno.env.get('CODE') ?? 0));\n";

std::string id_in(const std::string& line) {
    const std::size_t at = line.find("/approve/");
    REQUIRE(at != std::string::npos);
    const std::size_t start = at + std::string("/approve/").size();
    return line.substr(start, line.find('?', start) - start);
}

/// stdout is one JSON document on one line, and no approval URL stands in it.
Json document_of(const Ended& ended) {
    INFO("stdout: " << ended.out << "\nstderr: " << ended.err);
    REQUIRE(std::count(ended.out.begin(), ended.out.end(), '\n') == 1);
    REQUIRE(ended.out.back() == '\n');
    CHECK(ended.out.find("/approve/") == std::string::npos);
    return base::parse_json(ended.out);
}

class Shell {
  public:
    explicit Shell(const Server& server) : server_(server), code_(server.folder() / "ends.ts") {
        write_file(code_, kCode);
    }
    std::unique_ptr<Process> execute(std::vector<std::string> more = {}) const {
        std::vector<std::string> words{"execute", "--code", code_};
        words.insert(words.end(), more.begin(), more.end());
        return server_.cli(words);
    }
    /// Starts an execution and waits until the human is asked; `id` gets the request's.
    std::unique_ptr<Process> asking(std::string& id, std::vector<std::string> more = {}) const {
        auto agent = execute(std::move(more));
        id = id_in(agent->wait_line("👉 Approve execution: "));
        return agent;
    }
    Ended run(const std::vector<std::string>& words,
              std::map<std::string, std::string> environment = {}) const {
        return server_.cli(words, std::move(environment))->wait();
    }

  private:
    const Server& server_;
    std::string code_;
};

}  // namespace

TEST_CASE("conformance 39: 0 and 1: a program that succeeds, and one that fails") {
    const Server server;
    const Shell shell(server);
    for (const int code : {0, 7}) {
        std::string id;
        const auto agent = shell.asking(id, {"--arg", "CODE=" + std::to_string(code)});
        REQUIRE(server.decide(id, "approve").status == 200);
        const Ended ended = agent->wait();
        CHECK(ended.exit_code == (code == 0 ? 0 : 1));
        const Json document = document_of(ended);
        CHECK(document["request_id"] == id);
        CHECK(document["result"]["exitCode"] == code);

        const auto raw = shell.asking(id, {"--arg", "CODE=" + std::to_string(code), "--raw"});
        REQUIRE(server.decide(id, "approve").status == 200);
        const Ended plain = raw->wait();
        CHECK(plain.exit_code == code);
        CHECK(plain.out == "out\n");
        // Polled again later, it is the same.
        const Ended polled = shell.run({"poll", id, "--raw"});
        CHECK(polled.exit_code == code);
        CHECK(polled.out == "out\n");
    }
    const Ended unknown = shell.run({"poll", "exec_0000000000000000"});
    CHECK(unknown.exit_code == 1);
    CHECK(document_of(unknown)["code"] == "not_found");
}

TEST_CASE("conformance 39: 0: what only asks") {
    const Server server;
    const Shell shell(server);
    const Ended submitted = shell.execute({"--no-wait"})->wait();
    CHECK(submitted.exit_code == 0);
    const std::string id = base::parse_json(submitted.out)["request_id"];
    CHECK(id_in(submitted.err) == id);
    const Ended status = shell.run({"status", id});
    CHECK(status.exit_code == 0);
    CHECK(base::parse_json(status.out)["status"] == "pending");
    const Ended dry = shell.execute({"--dry-run"})->wait();
    CHECK(dry.exit_code == 0);
    CHECK(document_of(dry)["would_auto_approve"] == false);
    for (const char* list : {"me", "history", "sessions"}) {
        const Ended ended = shell.run({list});
        CHECK(ended.exit_code == 0);
        CHECK(document_of(ended).is_object());
    }
    CHECK(document_of(shell.run({"history"}))["executions"].size() == 1);
}

TEST_CASE("conformance 39: 2: usage, and a document for agents") {
    const Server server;
    const Shell shell(server);
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{}, {"exceute"}, {"execute"}, {"poll"}, {"session", "shwo"}}) {
        const Ended ended = shell.run(words);
        CHECK(ended.exit_code == 2);
        CHECK(ended.err.rfind("oauth3: ", 0) == 0);
        if (!words.empty() && (words.front() == "execute" || words.front() == "poll")) {
            CHECK(base::parse_json(ended.out)["code"] == "usage");
        } else {
            CHECK(ended.out.empty());
        }
    }
}

TEST_CASE("conformance 39: 3: denied, cancelled before the start, expired") {
    const Server server({"--approval-ttl", "1"});
    const Shell shell(server);
    std::string id;
    {
        const auto agent = shell.asking(id);
        const Ended ended = agent->wait();
        CHECK(ended.exit_code == 3);
        CHECK(document_of(ended)["state"] == "expired");
    }
    const Server patient;
    const Shell other(patient);
    {
        const auto agent = other.asking(id, {"--raw"});
        patient.decide(id, "deny", {{"reason", "no thanks"}});
        const Ended ended = agent->wait();
        CHECK(ended.exit_code == 3);
        CHECK(ended.out.empty());
        CHECK(ended.err.find("no thanks") != std::string::npos);
    }
    const auto agent = other.asking(id);
    CHECK(other.run({"cancel", id}).exit_code == 0);
    const Ended ended = agent->wait();
    CHECK(ended.exit_code == 3);
    CHECK(document_of(ended)["state"] == "cancelled");
}

TEST_CASE("conformance 39: 4: no authority") {
    const Server server({"--signup", "invite"});
    const Shell shell(server);
    const Ended nobody = shell.execute()->wait();
    CHECK(nobody.exit_code == 4);
    CHECK(document_of(nobody)["code"] == "invite_required");
    const std::string key = (server.folder() / "wrong.key").string();
    write_file(key, "oauth3_0000000000000000_x\n");
    const Ended wrong = shell.execute({"--key-file", key})->wait();
    CHECK(wrong.exit_code == 4);
    CHECK(document_of(wrong)["code"] == "invalid_key");
    // An owner cannot submit.
    const Ended owner = shell.execute({"--key-file", server.owner_key_file().string()})->wait();
    CHECK(owner.exit_code == 4);
    CHECK(document_of(owner)["code"] == "agent_required");
}

TEST_CASE("conformance 39: 6: no server") {
    Server server;
    const Shell shell(server);
    CHECK(shell.run({"me"}).exit_code == 0);
    server.kill9();
    const Ended ended = shell.execute({"--timeout", "1"})->wait();
    CHECK(ended.exit_code == 6);
    CHECK(document_of(ended)["code"] == "server_unreachable");
}

TEST_CASE("conformance 39: 124 and 130: the request lives on, and stderr says how to go on") {
    const Server server;
    const Shell shell(server);
    std::string id;
    const auto expect_lives = [&](const Ended& ended, int code) {
        CHECK(ended.exit_code == code);
        CHECK(document_of(ended)["request_id"] == id);
        CHECK(ended.err.find("oauth3 poll " + id + "\n") != std::string::npos);
        CHECK(server.state(id) == "pending");
    };
    {
        const auto agent = shell.asking(id, {"--timeout", "1"});
        expect_lives(agent->wait(), 124);
    }
    {
        const auto agent = shell.asking(id);
        agent->send_signal(SIGINT);
        expect_lives(agent->wait(), 130);
    }
    // The command that was printed goes on.
    const auto poll = server.cli({"poll", id});
    REQUIRE(server.decide(id, "approve").status == 200);
    CHECK(poll->wait().exit_code == 0);
}

TEST_CASE(
    "conformance 39: the stored key is not sent to another URL, until it has a key of its own "
    "there") {
    const Server mine;
    const Server other;
    const Shell shell(mine);
    CHECK(shell.run({"me"}).exit_code == 0);
    const Ended refused = shell.run({"me", "--url", other.url()});
    CHECK(refused.exit_code == 4);
    CHECK(document_of(refused)["hint"].get<std::string>().find("--key-file") != std::string::npos);
    CHECK(other.get("/tenants", other.owner_key()).json()["tenants"].empty());

    CHECK(shell.run({"signup", "--url", other.url(), "--name", "Visitor"}).exit_code == 0);
    CHECK(document_of(shell.run({"me", "--url", other.url()}))["name"] == "Visitor");
    CHECK(document_of(shell.run({"me"}))["name"] == "agent");
}
