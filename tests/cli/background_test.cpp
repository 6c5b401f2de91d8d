#include "base/json.h"
#include "client/stand_in.h"
#include "program.h"
#include "support/catch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

// --bg and result: jobs that outlive their command, and the file that tells of them.

using namespace oauth3;
using namespace oauth3::test;
using base::Json;
namespace fs = std::filesystem;

namespace {

const std::string kExec = "exec_00000000000000a1";
const std::string kScope = "scope_00000000000000b2";
const std::string kUrl = "http://127.0.0.1:1/approve/x?token=0123";
const RunOptions kKey{.environment = {{"OAUTH3_API_KEY", "oauth3_test_key"}}};

/// A server on which requests wait until the test decides.
class Deciding {
  public:
    Deciding()
        : server_([this](const HttpRequest& request) -> HttpReply { return answer(request); }) {}
    ~Deciding() { decide(kScope, "denied"), decide(kExec, "denied"); }

    const StandIn& server() const { return server_; }
    void decide(const std::string& id, const std::string& status) {
        const std::lock_guard lock(mutex_);
        (id == kExec ? exec_ : scope_) = status;
        changed_.notify_all();
    }

    /// Blocks until a poll has come that also waits through missing secrets.
    void wait_for_final_poll() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return asked_for_final_; });
    }

  private:
    HttpReply answer(const HttpRequest& request) {
        if (request.path() == "/execute") return submitted(kExec, "pending");
        if (request.path() == "/scope") return submitted(kScope, "pending_scope");
        const bool is_exec = request.path().find(kExec) != std::string::npos;
        std::unique_lock lock(mutex_);
        const std::string& status = is_exec ? exec_ : scope_;
        const bool final_only = request.target.find("until=final") != std::string::npos;
        if (final_only) {
            asked_for_final_ = true;
            changed_.notify_all();
        }
        changed_.wait(
            lock, [&] { return !status.empty() && !(final_only && status == "awaiting_secrets"); });
        return {.body =
                    fmt::format(R"({{"request_id":"{}","status":"{}","session_id":"s2"{}}})",
                                is_exec ? kExec : kScope, status,
                                is_exec && status == "completed"
                                    ? R"(,"result":{"success":true,"stdout":"out\n","exitCode":0})"
                                    : "")};
    }
    static HttpReply submitted(const std::string& id, const char* status) {
        return {.body = fmt::format(
                    R"({{"request_id":"{}","status":"{}","session_id":"s1","approval_url":"{}"}})",
                    id, status, kUrl)};
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::string exec_;
    std::string scope_;
    bool asked_for_final_ = false;
    StandIn server_;
};

Finished start(const Home& home, const std::string& url, std::vector<std::string> more = {}) {
    std::vector<std::string> words{"execute", "--code", home.file("a.ts", "1"),
                                   "--bg",    "--url",  url};
    words.insert(words.end(), more.begin(), more.end());
    return run_program(home, words, kKey);
}

Finished start_scope(const Home& home, const std::string& url) {
    return run_program(
        home,
        {"scope-and-execute", "--scope", home.file("s.json", R"({"description":"d"})"), "--code",
         home.file("a.ts", "1"), "--bg", "--url", url},
        kKey);
}

Finished result(const Home& home, const std::string& file, bool raw = false) {
    std::vector<std::string> words{"result", file};
    if (raw) words.emplace_back("--raw");
    return run_program(home, words);
}

/// A process by a handle that stays valid whatever becomes of its number.
class Worker {
  public:
    explicit Worker(const Json& job)
        : pid_(job.at("pid").get<pid_t>()),
          handle_(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0))) {}
    pid_t pid() const { return pid_; }
    void send(int number) const { ::kill(pid_, number); }
    /// Waits until it has ended.
    bool ends() const {
        if (!handle_) return true;
        pollfd ready{handle_.get(), POLLIN, 0};
        return ::poll(&ready, 1, 60'000) == 1;
    }

  private:
    pid_t pid_;
    base::Fd handle_;
};

std::string link_of(const std::string& path) {
    std::error_code error;
    return fs::read_symlink(path, error).string();
}

/// The one document that stdout must hold.
Json document_of(const Finished& done) {
    INFO("stdout: " << done.out << "\nstderr: " << done.err);
    REQUIRE(!done.out.empty());
    CHECK(done.out.find('\n') == done.out.size() - 1);
    return base::parse_json(done.out);
}

}  // namespace

