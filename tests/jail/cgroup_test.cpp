// Groups on the cgroup trees of this very machine. Where it has none that can be written to, these
// have nothing to try.
#include "jail/cgroup.h"

#include "base/error.h"
#include "base/files.h"
#include "jail/cgroup_files.h"
#include "jail/cgroup_scene.h"
#include "jail/fixture.h"
#include "jail/namespaces.h"
#include "support/catch.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

using namespace oauth3;
using namespace oauth3::jail;
using namespace oauth3::jail::test;
using namespace oauth3::jail::cgroups;
namespace fs = std::filesystem;

namespace {

/// Runs `work` as a process that starts in the group: its exit code.
int inside_of(const Cgroup& group, const std::function<int()>& work) {
    base::Fd pidfd;
    const pid_t pid = namespaces::clone_into(group.fd(), pidfd);
    if (pid == 0) {
        try {
            group.enter();
            ::_exit(work());
        } catch (...) {
            ::_exit(64);
        }
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace

TEST_CASE("what can be written to is used, and what is not there is not said to hold") {
    // A version 1 tree that can be written to is enough; of version 2 it takes more, but nothing
    // comes of a controller that is in neither.
    const auto unified = own_place("unified");
    const auto listed =
        unified ? read_words(unified->folder + "/cgroup.controllers") : std::vector<std::string>{};
    const auto must = [](const char* name) { return own_place(name).has_value(); };
    const auto may = [&](const char* name) {
        return must(name) || std::count(listed.begin(), listed.end(), name) > 0;
    };
    const std::array<bool, 3> at_least{must("memory"), must("pids"), must("cpu")};
    const std::array<bool, 3> at_most{may("memory"), may("pids"), may("cpu")};
    {
        const Cgroups groups = Cgroups::find();
        const std::array<bool, 3> said{groups.holds_memory(), groups.holds_tasks(),
                                       groups.holds_cpu()};
        for (std::size_t i = 0; i < said.size(); ++i) {
            CHECK((said[i] || !at_least[i]));
            CHECK((at_most[i] || !said[i]));
        }
    }
    const Held& held = spawner().held();
    CHECK((held.memory == Keeper::kernel || !at_least[0]));
    CHECK((held.memory != Keeper::kernel || at_most[0]));
    CHECK((held.cpu == Keeper::kernel || !at_least[2]));
    CHECK((held.cpu != Keeper::kernel || at_most[2]));
    CHECK(held.tasks == Keeper::kernel);
    CHECK(held.disk == Keeper::kernel);
    CHECK(held.cpu_time == Keeper::watch);

    const std::string told = as_user([] {
        const Spawner one = Spawner::start();
        const Held& said = one.held();
        return std::string(to_string(said.memory)) + " " + std::string(to_string(said.cpu)) + " " +
               (one.held_reasons().empty() ? "no reason" : "a reason");
    });
    // An ordinary user may have a delegated tree, but user id 12345 has not.
    if (::getuid() == 0) CHECK(told == "watch none a reason");
}

TEST_CASE("a jail is in its groups, and its limits stand in them") {
    Spec job = spec({"wait"});
    job.limits.memory_bytes = 100 * kMegabyte + 17;
    job.limits.processes = 33;
    job.limits.cpu_weight = 20;
    const Process process = running(spawner(), job);
    const auto pids = tree_of(process);
    REQUIRE(pids.size() == 2);
    for (const pid_t pid : pids)
        for (const Place& place : places_of(std::to_string(pid))) {
            const auto has = [&](const char* name) {
                return std::count(place.controllers.begin(), place.controllers.end(), name) > 0;
            };
            const std::string& folder = place.folder;
            INFO(folder);
            if (has("memory") && process.held().memory == Keeper::kernel) {
                CHECK(read_number(folder + "/memory.limit_in_bytes") == 100 * kMegabyte);
                if (fs::exists(folder + "/memory.memsw.limit_in_bytes"))
                    CHECK(read_number(folder + "/memory.memsw.limit_in_bytes") == 100 * kMegabyte);
                else
                    CHECK(read_number(folder + "/memory.swappiness") == 0U);
            }
            if (has("pids") && own_place("pids")) CHECK(read_number(folder + "/pids.max") == 33U);
            if (has("cpu") && process.held().cpu == Keeper::kernel) {
                CHECK(read_number(folder + "/cpu.shares") == 204U);
                CHECK(read_number(folder + "/../cpu.shares") == 512U);
            }
            if (place.unified && own_place("unified"))
                CHECK(folder.find("/oauth3-") != std::string::npos);
        }
}

TEST_CASE("a limit that the kernel does not take is not called the kernel's") {
    // More than the kernel can count: it reads back as less.
    Spec job = spec({"exit", "0"});
    job.limits.memory_bytes = std::uint64_t{1} << 63;
    const Exit result = run(job);
    CHECK(result.ending == Ending::exited);
    CHECK(result.held.memory == Keeper::watch);
    CHECK(run(spec({"exit", "0"})).held.memory == spawner().held().memory);

    Cgroups groups(own_places());
    CHECK_FALSE(groups.make({64 * kMegabyte, std::uint64_t{1} << 40, 50}).holds_tasks());
    // A folder that only looks like a group.
    Folder folder;
    for (const char* file : {"cgroup.procs", "tasks", "memory.limit_in_bytes"})
        base::write_private_file(folder.path() / file, "");
    Cgroups fake({Place{false, {"memory", "pids", "cpu"}, folder.path()}});
    CHECK_FALSE(fake.holds_memory());
    CHECK_FALSE(fake.holds_tasks());
    CHECK_FALSE(fake.holds_cpu());
    CHECK(fake.reasons().find("cannot be entered") != std::string::npos);
    CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 3);
}

TEST_CASE("the group holds the number of tasks even of one that no other limit holds") {
    if (!own_place("pids")) return;
    Cgroups groups(own_places());
    const Cgroup group = groups.make({64 * kMegabyte, 3, 50});
    REQUIRE(group.holds_tasks());
    CHECK(inside_of(group, [] {
              int made = 0;
              for (; made < 10; ++made) {
                  const pid_t pid = ::fork();
                  if (pid < 0) break;
                  if (pid == 0) {
                      for (;;) ::pause();
                  }
              }
              return made;
          }) == 2);
    CHECK(group.usage().peak_tasks.value_or(3) == 3);
    // Its children live on, and the group with them.
    for (const auto& entry : groups_of(::getpid()))
        for (const auto& child : fs::directory_iterator(entry))
            if (child.is_directory()) kill_all(child.path());
}

TEST_CASE("the program sees its groups as the root of all, and none of their files") {
    const Exit result = probe({"read", "/proc/self/cgroup"});
    REQUIRE(result.ending == Ending::exited);
    const auto groups = parse_memberships(result.out);
    CHECK(groups.size() == parse_memberships(base::read_file("/proc/self/cgroup")).size());
    for (const Membership& group : groups) CHECK(group.path == "/");
    const std::string mounts = probe({"read", "/proc/self/mountinfo"}).out;
    CHECK(mounts.find(" - tmpfs ") != std::string::npos);
    CHECK(mounts.find("cgroup") == std::string::npos);
}

TEST_CASE("version 2: a process starts inside, and one word kills all") {
    const auto place = own_place("unified");
    if (!place) return;
    Cgroups groups({*place});
    const Cgroup group = groups.make({64 * kMegabyte, 10, 50});
    REQUIRE(group.fd() >= 0);
    base::Fd pidfd;
    const pid_t pid = namespaces::clone_into(group.fd(), pidfd);
    if (pid == 0) {
        for (int i = 0; i < NSIG; ++i) ::signal(i, SIG_IGN);
        ::fork();
        for (;;) ::pause();
    }
    std::string folder;
    for (const Place& its : places_of(std::to_string(pid)))
        if (its.unified) folder = its.folder;
    CHECK(folder.starts_with(place->folder + "/" + name_of_life() + "/"));
    CHECK(eventually([&] { return processes_in(folder).size() == 2; }));
    CHECK(group.kill());
    CHECK(::waitpid(pid, nullptr, 0) == pid);
    CHECK(eventually([&] { return processes_in(folder).empty(); }));
    const auto account = group.open_account();
    CHECK(used_cpu(account.get()).has_value());
}
