// Programs that take more than they may: how they end, and who held them. The same lines hold for
// an ordinary user, where a watcher does what the kernel does not.
#include "jail/fixture.h"
#include "support/catch.h"

#include <poll.h>

#include <sstream>

using namespace oauth3;
using namespace oauth3::jail;
using namespace oauth3::jail::test;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t kMegabyte = std::uint64_t{1} << 20;
constexpr std::uint64_t kLimit = 64 * kMegabyte;

Spec bomb(std::vector<std::string> arguments) {
    Spec job = spec(std::move(arguments));
    job.limits.memory_bytes = kLimit;
    job.tmp_bytes = 1024 * kMegabyte;
    return job;
}

/// Nothing of this must last until the deadline, but if it does, the test ends.
SuperviseOptions long_enough() {
    SuperviseOptions options;
    options.deadline = 60s;
    return options;
}

std::string describe(const Exit& result) {
    std::ostringstream out;
    out << "ending " << static_cast<int>(result.ending) << " status " << result.status << " signal "
        << result.signal << " out '" << result.out << "' set-up '" << result.setup_error
        << "' peak " << result.usage.peak_memory_bytes / kMegabyte << " MiB, "
        << result.usage.peak_tasks << " tasks";
    return out.str();
}

const std::vector<std::vector<std::string>> kMemoryBombs{
    {"eat", "512"},
    {"eat-shared", "512"},
    {"eat-in-children", "16", "32"},
    {"eat-in-files", "512"},
    {"eat-in-disguise", "512"},
    {"eat-below-thread", "512"},
    {"eat-without-leader", "512"},
    {"eat-page-tables", "512"},
    {"eat-in-children", "1", "512"},  // the program itself never asks for
                                      // much
};

}  // namespace

TEST_CASE("a memory bomb of any kind ends as memory") {
    for (const auto& words : kMemoryBombs) {
        const Exit result = run(bomb(words), long_enough());
        INFO(words[0] << ": " << describe(result));
        CHECK(result.ending == Ending::memory);
        CHECK(result.held == spawner().held());
        CHECK(result.usage.wall < 30s);
        // The kernel lets nobody have more, not even for a moment.
        if (result.held.memory == Keeper::kernel) CHECK(result.usage.peak_memory_bytes <= kLimit);
        CHECK(result.usage.peak_memory_bytes >= kLimit / 2);
    }
}

TEST_CASE("what stays below the memory limit is left alone") {
    for (const auto& words :
         std::vector<std::vector<std::string>>{{"eat", "32"},
                                               {"eat-shared", "32"},
                                               {"eat-in-children", "4", "8"},
                                               {"eat-in-files", "32"},
                                               {"share-with-children", "10", "12"}}) {
        Process process = running(spawner(), bomb(words));
        SuperviseOptions options;
        options.deadline = 700ms;  // the watcher looks a few times
        const Exit result = supervise(std::move(process), options);
        INFO(words[0] << ": " << describe(result));
        CHECK(result.ending == Ending::deadline);
        CHECK(result.out == "ok\n");
    }
}

TEST_CASE("a memory bomb of an ordinary user is ended by the watcher, and that is what is said") {
    const std::string told = as_user([] {
        const Spawner one = Spawner::start();
        std::ostringstream out;
        for (const auto& words : kMemoryBombs) {
            const Exit result = supervise(one.launch(bomb(words)), long_enough());
            out << words[0] << ' '
                << (result.ending == Ending::memory ? "memory" : describe(result)) << ' '
                << to_string(result.held.memory) << ' '
                << (result.usage.wall < 10s ? "in time" : "late") << '\n';
        }
        for (const auto& words : std::vector<std::vector<std::string>>{
                 {"eat", "32"}, {"share-with-children", "10", "12"}}) {
            SuperviseOptions options;
            options.deadline = 1s;
            const Exit result = supervise(one.launch(bomb(words)), options);
            out << words[0] << ' '
                << (result.ending == Ending::deadline ? "left alone" : describe(result)) << '\n';
        }
        return out.str();
    });
    CHECK(told ==
          "eat memory watch in time\n"
          "eat-shared memory watch in time\n"
          "eat-in-children memory watch in time\n"
          "eat-in-files memory watch in time\n"
          "eat-in-disguise memory watch in time\n"
          "eat-below-thread memory watch in time\n"
          "eat-without-leader memory watch in time\n"
          "eat-page-tables memory watch in time\n"
          "eat-in-children memory watch in time\n"
          "eat left alone\n"
          "share-with-children left alone\n");
}

