// How the review command ends, and what it leaves behind.
#include "base/files.h"
#include "notify/fixture.h"
#include "notify/review_command.h"
#include "support/catch.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <thread>

using namespace oauth3;
using namespace oauth3::notify::test;
using namespace std::chrono_literals;
using notify::Opinion;
using notify::ReviewCommand;
using notify::Verdict;
namespace fs = std::filesystem;

namespace {

/// Takes from the calling thread the right to kill processes of other users.
void may_kill_only_own() {
    __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct sets[2]{};
    REQUIRE(::syscall(SYS_capget, &head, sets) == 0);
    sets[0].effective &= ~(1U << CAP_KILL);
    REQUIRE(::syscall(SYS_capset, &head, sets) == 0);
}

}  // namespace

TEST_CASE("an endless flood of stderr ends at the time limit") {
    const NothingLeft nothing_left;
    const StopSignal stop;
    check_failed(ReviewCommand("yes >&2", 200ms).review("{}", stop),
                 "the review command did not answer within 200 ms");
}

TEST_CASE("what hangs and ignores all it can ends at the time limit, with its group") {
    const TemporaryFolder folder;
    const fs::path file = folder / "pids";
    const std::string command = R"(trap '' TERM INT HUP QUIT; echo '{"verdict":"no_objection"}'
        (sleep 1000; sleep 1000) & echo $! $$ end > )" +
                                file.string() + "; exec >&-; wait; wait";
    // However slow this machine is now: some limit is long enough for the beginning.
    for (base::Millis limit = 200ms;; limit *= 2) {
        const NothingLeft nothing_left;
        const StopSignal stop;
        check_failed(
            ReviewCommand(command, limit).review("{}", stop),
            "the review command did not answer within " + std::to_string(limit.count()) + " ms");
        std::ifstream pids(file);
        pid_t member = -1;
        pid_t shell = -1;
        std::string end;
        if (!(pids >> member >> shell >> end)) continue;
        CHECK(dies(member));
        CHECK(dies(shell));
        break;
    }
}

TEST_CASE("a limit that is over before it begins") {
    const NothingLeft nothing_left;
    const StopSignal stop;
    for (const base::Millis limit : {0ms, -5ms, base::Millis::min()})
        check_failed(ReviewCommand("sleep 1000", limit).review("{}", stop),
                     "the review command did not answer within 0 ms");
    CHECK(ReviewCommand(R"(echo '{"verdict":"deny"}')", base::Millis::max())
              .review("{}", stop)
              .verdict == Verdict::deny);
}

TEST_CASE("what a command leaves running in its group is killed, and not waited for") {
    // It holds all streams open.
    const pid_t left = std::stoi(found_by("sleep 1000 >&2 & echo $!"));
    CHECK(dies(left));
    const NothingLeft nothing_left;
    const StopSignal stop;
    const Opinion opinion =
        ReviewCommand(R"(sleep 1000 & printf '{"verdict":"deny","reason":"%d"}' $!)", 1h)
            .review("{}", stop);
    CHECK(opinion.verdict == Verdict::deny);
    CHECK(dies(std::stoi(opinion.reason)));
    // As above, after a failure.
    const TemporaryFolder folder;
    const fs::path file = folder / "pid";
    check_failed(ask("sleep 1000 & echo $! >" + file.string() + "; exit 3"),
                 "the review command ended with status 3");
    CHECK(dies(std::stoi(base::read_file(file))));
    check_failed(ask("sleep 1000 & echo $! >" + file.string() + "; yes"),
                 "the review command gave no proper answer: it is larger than 65536 bytes");
    CHECK(dies(std::stoi(base::read_file(file))));
}