TEST_CASE("a background job is submitted first, tells where it is, and ends with the result") {
    const Home home;
    Deciding deciding;
    const Finished started = start(home, deciding.server().url());
    CHECK(started.code == 0);
    // Submitted before the command ended, and once.
    CHECK(deciding.server().count("POST", "/execute") == 1);
    CHECK(started.err.find("👉 Approve execution: " + kUrl) != std::string::npos);
    const Json job = document_of(started);
    CHECK(job["request_id"] == kExec);
    CHECK(job["approval_url"] == kUrl);
    CHECK(job["status"] == "polling_exec");
    const std::string name = job["job"];
    CHECK(name.size() == 8);
    const std::string file = job["job_file"];
    CHECK(file == (home.path() / ".oauth3/jobs" / (name + ".json")).string());
    CHECK(home.mode(".oauth3/jobs") == 0700);
    CHECK(home.mode(".oauth3/jobs/" + name + ".json") == 0600);

    const Worker worker(job);
    // A session of its own without a terminal, and nothing of the caller's is held open.
    CHECK(::getsid(worker.pid()) == worker.pid());
    const std::string proc = fmt::format("/proc/{}/", worker.pid());
    for (const char* fd : {"0", "1", "2"}) CHECK(link_of(proc + "fd/" + fd) == "/dev/null");
    CHECK(link_of(proc + "cwd") == "/");

    for (const std::string& how : {file, name}) {
        const Finished waiting = result(home, how);
        CHECK(waiting.code == 0);
        CHECK(document_of(waiting)["status"] == "polling_exec");
        const Finished raw = result(home, how, true);
        CHECK(raw.code == 1);
        CHECK(raw.out.empty());
        CHECK(raw.err == "oauth3: job " + name + " goes on: polling_exec\n");
    }

    deciding.decide(kExec, "completed");
    REQUIRE(worker.ends());
    const Finished done = result(home, file);
    CHECK(done.code == 0);
    const Json final = document_of(done);
    CHECK(final["status"] == "completed");
    CHECK(final["result"]["result"]["stdout"] == "out\n");
    CHECK(!final.contains("approval_url"));
    CHECK(result(home, file, true).out == "out\n");
    CHECK(!home.has(".oauth3/jobs/" + name + ".lock"));
    // The key was never written where the job is.
    CHECK(home.read(".oauth3/jobs/" + name + ".json").find("oauth3_test_key") == std::string::npos);
}

TEST_CASE("a background scope goes on with the execution, or says why it does not") {
    const Home home;
    {
        Deciding deciding;
        const Json job = document_of(start_scope(home, deciding.server().url()));
        CHECK(job["status"] == "polling_scope");
        CHECK(job["request_id"] == kScope);
        CHECK(job["scope_request_id"] == kScope);
        const Worker worker(job);
        deciding.decide(kScope, "completed");
        deciding.server().wait_for("/execute/" + kExec + "/status");
        const Json now = document_of(result(home, job["job_file"]));
        CHECK(now["status"] == "polling_exec");
        CHECK(now["request_id"] == kExec);
        CHECK(now["exec_request_id"] == kExec);
        CHECK(now["approval_url"] == kUrl);
        deciding.decide(kExec, "failed");
        REQUIRE(worker.ends());
        const Finished done = result(home, job["job_file"]);
        CHECK(done.code == 1);
        CHECK(document_of(done)["status"] == "failed");
        const auto requests = deciding.server().requests();
        for (const HttpRequest& request : requests)
            if (request.path() == "/execute")
                CHECK(base::parse_json(request.body)["session_id"] == "s2");
    }
    Deciding deciding;
    const Json job = document_of(start_scope(home, deciding.server().url()));
    const Worker worker(job);
    deciding.decide(kScope, "denied");
    REQUIRE(worker.ends());
    const Finished done = result(home, job["job_file"]);
    CHECK(done.code == 3);
    CHECK(document_of(done)["status"] == "scope_failed");
    CHECK(deciding.server().count("POST", "/execute") == 0);
    const Finished raw = result(home, job["job_file"], true);
    CHECK(raw.code == 3);
    CHECK(raw.out.empty());
}

