// What takes until nothing is left, and what tries to outlive its end.
#include "base/error.h"
#include "base/fd.h"
#include "base/files.h"
#include "escape/attack.h"
#include "escape/scene.h"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <ctime>

using namespace oauth3;
using namespace oauth3::escape;
using namespace std::chrono_literals;

// The jail of spec(): 64 processes, 64 descriptors, files of 4 MiB, /tmp of 16 MiB.
ATTACK("forks until there are no processes left", {"forks", "150"}, {"EAGAIN"}, succeeds());
ATTACK("starts threads until there are none left", {"threads", "150"}, {"EAGAIN"}, succeeds());
ATTACK("opens files until there are no descriptors left", {"descriptors", "150"}, {"EMFILE"},
       succeeds());
ATTACK("makes files until there are no inodes left", {"files", "20000", "/tmp"}, {"ENOSPC"},
       with_words({"files", "20000", "{folder}"}, succeeds()));
ATTACK("writes until the disk is full", {"disk", "32", "/tmp"}, {"ENOSPC"},
       with_words({"disk", "32", "{folder}"}, succeeds()));
ATTACK("writes until memory is full of files", {"disk", "128", "/dev/shm"}, {"ENOSPC"},
       with_words({"disk", "128", "{folder}"}, succeeds()));
ATTACK("makes one huge file", {"one-file", "32", "/tmp/file"}, {"EFBIG"},
       with_words({"one-file", "32", "{folder}/huge"}, succeeds()));
ATTACK("makes one huge file and minds the signal", {"one-file-or-die", "32", "/tmp/file"},
       {"SIGXFSZ"}, with_words({"one-file-or-die", "32", "{folder}/huge"}, succeeds()));
ATTACK("locks memory", {"lock-memory", "1"}, {"ENOMEM"}, succeeds());

// More than a jail may have. Without a limit the first word waits for its deadline.
ATTACK("takes memory until there is none left", {"memory", "1024", "hold"}, {"memory"},
       with_words({"memory", "256"}, succeeds()));
ATTACK("takes memory in many processes", {"memory-of-many", "1024", "hold"}, {"memory"},
       with_words({"memory-of-many", "256"}, succeeds()));
ATTACK("takes memory for files without a name", {"memory-files", "1024", "hold"}, {"memory"},
       with_words({"memory-files", "256"}, succeeds()));

namespace {

using jail::Ending;
using jail::Exit;
using jail::Process;

/// Threads whose command line holds the word: a jail is told from all others by it.
std::size_t threads_with(const std::string& word) {
    namespace fs = std::filesystem;
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        if (entry.path().filename().string().find_first_not_of("0123456789") != std::string::npos)
            continue;
        try {
            for (const auto& thread : fs::directory_iterator(entry.path() / "task"))
                if (base::read_file(thread.path() / "cmdline").find(word) != std::string::npos)
                    ++count;
        } catch (const std::exception&) {
            // It has ended meanwhile.
        }
    }
    return count;
}

/// Runs what wants to survive until it says that it lives, then lets its time be over.
void check_that_nothing_survives(const std::string& word, std::size_t at_least) {
    prepare_scene();
    const std::string mark = "mark-" + std::to_string(::getpid()) + "-" + word;
    Process process = jail::test::running(jail::test::spawner(), spec({word, mark}));
    CHECK(threads_with(mark) >= at_least);
    jail::SuperviseOptions options;
    options.deadline = 0ms;
    const Exit exit = jail::supervise(std::move(process), options);
    CHECK(exit.setup_error == "");
    CHECK(exit.ending == Ending::deadline);
    CHECK(exit.out == "ok\n");
    CHECK(threads_with(mark) == 0);
}

}  // namespace

TEST_CASE("what ignores all signals does not survive", "[attack]") {
    check_that_nothing_survives("deaf", 2);
}
TEST_CASE("what moves from process to process does not survive", "[attack]") {
    check_that_nothing_survives("moving-target", 0);
}
TEST_CASE("what sleeps where signals do not wake it does not survive", "[attack]") {
    check_that_nothing_survives("sleep-in-vfork", 2);
}
TEST_CASE("what is stopped does not survive", "[attack]") {
    check_that_nothing_survives("stopped", 1);
}
TEST_CASE("what leaves dead children does not survive", "[attack]") {
    check_that_nothing_survives("zombies", 1);
}
TEST_CASE("what lost its first thread does not survive", "[attack]") {
    check_that_nothing_survives("headless", 1);
}
TEST_CASE("what is born again at its end does not survive", "[attack]") {
    check_that_nothing_survives("reborn", 1);
}
TEST_CASE("what closed all its streams does not survive", "[attack]") {
    check_that_nothing_survives("close-everything", 1);
}

TEST_CASE("a daemon does not survive the program that left it", "[attack]") {
    prepare_scene();
    const std::string mark = "mark-" + std::to_string(::getpid()) + "-daemon";
    jail::SuperviseOptions options;
    options.deadline = 1h;
    const Exit exit = jail::test::run(spec({"daemon", mark}), options);
    CHECK(exit.ending == Ending::exited);
    CHECK(exit.status == 7);
    CHECK(threads_with(mark) == 0);
    // The same daemon, where nobody ends it.
    const Process process = jail::test::running(jail::test::spawner(), spec({"deaf", mark}));
    CHECK(threads_with(mark) > 0);
}

TEST_CASE("an endless output is cut, and the run goes on", "[attack]") {
    const Exit exit = jail::test::run(spec({"output", "8"}));
    CHECK(exit.ending == Ending::exited);
    CHECK(exit.status == 0);
    CHECK(exit.out.size() == 1 << 20);
    CHECK(exit.out_truncated);
    CHECK(jail::test::outside({"output", "1"}).size() == 1 << 20);
}

// Some things are counted for each user of the host, and what a jail takes counts for the user that
// the server has: one jail could take them all from the server and from all others.

TEST_CASE("the server can watch files while a jail takes all that it can", "[attack]") {
    jail::Spec job = spec({"inotify-instances", "1000"});
    job.limits.open_files = jail::Limits{}.open_files;
    const Process process = jail::test::running(jail::test::spawner(), job);
    const base::Fd ours(::inotify_init1(IN_CLOEXEC));
    CHECK(ours);
}

TEST_CASE("the server can start programs while a jail has descriptors in flight", "[attack]") {
    jail::Spec job = spec({"descriptors-in-flight", "100"});
    job.limits.open_files = jail::Limits{}.open_files;
    const Process process = jail::test::running(jail::test::spawner(), job);
    // As many as a user's programs have at most places: the kernel compares with the same number.
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    rlimit usual = before;
    usual.rlim_cur = std::min<rlim_t>(1024, before.rlim_max);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &usual) == 0);
    std::string told = "refused";
    try {
        told = told_by(jail::test::run(spec({"say-ok"})));
    } catch (const base::Error& error) {
        told = error.what();
    }
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(told == "ok");
}

TEST_CASE("the server can have timers while a jail takes all that it can", "[attack]") {
    const Process process =
        jail::test::running(jail::test::spawner(), spec({"pending-signals", "1000000"}));
    sigevent nothing{};
    nothing.sigev_notify = SIGEV_NONE;
    timer_t timer{};
    CHECK(::timer_create(CLOCK_MONOTONIC, &nothing, &timer) == 0);
    ::timer_delete(timer);
}