TEST_CASE("a daemon that holds stdout open holds nothing up") {
    const TemporaryFolder folder;
    Fifo life(folder / "life");
    const Fifo ready(folder / "ready");
    // It lives in a session of its own until `life` is closed here.
    const std::string daemon = "setsid sh -c 'exec 9<" + (folder / "life").string() +
                               "; echo $$ >" + (folder / "ready").string() +
                               "; read never <&9' & read pid <" + (folder / "ready").string() +
                               "\n";
    pid_t pid = -1;
    SECTION("when the shell has answered") {
        const Opinion opinion = ask(daemon + R"(printf '{"verdict":"deny","reason":"%d"}' $pid)");
        CHECK(opinion.verdict == Verdict::deny);
        CHECK_FALSE(opinion.failed);
        pid = std::stoi(opinion.reason);
    }
    SECTION("when the time is over") {
        const NothingLeft nothing_left;
        const StopSignal stop;
        const fs::path file = folder / "pid";
        const std::string command = daemon + "echo $pid >" + file.string() + "; sleep 1000";
        for (base::Millis limit = 200ms; !(std::ifstream(file) >> pid); limit *= 2)
            check_failed(ReviewCommand(command, limit).review("{}", stop),
                         "the review command did not answer within " +
                             std::to_string(limit.count()) + " ms");
    }
    CHECK(is_running(pid));
    life.close();
    CHECK(dies(pid));
}

TEST_CASE("a daemon that writes for ever holds nothing up") {
    const Opinion opinion = ask(R"(setsid yes & setsid yes >&2 & echo '{"verdict":"deny"}')");
    CHECK(opinion.verdict != Verdict::no_objection);
}

TEST_CASE("a stop ends the wait, and nothing begins after it") {
    const NothingLeft nothing_left;
    const TemporaryFolder folder;
    const std::string stopped = "the review command was not waited for, because the server stops";
    StopSignal stop;
    pid_t pid = -1;
    {
        const Fifo ready(folder / "ready");
        std::thread server([&] {
            pid = std::stoi(ready.read_line());
            stop.request_stop();
        });
        const ReviewCommand command("trap '' TERM; echo $$ >" + (folder / "ready").string() +
                                        R"(; echo '{"verdict":"no_objection"}'; sleep 1000)",
                                    1h);
        check_failed(command.review("{}", stop), stopped);
        server.join();
    }
    CHECK(dies(pid));
    // Had it been tried, this could not have been started.
    check_failed(ReviewCommand(std::string(200'000, 'x'), 1h).review("{}", stop), stopped);
}

TEST_CASE("what cannot be killed holds nothing up, and is reaped once it ends") {
    if (ask("setpriv --reuid 12345 true && echo '{\"verdict\":\"deny\"}'").failed) return;
    const TemporaryFolder folder;
    const Fifo ready(folder / "ready");
    StopSignal stop;
    Opinion opinion;
    std::thread worker([&] {
        may_kill_only_own();
        // As sudo does it: from here on it is somebody else's.
        const std::string command =
            "exec setpriv --reuid 12345 sh -c 'echo $$ >&9; exec sleep 1000' 9>" +
            (folder / "ready").string();
        opinion = ReviewCommand(command, 1h).review("{}", stop);
    });
    const pid_t pid = std::stoi(ready.read_line());
    stop.request_stop();
    worker.join();
    CHECK(opinion.failed);
    CHECK(opinion.verdict == Verdict::ask);
    CHECK(is_running(pid));
    CHECK(::kill(pid, SIGKILL) == 0);
    CHECK(dies(pid));
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (::kill(pid, 0) == 0 && std::chrono::steady_clock::now() < until)
        std::this_thread::yield();
    CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
}

TEST_CASE("a server that was started without interest in its children gets it") {
    SECTION("ignored") {
        ::signal(SIGCHLD, SIG_IGN);
    }
    SECTION("not to be waited for") {
        struct sigaction action {};
        action.sa_handler = [](int) {};
        action.sa_flags = SA_NOCLDWAIT;
        ::sigaction(SIGCHLD, &action, nullptr);
    }
    CHECK(ask(R"(echo '{"verdict":"no_objection"}')").verdict == Verdict::no_objection);
    ::signal(SIGCHLD, SIG_DFL);
}

TEST_CASE("a command whose end was lost means ask") {
    const StopSignal stop;
    const ReviewCommand command(R"(echo '{"verdict":"no_objection"}')", 1h);
    ::signal(SIGCHLD, SIG_IGN);
    const Opinion opinion = command.review("{}", stop);
    ::signal(SIGCHLD, SIG_DFL);
    CHECK(opinion.failed);
    CHECK(opinion.verdict == Verdict::ask);
}