TEST_CASE("a background job says that secrets are missing, and goes on once they are there") {
    const Home home;
    Deciding deciding;
    const Json job = document_of(start(home, deciding.server().url()));
    const Worker worker(job);
    deciding.decide(kExec, "awaiting_secrets");
    // The poll that follows is asked only after the file has been written.
    deciding.wait_for_final_poll();
    CHECK(result(home, job["job_file"]).code == 5);
    deciding.decide(kExec, "completed");
    REQUIRE(worker.ends());
    CHECK(result(home, job["job_file"]).code == 0);
}

TEST_CASE("a background job outlives its terminal and Ctrl-C") {
    const Home home;
    Deciding deciding;
    Json job;
    {
        PseudoTerminal terminal;
        RunOptions options = kKey;
        options.terminal = terminal.name();
        const Finished started = run_program(
            home,
            {"execute", "--code", home.file("a.ts", "1"), "--bg", "--url", deciding.server().url()},
            options);
        CHECK(started.code == 0);
        job = base::parse_json(started.out);
        terminal.type("\x03");
    }  // here the terminal hangs up
    const Worker worker(job);
    for (const int number : {SIGINT, SIGHUP, SIGQUIT}) worker.send(number);
    deciding.decide(kExec, "completed");
    REQUIRE(worker.ends());
    CHECK(result(home, job["job_file"]).code == 0);
}

TEST_CASE("a job ends with an error at its deadline, on SIGTERM, and when the server is gone") {
    const Home home;
    {
        Deciding deciding;
        const Json job = document_of(start(home, deciding.server().url(), {"--timeout", "1"}));
        REQUIRE(Worker(job).ends());
        const Finished done = result(home, job["job_file"]);
        CHECK(done.code == 124);
        const Json document = document_of(done);
        CHECK(document["status"] == "error");
        CHECK(document["hint"] == "Go on waiting with: oauth3 poll " + kExec);
    }
    {
        Deciding deciding;
        const Json job = document_of(start(home, deciding.server().url()));
        const Worker worker(job);
        deciding.server().wait_for("/execute/" + kExec + "/status");
        worker.send(SIGTERM);
        REQUIRE(worker.ends());
        CHECK(result(home, job["job_file"]).code == 130);
    }
    {
        StandIn server([](const HttpRequest& request) -> HttpReply {
            if (request.method == "POST")
                return {.body = fmt::format(R"({{"request_id":"{}","status":"pending"}})", kExec)};
            return {.status = 401, .body = R"({"error":"No.","code":"invalid_key"})"};
        });
        const Json job = document_of(start(home, server.url()));
        CHECK(!job.contains("approval_url"));
        REQUIRE(Worker(job).ends());
        const Finished done = result(home, job["job_file"]);
        CHECK(done.code == 4);
        CHECK(document_of(done)["error"].get<std::string>().find("No.") != std::string::npos);
    }
}

TEST_CASE("a worker that dies without a word is found out") {
    const Home home;
    Deciding deciding;
    const Json job = document_of(start(home, deciding.server().url()));
    const Worker worker(job);
    SECTION("while a human decides") {}
    SECTION("while secrets are missing") {
        deciding.decide(kExec, "awaiting_secrets");
        deciding.wait_for_final_poll();
    }
    worker.send(SIGKILL);
    REQUIRE(worker.ends());
    const Finished done = result(home, job["job_file"]);
    CHECK(done.code == 1);
    const Json document = document_of(done);
    CHECK(document["status"] == "error");
    CHECK(document["hint"] == "Go on waiting with: oauth3 poll " + kExec);
}

TEST_CASE("what cannot be submitted leaves no job") {
    const Home home;
    const Finished nobody = start(home, "http://127.0.0.1:1", {"--timeout", "1"});
    CHECK(nobody.code == 6);
    StandIn refusing([](const HttpRequest&) {
        return HttpReply{.status = 400, .body = R"({"error":"No.","code":"bad_request"})"};
    });
    const Finished refused = start(home, refusing.url());
    CHECK(refused.code == 1);
    CHECK(document_of(refused)["code"] == "bad_request");
    CHECK(fs::is_empty(home.path() / ".oauth3/jobs"));
    // Nothing is submitted that could not be told of.
    StandIn idle([](const HttpRequest&) { return HttpReply{}; });
    RunOptions homeless = kKey;
    homeless.environment["HOME"] = "";
    CHECK(run_program(home,
                      {"execute", "--code", home.file("a.ts", "1"), "--bg", "--url", idle.url()},
                      homeless)
              .code == 1);
    CHECK(idle.requests().empty());
}

