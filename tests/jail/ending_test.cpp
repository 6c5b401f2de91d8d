// How runs end, and what they leave behind.
#include "base/error.h"
#include "jail/fixture.h"
#include "support/catch.h"

#include <poll.h>

#include <csignal>
#include <thread>

using namespace oauth3;
using namespace oauth3::jail;
using namespace oauth3::jail::test;
using namespace std::chrono_literals;

TEST_CASE("a program's exit code and both streams come back") {
    const Exit result = probe({"echo", "hello"});
    CHECK(result.setup_error == "");
    CHECK(result.ending == Ending::exited);
    CHECK(result.status == 0);
    CHECK(result.out == "hello");
    CHECK(result.err == "to stderr");
    CHECK_FALSE(result.out_truncated);
    CHECK(result.usage.peak_memory_bytes > 0);
    CHECK(result.usage.wall > 0us);
    for (const int code : {0, 1, 3, 124, 255}) {
        const Exit other = probe({"exit", std::to_string(code)});
        CHECK(other.ending == Ending::exited);
        CHECK(other.status == code);
    }
}

TEST_CASE("a signal that ends the program is named") {
    for (const int number : {SIGKILL, SIGTERM, SIGINT, SIGPIPE, SIGTRAP, SIGABRT, SIGSEGV}) {
        const Exit result = probe({"signal", std::to_string(number)});
        INFO(number);
        CHECK(result.ending == Ending::signalled);
        CHECK(result.signal == number);
    }
}

TEST_CASE("an endless loop ends at its deadline, and its time is counted") {
    SuperviseOptions options;
    options.deadline = 300ms;
    const Exit result = run(spec({"loop"}), options);
    CHECK(result.ending == Ending::deadline);
    CHECK(result.usage.wall >= 300ms);
}

TEST_CASE("what ignores every signal, forks away and holds stdout ends at the deadline") {
    SuperviseOptions options;
    options.deadline = 300ms;
    const Exit result = run(spec({"immortal"}), options);
    CHECK(result.ending == Ending::deadline);
    CHECK(result.out == "ok\n");  // said by the grandchild: it did live
}

TEST_CASE("a daemon that holds stdout does not keep the run from ending") {
    SuperviseOptions options;
    options.deadline = 1h;
    const Exit result = run(spec({"daemon"}), options);
    CHECK(result.ending == Ending::exited);
    CHECK(result.status == 7);
}

TEST_CASE("closing all streams changes nothing") {
    SuperviseOptions options;
    options.deadline = 300ms;
    CHECK(run(spec({"close-output"}), options).ending == Ending::deadline);
}

TEST_CASE("a program that kills all it can kills only its own") {
    const Exit result = probe({"kill-all"});
    CHECK(result.ending == Ending::exited);
    CHECK(result.status == 5);
    CHECK(result.out == "ESRCH\n");  // pid 1 is nobody it could kill, and there is no other
}

TEST_CASE("orphans are reaped by pid 1") {
    CHECK(probe({"orphans"}).ending == Ending::exited);
}

TEST_CASE("output is bytes, cut at the cap while the run goes on") {
    CHECK(probe({"bytes"}).out == std::string("a\xff\xc3\0\xe2\x82z", 7));

    const Exit flood = probe({"flood", std::to_string(5 << 20)});
    CHECK(flood.ending == Ending::exited);
    CHECK(flood.status == 0);  // the program was never blocked and never lost its reader
    CHECK(flood.out == std::string(1 << 20, 'x'));
    CHECK(flood.out_truncated);
    CHECK_FALSE(flood.err_truncated);

    const Exit exact = probe({"flood", std::to_string(1 << 20)});
    CHECK(exact.out.size() == 1 << 20);
    CHECK_FALSE(exact.out_truncated);

    SuperviseOptions options;
    options.out_cap = 10;
    options.err_cap = 3;
    const Exit small = run(spec({"echo", "01234567890"}), options);
    CHECK(small.out == "0123456789");
    CHECK(small.out_truncated);
    CHECK(small.err == "to ");
    CHECK(small.err_truncated);
}

TEST_CASE("an endless flood ends at the deadline") {
    SuperviseOptions options;
    options.deadline = 300ms;
    const Exit result = run(spec({"flood", "1000000000000"}), options);
    CHECK(result.ending == Ending::deadline);
    CHECK(result.out.size() == 1 << 20);
}

TEST_CASE("a stop signal ends the run, once set for ever") {
    StopSignal stop;
    CHECK_FALSE(stop.stop_requested());
    SuperviseOptions options;
    options.stop = &stop;
    CHECK(run(spec({"exit", "4"}), options).status == 4);

    Process process = running(spawner(), spec({"wait"}));
    std::thread human([&] {
        stop.request_stop();
        stop.request_stop();
    });
    const Exit result = supervise(std::move(process), options);
    human.join();
    CHECK(result.ending == Ending::stopped);
    CHECK(result.out == "ok\n");
    CHECK(stop.stop_requested());
    CHECK(run(spec({"wait"}), options).ending == Ending::stopped);
}

TEST_CASE("a jail whose process object is dropped dies at once") {
    Process process = running(spawner(), spec({"immortal"}));
    const std::vector<pid_t> lives = tree_of(process);
    REQUIRE(lives.size() == 3);  // pid 1, the program, its daemon
    { const Process dropped = std::move(process); }
    for (const pid_t pid : lives) CHECK(is_dead(pid));
}

TEST_CASE("after the deadline not one process of the tree lives") {
    Process process = running(spawner(), spec({"immortal"}));
    const std::vector<pid_t> lives = tree_of(process);
    REQUIRE(lives.size() == 3);
    SuperviseOptions options;
    options.deadline = 0ms;
    CHECK(supervise(std::move(process), options).ending == Ending::deadline);
    for (const pid_t pid : lives) CHECK(is_dead(pid));
}

TEST_CASE("killing pid 1 from outside ends the run as a signal") {
    Process process = running(spawner(), spec({"wait"}));
    process.kill();
    const Exit result = supervise(std::move(process), {});
    CHECK(result.ending == Ending::signalled);
    CHECK(result.signal == SIGKILL);
}

TEST_CASE("a failing step of the set-up is named") {
    const auto error_of = [](const Spec& job) {
        const Exit result = run(job);
        CHECK(result.ending == Ending::setup_failed);
        CHECK(result.out == "");
        return result.setup_error;
    };
    Spec job = spec({"exit", "0"});
    job.argv[0] = "/missing";
    CHECK(error_of(job) == "start /missing: No such file or directory");

    job = spec({"exit", "0"});
    job.cwd = "/nowhere";
    CHECK(error_of(job) == "enter /nowhere: No such file or directory");

    job = spec({"exit", "0"});
    job.root = "/no/such/root";
    CHECK(error_of(job) == "bind /no/such/root: No such file or directory");

    job = spec({"exit", "0"});
    job.mounts.push_back({"/usr", "/missing"});
    CHECK(error_of(job) == "bind to /missing: No such file or directory");

    job = spec({"exit", "0"});
    job.tmp_bytes = 4096;
    job.files.push_back({"large", std::string(100'000, 'x')});
    CHECK(error_of(job) == "write: No space left on device");

    Folder empty;
    std::filesystem::permissions(empty.path(), std::filesystem::perms(0755));
    job = spec({"exit", "0"});
    job.root = empty.path();
    CHECK(error_of(job) == "mount /dev: No such file or directory");
}
