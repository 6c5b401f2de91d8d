// Background jobs against the real server: they outlive their command and the server's restarts.

#include "e2e/harness.h"
#include "support/catch.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

/// Waits until the process has ended; it is no child of ours.
bool has_ended(const Json& job) {
    const base::Fd handle(
        static_cast<int>(::syscall(SYS_pidfd_open, job.at("pid").get<pid_t>(), 0)));
    if (!handle) return true;
    pollfd ready{handle.get(), POLLIN, 0};
    constexpr auto kLongest = std::chrono::milliseconds(kWatchdog).count();
    return ::poll(&ready, 1, static_cast<int>(kLongest)) == 1;
}

Json start(const Server& server, const std::vector<std::string>& words) {
    const Ended started = server.cli(words)->wait();
    INFO(started.err);
    REQUIRE(started.exit_code == 0);
    return base::parse_json(started.out);
}

}  // namespace

TEST_CASE("a background execution is submitted once and ends with its result") {
    const Server server;
    const std::string code = (server.folder() / "hello.ts").string();
    write_file(code, "// @skill hello\nconsole.log('hello');\nDeno.exit(3);\n");
    const Json job = start(server, {"execute", "--bg", "--code", code});
    const std::string id = job["request_id"];
    // The request is there before anything else happens.
    CHECK(server.state(id) == "pending");
    CHECK(job["approval_url"].get<std::string>().find("/approve/" + id + "?token=") !=
          std::string::npos);
    REQUIRE(server.decide(id, "approve").status == 200);
    REQUIRE(has_ended(job));
    const Ended result = server.cli({"result", job["job_file"]})->wait();
    CHECK(result.exit_code == 1);
    CHECK(base::parse_json(result.out)["result"]["result"]["stdout"] == "hello\n");
    const Ended raw = server.cli({"result", job["job"], "--raw"})->wait();
    CHECK(raw.exit_code == 3);
    CHECK(raw.out == "hello\n");
    CHECK(server.get("/requests", server.owner_key()).json()["requests"].size() == 1);
}

TEST_CASE("a background scope and its execution survive the server's death, and run once") {
    Server server;
    const std::string code = (server.folder() / "count.ts").string();
    const std::string scope = (server.folder() / "scope.json").string();
    write_file(code, "// @skill count\nconsole.log('once');\n");
    write_file(scope, R"({"description":"count"})");
    const Json job = start(server, {"scope-and-execute", "--bg", "--scope", scope, "--code", code});
    CHECK(job["status"] == "polling_scope");
    const std::string scope_id = job["request_id"];
    server.kill9();
    server.start(true);
    REQUIRE(server.decide(scope_id, "approve").status == 200);
    REQUIRE(has_ended(job));
    const Ended result = server.cli({"result", job["job_file"]})->wait();
    CHECK(result.exit_code == 0);
    const Json document = base::parse_json(result.out);
    CHECK(document["status"] == "completed");
    CHECK(document["scope_request_id"] == scope_id);
    CHECK(document["result"]["result"]["stdout"] == "once");
    CHECK(server.get("/requests", server.owner_key()).json()["requests"].size() == 2);
}

TEST_CASE("a denied background scope ends with 3 and submits nothing") {
    const Server server;
    const std::string code = (server.folder() / "a.ts").string();
    const std::string scope = (server.folder() / "scope.json").string();
    write_file(code, "console.log(1)");
    write_file(scope, R"({"description":"d"})");
    const Json job = start(server, {"scope-and-execute", "--bg", "--scope", scope, "--code", code});
    server.decide(job["request_id"], "deny");
    REQUIRE(has_ended(job));
    const Ended result = server.cli({"result", job["job_file"]})->wait();
    CHECK(result.exit_code == 3);
    CHECK(base::parse_json(result.out)["status"] == "scope_failed");
    CHECK(server.get("/requests", server.owner_key()).json()["requests"].size() == 1);
}