TEST_CASE("a fork bomb stays below its limit and ends at the deadline") {
    Spec job = spec({"fork-bomb"});
    job.limits.processes = 40;
    SuperviseOptions options;
    options.deadline = 500ms;
    const Exit result = run(job, options);
    INFO(describe(result));
    CHECK(result.ending == Ending::deadline);
    CHECK(result.held.tasks == Keeper::kernel);
    CHECK(result.usage.peak_tasks <= 40);
}

TEST_CASE("tasks are counted for each jail by itself, also where there are no groups") {
    const auto counts = [](const Spawner& one) {
        Spec job = spec({"fork-many"});
        job.limits.processes = 16;
        // While another jail of the same user has as many as it may have.
        Spec other = spec({"eat-in-children", "12", "0"});
        other.limits.processes = 16;
        const Process beside = running(one, other);
        const Exit result = supervise(one.launch(job), {});
        return result.out + std::string(to_string(result.held.tasks));
    };
    CHECK(counts(spawner()) == "14 EAGAIN\nkernel");
    CHECK(as_user([&] { return counts(Spawner::start()); }) == "14 EAGAIN\nkernel");
}

TEST_CASE("/tmp has no more room and no more files than it may have") {
    const auto told = [](const Spawner& one) {
        Spec job = spec({"make-files"});
        job.limits.tmp_inodes = 100;
        Exit result = supervise(one.launch(job), {});
        std::string out = result.out;
        job = spec({"write-big", "/tmp/big"});
        job.tmp_bytes = 3 * kMegabyte;
        result = supervise(one.launch(job), {});
        return out + result.out + std::string(to_string(result.held.disk));
    };
    // One of the hundred is /tmp itself.
    const std::string expected = "99 ENOSPC\n3145728 ENOSPC\nkernel";
    CHECK(told(spawner()) == expected);
    CHECK(as_user([&] { return told(Spawner::start()); }) == expected);
}

TEST_CASE("processor time is counted for the whole tree") {
    const auto told = [](const Spawner& one) {
        std::ostringstream out;
        for (const char* processes : {"1", "8"}) {
            Spec job = spec({"burn", processes});
            job.cpu_seconds = 1;
            const Exit result = supervise(one.launch(job), long_enough());
            // Far less than eight that each use up what one may.
            const auto used = result.usage.cpu_user + result.usage.cpu_system;
            out << (result.ending == Ending::cpu ? "cpu " : describe(result))
                << (used >= 900ms && used < 6s ? "" : "wrongly counted ")
                << to_string(result.held.cpu_time) << '\n';
        }
        return out.str();
    };
    CHECK(told(spawner()) == "cpu watch\ncpu watch\n");
    CHECK(as_user([&] { return told(Spawner::start()); }) == "cpu watch\ncpu watch\n");
}

TEST_CASE("one process cannot use up more processor time than it may, watched or not") {
    Spec job = spec({"limits"});
    job.cpu_seconds = 7;
    CHECK(run(job).out.find("cpu 7 8\n") != std::string::npos);
}

TEST_CASE("a run says what it used") {
    const Exit result = run(bomb({"eat-in-children", "3", "4"}), [] {
        SuperviseOptions options;
        options.deadline = 500ms;
        return options;
    }());
    INFO(describe(result));
    CHECK(result.usage.peak_memory_bytes >= 4 * kMegabyte);
    if (result.held.memory == Keeper::kernel) {
        CHECK(result.usage.peak_memory_bytes >= 12 * kMegabyte);
        CHECK(result.usage.peak_memory_bytes < 40 * kMegabyte);
    }
    if (result.usage.peak_tasks > 0) CHECK(result.usage.peak_tasks == 5);
}
