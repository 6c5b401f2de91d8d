// The main job: submit, approve, run, result; over HTTP and as two shells.

#include "base/crypto.h"
#include "base/files.h"
#include "e2e/harness.h"
#include "support/catch.h"

#include <signal.h>
#include <sys/stat.h>

#include <algorithm>

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

const std::string kExamples = OAUTH3_SOURCE_DIR "/share/examples/";

/// stdout of an agent command: exactly one JSON document on exactly one line.
Json document(const Ended& ended) {
    INFO("stdout: " << ended.out << "\nstderr: " << ended.err);
    REQUIRE(std::count(ended.out.begin(), ended.out.end(), '\n') == 1);
    REQUIRE(ended.out.back() == '\n');
    return base::parse_json(ended.out);
}

/// The id in ".../approve/<id>?token=...".
std::string id_in(const std::string& line) {
    const std::size_t at = line.find("/approve/");
    REQUIRE(at != std::string::npos);
    const std::size_t start = at + std::string("/approve/").size();
    return line.substr(start, line.find('?', start) - start);
}

}  // namespace

TEST_CASE("an execution over HTTP: submit, approve, run, result") {
    const Server server;
    const std::string key = server.sign_up();
    const std::string code =
        "// @skill greet\n// @description Greets\nconsole.log('hi', Deno.env.get('WHO'))\n";
    const Submitted made =
        server.submit(key, code, {{"skill_id", "greet"}, {"args", {{"WHO", "Ann"}}}});
    CHECK(made.reply["status"] == "pending");
    CHECK(base::is_id(made.id, "exec_"));
    CHECK(base::is_id(made.session, "session_"));
    CHECK(base::is_lower_hex(made.token, 64));
    CHECK(made.reply["approval_url"] ==
          server.url() + "/approve/" + made.id + "?token=" + made.token);
    CHECK(made.reply["status_url"] == server.url() + "/execute/" + made.id + "/status?wait=true");
    CHECK_FALSE(made.reply.contains("policy_violations"));

    const Reply list = server.get("/requests?status=pending", server.owner_key());
    REQUIRE(list.status == 200);
    REQUIRE(list.json()["requests"].size() == 1);
    CHECK(list.json()["requests"][0]["id"] == made.id);
    const Json shown = server.get("/requests/" + made.id, server.owner_key()).json();
    CHECK(shown["code"] == code);
    CHECK(shown["code_hash"] == base::sha256_hex(code));
    CHECK(shown["args"] == Json{{"WHO", "Ann"}});
    CHECK(shown["analysis"].is_null());

    const Reply decided = server.decide(made.id, "approve");
    CHECK(decided.status == 200);
    CHECK(decided.json() == Json{{"id", made.id}, {"status", "approved"}, {"executing", true}});
    const Json done = server.poll(key, made.id);
    CHECK(done["status"] == "completed");
    CHECK(done["state"] == "completed");
    CHECK(done["result"]["success"] == true);
    CHECK(done["result"]["stdout"] == "hi Ann");
    CHECK(done["result"]["stderr"] == "");
    CHECK(done["result"]["exitCode"] == 0);
    CHECK(done["created_at"] <= done["approved_at"]);
    CHECK(done["approved_at"] <= done["executed_at"]);
    CHECK(done["executed_at"] <= done["completed_at"]);
    CHECK_FALSE(done.contains("approval_url"));
    CHECK_FALSE(done.contains("code"));
    CHECK_FALSE(done.contains("args"));
}

TEST_CASE("two shells: scope-and-execute waits, approve releases it") {
    const Server server;
    const auto agent = server.cli({"scope-and-execute", "--scope", kExamples + "hello.scope.json",
                                   "--code", kExamples + "hello.ts", "--arg", "NAME=Ann"});
    const std::string line = agent->wait_line("👉 Approve scope: " + server.url() + "/approve/");
    const std::string id = id_in(line);
    CHECK_FALSE(agent->has_ended());
    CHECK(server.state(id) == "pending");

    const auto human =
        server.cli({"approve", id, "--yes", "--owner-key-file", server.owner_key_file().string()});
    CHECK(human->wait().exit_code == 0);
    const Ended ended = agent->wait();
    CHECK(ended.exit_code == 0);
    CHECK(ended.err.find("Approve execution") == std::string::npos);
    CHECK(ended.out.find("/approve/") == std::string::npos);
    const Json done = document(ended);
    CHECK(done["status"] == "completed");
    CHECK(done["result"]["exitCode"] == 0);
    CHECK(done["result"]["stdout"].get<std::string>().find("Ann") != std::string::npos);
    const auto session = done["session_id"].get<std::string>();

    SECTION("the same code in that session needs nobody") {
        const Ended again =
            server.cli({"execute", "--session", session, "--code", kExamples + "hello.ts"})->wait();
        CHECK(again.exit_code == 0);
        CHECK(again.err.find("/approve/") == std::string::npos);
        CHECK(document(again)["status"] == "completed");
    }
    SECTION("other code in that session waits, and says why") {
        write_file(server.folder() / "other.ts", "console.log('other')\n");
        const auto other = server.cli(
            {"execute", "--session", session, "--code", (server.folder() / "other.ts").string()});
        const std::string asked = id_in(other->wait_line("👉 Approve execution: "));
        const Json shown = server.get("/requests/" + asked, server.owner_key()).json();
        CHECK(shown["status"] == "pending");
        CHECK(shown["policy_violations"] == Json{"code not approved in this session"});
        const auto denied = server.cli({"deny", asked, "--reason", "not this one",
                                        "--owner-key-file", server.owner_key_file().string()});
        CHECK(denied->wait().exit_code == 0);
        const Ended end = other->wait();
        CHECK(end.exit_code == 3);
        CHECK(document(end)["error"] == "not this one");
    }
    SECTION("the key was made once and is private") {
        const auto path = server.folder() / "home" / ".oauth3" / "key";
        struct stat info {};
        REQUIRE(::stat(path.c_str(), &info) == 0);
        CHECK((info.st_mode & 0777) == 0600);
        const std::string key = base::read_file(path);
        REQUIRE(server.cli({"status", id})->wait().exit_code == 0);
        CHECK(base::read_file(path) == key);
    }
}