TEST_CASE("the longest legal reply is read, kept in a job and read from there") {
    const Home home;
    // 1 MiB each of stdout, stderr and an error that repeats it, every byte of them escaped.
    std::string escaped;
    for (int i = 0; i < 1 << 20; ++i) escaped += "\\u001b";
    const std::string reply =
        fmt::format(R"({{"status":"failed","error":"{0}","result":{{"stdout":"{0}","stderr":"{0}",)"
                    R"("exitCode":7}}}})",
                    escaped);
    StandIn server([&](const HttpRequest& request) -> HttpReply {
        if (request.method == "GET") return {.body = reply};
        return {.body = fmt::format(R"({{"request_id":"{}","status":"pending"}})", kExec)};
    });
    const Json job = document_of(start(home, server.url()));
    REQUIRE(Worker(job).ends());
    const Finished done = result(home, job["job_file"], true);
    CHECK(done.code == 7);
    CHECK(done.out.size() == (1 << 20) + 1);
}

TEST_CASE("what was submitted and has no job is told by its id") {
    const Home home;
    StandIn server([&](const HttpRequest&) -> HttpReply {
        // Now nothing can be written there any more.
        fs::remove_all(home.path() / ".oauth3/jobs");
        return {.body = fmt::format(R"({{"request_id":"{}","status":"pending"}})", kExec)};
    });
    const Finished done = start(home, server.url());
    CHECK(done.code == 1);
    CHECK(done.err.find("oauth3 poll " + kExec + "\n") != std::string::npos);
}

TEST_CASE("result reads job files only") {
    const Home home;
    const std::string secret = home.file("secret.json", R"({"status":"completed","k":"v"})");
    const fs::path link = home.path() / "link.json";
    fs::create_symlink(secret, link);
    const fs::path fifo = home.path() / "fifo";
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    for (const std::string& file :
         {link.string(), fifo.string(), home.path().string(), (home.path() / "none").string(),
          std::string("/dev/zero"), std::string("00000000"), home.file("empty", ""),
          home.file("list", "[1]"), home.file("other", R"({"status":5})"),
          home.file("text", "status: completed"), home.file("binary", std::string(3, '\0'))}) {
        CAPTURE(file);
        const Finished done = result(home, file);
        CHECK(done.code == 1);
        CHECK(document_of(done).contains("error"));
        CHECK(done.out.find("\"k\"") == std::string::npos);
    }
    // The form of the compatible command line.
    const std::string other = home.file("theirs.json",
                                        "{\n  \"status\": \"failed\",\n  \"job_id\": \"1\",\n  "
                                        "\"result\": {\"status\": \"failed\", "
                                        "\"result\": {\"stdout\": \"x\", \"exitCode\": 3}}\n}\n");
    CHECK(result(home, other).code == 1);
    const Finished raw = result(home, other, true);
    CHECK(raw.code == 3);
    CHECK(raw.out == "x\n");
}

TEST_CASE("a job file does not write through a link, and holds nothing raw for a terminal") {
    const Home home;
    const std::string evil = "\\u001b]0;x\\u0007\\u009b31m\\u202e";
    std::atomic<bool> release{false};
    StandIn server([&](const HttpRequest& request) -> HttpReply {
        if (request.method == "POST")
            return {.body = fmt::format(R"({{"request_id":"{}","status":"pending"}})", kExec)};
        if (!release) return {.status = 503, .body = "{}", .headers = {"Retry-After: 1"}};
        return {.body = fmt::format(R"({{"status":"failed","error":"{}"}})", evil)};
    });
    const Json job = document_of(start(home, server.url()));
    const Worker worker(job);
    server.wait_for("/execute/" + kExec + "/status");
    const std::string file = job["job_file"];
    const std::string victim = home.file("victim", "untouched");
    fs::remove(file);
    fs::create_symlink(victim, file);
    release = true;
    REQUIRE(worker.ends());
    CHECK(home.read("victim") == "untouched");
    CHECK(!fs::is_symlink(file));
    const std::string text = home.read(".oauth3/jobs/" + job["job"].get<std::string>() + ".json");
    const Finished done = result(home, file);
    for (const char* raw : {"\x1b", "\a", "\u009b", "\u202e"}) {
        CHECK(text.find(raw) == std::string::npos);
        CHECK(done.out.find(raw) == std::string::npos);
    }
    CHECK(document_of(done)["result"]["error"] == base::parse_json("\"" + evil + "\""));
}
