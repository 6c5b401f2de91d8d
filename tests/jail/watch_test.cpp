// What the watcher sees of a jail from outside. How it ends one is in limits_test.
#include "jail/watch.h"

#include "jail/fixture.h"
#include "support/catch.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

using namespace oauth3;
using namespace oauth3::jail;
using namespace oauth3::jail::test;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t kMegabyte = std::uint64_t{1} << 20;

Process waiting(std::vector<std::string> words) {
    Spec job = spec(std::move(words));
    job.tmp_bytes = 512 * kMegabyte;
    return running(spawner(), job);
}

std::uint64_t megabytes_of(const Process& process, std::uint64_t enough = 0) {
    return look_at(process.pid(), enough).memory_bytes / kMegabyte;
}

}  // namespace

TEST_CASE("numbers are read from lines of their own") {
    constexpr const char* kStatus =
        "Name:\ta\\nRssAnon: 7 kB\nRssAnonymous:\t1 kB\nRssAnon:\t      12 "
        "kB\nThreads:\t3\nEmpty:\n";
    CHECK(status_number(kStatus, "RssAnon") == 12 * 1024);
    CHECK(status_number(kStatus, "Threads") == 3);
    CHECK(status_number(kStatus, "Empty") == 0);
    CHECK(status_number(kStatus, "Missing") == 0);
    CHECK(status_number("", "Threads") == 0);
    CHECK(status_number("Threads", "Threads") == 0);
    CHECK(status_number("Threads:", "Threads") == 0);
    CHECK(status_number("Threads: 99999999999999999999999 kB", "Threads") == 0);
}

TEST_CASE("all memory of a jail is seen, and each page once") {
    struct Row {
        std::vector<std::string> words;
        std::uint64_t megabytes;
    };
    for (const Row& row : std::vector<Row>{{{"wait"}, 0},
                                           {{"eat", "40"}, 40},
                                           {{"eat-shared", "40"}, 40},
                                           {{"eat-in-files", "40"}, 40},
                                           {{"eat-in-disguise", "40"}, 40},
                                           {{"eat-below-thread", "40"}, 40},
                                           {{"eat-without-leader", "40"}, 40},
                                           {{"eat-page-tables", "40"}, 40},
                                           {{"share-with-children", "9", "20"}, 40},
                                           {{"eat-in-children", "4", "10"}, 40}}) {
        const Process process = waiting(row.words);
        INFO(row.words[0]);
        // Children may still be about to start, or to eat.
        CHECK(eventually([&] { return megabytes_of(process) >= row.megabytes; }));
        CHECK(megabytes_of(process) < row.megabytes + 10);
        // Pages that are shared are counted for each process as long as that does no harm.
        CHECK(megabytes_of(process, 1024 * kMegabyte) >= row.megabytes);
    }
}

TEST_CASE("the watcher names the limit that is broken") {
    const Process process = waiting({"eat-in-children", "4", "10"});
    const auto finding = [&](const Orders& orders) {
        Watcher watcher(process.pid(), orders);
        return watcher.look();
    };
    using Finding = Watcher::Finding;
    CHECK(eventually([&] { return megabytes_of(process) >= 40; }));
    CHECK(finding({}) == Finding::good);
    CHECK(finding({.memory_bytes = 60 * kMegabyte}) == Finding::good);
    CHECK(finding({.memory_bytes = 30 * kMegabyte}) == Finding::memory);
    CHECK(finding({.tasks = 6}) == Finding::good);  // pid 1, the program and its children
    CHECK(finding({.tasks = 5}) == Finding::tasks);
    CHECK(finding({.cpu = 3600s}) == Finding::good);
    Watcher watcher(process.pid(), {.tasks = 100});
    watcher.look();
    CHECK(watcher.peak_tasks() == 6);
    CHECK(watcher.peak_memory_bytes() >= 40 * kMegabyte);
}

TEST_CASE("without orders the watcher does not even wake up, and else soon enough") {
    CHECK_FALSE(Watcher(1, {}).next());
    CHECK_FALSE(Watcher(1, {.account = 0}).next());
    CHECK(Watcher(1, {.memory_bytes = 1}).next().value() <= 250ms);
    CHECK(Watcher(1, {.tasks = 1}).next().value() <= 250ms);
    CHECK(Watcher(1, {.cpu = 1s}).next().value() <= 250ms);
    // The kernel counts: no need to look before it can be used up.
    const auto pause = Watcher(1, {.cpu = 10s, .account = 0}).next().value();
    CHECK(pause * ::sysconf(_SC_NPROCESSORS_ONLN) >= 9s);
    CHECK(pause <= 10s);
}

TEST_CASE("processes that come and go do not disturb it") {
    Spec job = spec({"fork-bomb"});
    job.limits.processes = 60;
    const Process process = spawner().launch(job);
    CHECK(eventually([&] { return look_at(process.pid(), 0).tasks >= 50; }));
    for (int i = 0; i < 50; ++i) {
        const Sight sight = look_at(process.pid(), 0);
        CHECK(sight.tasks <= 60);
        CHECK(sight.memory_bytes < 64 * kMegabyte);
    }
}

TEST_CASE("a jail that is gone uses nothing") {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(0);
    ::waitpid(pid, nullptr, 0);
    const Sight sight = look_at(pid, 0);
    CHECK(sight.memory_bytes == 0);
    CHECK(sight.tasks == 0);
    CHECK(descend(pid) == std::vector<pid_t>{pid});
    Watcher watcher(pid, {.memory_bytes = 1, .tasks = 1, .cpu = 1s});
    CHECK(watcher.look() == Watcher::Finding::good);
}