TEST_CASE("the commands of an agent and of the human end with the numbers of the wire document") {
    const Server server;
    write_file(server.folder() / "ok.ts", "console.log('ok')\n");
    write_file(server.folder() / "bad.ts", "throw new Error('boom')\n");
    const std::string ok = (server.folder() / "ok.ts").string();
    const std::string owner = server.owner_key_file().string();
    const auto execute = [&](const std::string& file, const std::string& then) {
        auto agent = server.cli({"execute", "--code", file});
        const std::string id = id_in(agent->wait_line("👉 Approve execution: "));
        std::vector<std::string> verb{then, id, "--owner-key-file", owner};
        if (then == "approve") verb.emplace_back("--yes");
        CHECK(server.cli(verb)->wait().exit_code == 0);
        return agent->wait();
    };
    {
        const Ended ended = execute(ok, "approve");
        CHECK(ended.exit_code == 0);
        CHECK(document(ended)["result"]["stdout"] == "ok");
    }
    {
        const Ended ended = execute((server.folder() / "bad.ts").string(), "approve");
        CHECK(ended.exit_code == 1);
        CHECK(document(ended)["status"] == "failed");
    }
    {
        const Ended ended = execute(ok, "deny");
        CHECK(ended.exit_code == 3);
        CHECK(document(ended)["status"] == "denied");
    }
    {
        const Ended ended = server.cli({"execute", "--code", ok, "--timeout", "1"})->wait();
        CHECK(ended.exit_code == 124);
        const Json reply = document(ended);
        CHECK(reply["status"] == "timeout");
        const auto id = reply["request_id"].get<std::string>();
        CHECK(ended.err.find("oauth3 poll " + id) != std::string::npos);
        CHECK(server.state(id) == "pending");
        const Ended cancelled = server.cli({"cancel", id})->wait();
        CHECK(cancelled.exit_code == 0);
        CHECK(document(cancelled)["state"] == "cancelled");
        const Ended polled = server.cli({"poll", id})->wait();
        CHECK(polled.exit_code == 3);
    }
    {
        auto agent = server.cli({"execute", "--code", ok});
        const std::string id = id_in(agent->wait_line("👉 Approve execution: "));
        agent->send_signal(SIGINT);
        const Ended ended = agent->wait();
        CHECK(ended.exit_code == 130);
        CHECK(ended.err.find("oauth3 poll " + id) != std::string::npos);
        CHECK(server.state(id) == "pending");
    }
    CHECK(server.cli({"execute"})->wait().exit_code == 2);
    CHECK(server.cli({"status", "exec_0000000000000000"}, {{"OAUTH3_API_KEY", "nonsense"}})
              ->wait()
              .exit_code == 4);
    CHECK(server.cli({"status", "exec_0000000000000000"})->wait().exit_code == 1);
    CHECK(server
              .cli({"status", "exec_0000000000000000", "--url", "http://127.0.0.1:1"},
                   {{"OAUTH3_API_KEY", "nonsense"}})
              ->wait()
              .exit_code == 6);
    // An agent's key does not decide, whichever way it is handed over.
    const Ended refused = server.cli({"pending"}, {{"OAUTH3_OWNER_KEY", server.sign_up()}})->wait();
    CHECK(refused.exit_code == 4);
}

TEST_CASE("the stored key is not sent to another server") {
    const Server server;
    const Server other;
    REQUIRE(server.cli({"signup"})->wait().exit_code == 0);
    const Ended ended =
        server.cli({"status", "exec_0000000000000000"}, {{"OAUTH3_URL", other.url()}})->wait();
    CHECK(ended.exit_code == 4);
    CHECK(ended.err.find("--key-file") != std::string::npos);
}
