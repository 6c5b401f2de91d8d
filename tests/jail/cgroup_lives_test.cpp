// What the helper's own life needs of the cgroup trees: a place for itself, and nothing left
// behind, by itself or by those that died before.
#include "base/error.h"
#include "base/files.h"
#include "jail/cgroup.h"
#include "jail/cgroup_files.h"
#include "jail/cgroup_scene.h"
#include "jail/fixture.h"
#include "support/catch.h"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

using namespace oauth3;
using namespace oauth3::jail;
using namespace oauth3::jail::test;
using namespace oauth3::jail::cgroups;
namespace fs = std::filesystem;

namespace {

/// A process that only waits, as a member of the group.
pid_t put_sleeper(const std::string& folder) {
    const pid_t pid = ::fork();
    if (pid == 0)
        for (;;) ::pause();
    REQUIRE(write_file(folder + "/cgroup.procs", std::to_string(pid)) == 0);
    return pid;
}

void end(pid_t pid) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
}

/// A name as of a helper that had the given start time.
std::string name_for(pid_t pid, const std::string& started) {
    const std::string own = name_of_life();
    const std::string space = own.substr(0, own.find('-', 7));
    return space + "-" + std::to_string(pid) + "-" + started;
}

}  // namespace

TEST_CASE("version 2: the server moves out of the way, but only if it is alone") {
    const auto place = own_place("unified");
    if (!place) return;
    const auto controllers = read_words(place->folder + "/cgroup.controllers");
    // Any controller of whole processes shows it; the rule is the same for all.
    std::vector<std::string> wanted;
    for (const auto& name : controllers)
        if (wanted.empty() && (name == "memory" || name == "hugetlb")) wanted.push_back(name);
    if (wanted.empty()) return;
    const bool was_on = !read_words(place->folder + "/cgroup.subtree_control").empty();
    if (write_file(place->folder + "/cgroup.subtree_control", "+" + wanted[0]) != 0) return;
    const std::string own = place->folder + "/oauth3test-" + std::to_string(::getpid());
    REQUIRE(::mkdir(own.c_str(), 0755) == 0);
    const pid_t server = put_sleeper(own);
    const pid_t other = put_sleeper(own);
    const std::string leaf = own + "/leaf";
    bool moved = false;
    CHECK(enable(own, wanted, {server}, leaf, moved).empty());
    CHECK_FALSE(moved);
    CHECK_FALSE(fs::exists(leaf));
    CHECK(processes_in(own).size() == 2);

    end(other);
    REQUIRE(eventually([&] { return processes_in(own).size() == 1; }));
    CHECK(enable(own, wanted, {server}, leaf, moved) == wanted);
    CHECK(moved);
    CHECK(processes_in(own).empty());
    CHECK(processes_in(leaf) == std::vector<pid_t>{server});

    Branch branch;
    branch.unified = true;
    branch.own = own;
    branch.folder = own + "/life";
    branch.enabled = wanted;
    branch.moved = true;
    REQUIRE(::mkdir(branch.folder.c_str(), 0755) == 0);
    CHECK(write_file(own + "/cgroup.subtree_control", "-" + wanted[0]) == 0);
    REQUIRE(::mkdir((branch.folder + "/server").c_str(), 0755) == 0);
    CHECK(write_file(branch.folder + "/server/cgroup.procs", std::to_string(server)) == 0);
    unsettle(branch);
    CHECK(processes_in(own) == std::vector<pid_t>{server});  // as it was found
    CHECK_FALSE(fs::exists(branch.folder));
    end(server);
    CHECK(eventually([&] { return ::rmdir(leaf.c_str()) == 0; }));
    CHECK(eventually([&] { return ::rmdir(own.c_str()) == 0; }));
    if (!was_on) write_file(place->folder + "/cgroup.subtree_control", "-" + wanted[0]);
}

TEST_CASE("a start sweeps what the dead left, and nothing else") {
    const pid_t dead = ::fork();
    if (dead == 0) ::_exit(0);
    ::waitpid(dead, nullptr, 0);
    const std::string own_name = name_of_life();
    const std::string other_time = own_name + "0";
    const std::string other_space = "oauth3-1-" + std::to_string(dead) + "-5";
    for (const Place& place : own_places()) {
        if (!place.unified && place.controllers[0].starts_with("name=")) continue;
        // In a group of its own, so that other tests that run now do not sweep it.
        const std::string top = place.folder + "/oauth3test-" + std::to_string(::getpid());
        if (::mkdir(top.c_str(), 0755) != 0) continue;
        if (std::count(place.controllers.begin(), place.controllers.end(), "cpuset") > 0) {
            ::rmdir(top.c_str());
            continue;
        }
        INFO(top);
        const auto make = [&](const std::string& name) {
            REQUIRE(::mkdir((top + "/" + name).c_str(), 0755) == 0);
            REQUIRE(::mkdir((top + "/" + name + "/7").c_str(), 0755) == 0);
            return put_sleeper(top + "/" + name + "/7");
        };
        const pid_t left = make(name_for(dead, "5"));
        const pid_t reused = make(other_time);  // this pid, but it started at another time
        const pid_t alive = make(own_name);
        const pid_t elsewhere = make(other_space);
        const pid_t foreign = make("oauth3-mine");
        // A server that outlived its helper is in a group of that name.
        const std::string leaf = top + "/" + name_for(dead, "6");
        REQUIRE(::mkdir(leaf.c_str(), 0755) == 0);
        REQUIRE(::mkdir((leaf + "/server").c_str(), 0755) == 0);
        const pid_t server = put_sleeper(leaf + "/server");

        sweep(top);
        for (const pid_t pid : {left, reused}) {
            CHECK(eventually([&] { return is_dead(pid); }));
            end(pid);
        }
        sweep(top);  // those that were not reaped yet may have kept their groups
        CHECK_FALSE(fs::exists(top + "/" + name_for(dead, "5")));
        CHECK_FALSE(fs::exists(top + "/" + other_time));
        for (const pid_t pid : {alive, elsewhere, foreign, server}) {
            CHECK_FALSE(is_dead(pid));
            end(pid);
        }
        for (const std::string& name : {own_name, other_space, std::string("oauth3-mine")}) {
            REQUIRE(fs::exists(top + "/" + name + "/7"));
            CHECK(eventually([&] { return ::rmdir((top + "/" + name + "/7").c_str()) == 0; }));
            CHECK(::rmdir((top + "/" + name).c_str()) == 0);
        }
        CHECK(eventually([&] {
            sweep(top);
            return !fs::exists(leaf);
        }));
        CHECK(::rmdir(top.c_str()) == 0);
    }
}

TEST_CASE("names that are not of a life are left alone") {
    CHECK_FALSE(is_of_dead(name_of_life()));
    CHECK(is_of_dead(name_of_life() + "0"));
    for (const char* name : {"", "oauth3-", "oauth3-1", "oauth3-1-2", "oauth3-1-2-", "oauth3-a-b-c",
                             "oauth3-1-2-3-4", "oauth3-1--3", "user.slice", "oauth3-1-2-3 "})
        CHECK_FALSE(is_of_dead(name));
    CHECK_FALSE(is_of_dead(name_for(0, "1")));
    CHECK_FALSE(is_of_dead(name_of_life().substr(0, 18) + "99999999999999999999-1"));
}

TEST_CASE("runs leave no group, and neither does the end of the helper") {
    root();
    std::optional<Spawner> one = Spawner::start();
    const pid_t helper = one->pid();
    const auto count = [&] {
        std::size_t number = 0;
        for (const auto& folder : groups_of(helper))
            for (const auto& entry : fs::directory_iterator(folder))
                number += entry.is_directory() ? 1 : 0;
        return number;
    };
    supervise(one->launch(spec({"exit", "0"})), {});
    const std::size_t branches = groups_of(helper).size();
    CHECK(eventually([&] { return count() == 0; }));
    for (int i = 0; i < 100; ++i) {
        const std::string kind = i % 3 == 0 ? "daemon" : i % 3 == 1 ? "exit" : "orphans";
        supervise(one->launch(spec({kind, "0"})), {});
    }
    SuperviseOptions options;
    options.deadline = std::chrono::milliseconds(50);
    Spec bomb = spec({"fork-bomb"});
    bomb.limits.processes = 20;
    for (int i = 0; i < 5; ++i) supervise(one->launch(bomb), options);
    CHECK(eventually([&] { return count() == 0; }));
    {
        std::vector<Process> many;
        for (int i = 0; i < 12; ++i) many.push_back(one->launch(spec({"wait"})));
        CHECK(eventually([&] { return count() == 12 * branches; }));
        if (branches > 0)
            for (const auto& process : many) CHECK(process.held() == one->held());
    }
    // Those that wait for jobs have theirs too.
    Spec job = spec({"exit", "0"});
    job.spares = 3;
    supervise(one->launch(job), {});
    CHECK(eventually([&] { return count() == 3 * branches; }));
    one.reset();
    CHECK(groups_of(helper).empty());
}

TEST_CASE("kill -9 of the server leaves no group, and what kill -9 of the helper leaves is swept") {
    root();
    // On version 2, the first start may move this process; the next ones are then below that place.
    const bool grouped = spawner().held().memory == Keeper::kernel;
    for (const bool kill_server : {false, true}) {
        base::Pipe news = base::make_pipe();
        const pid_t server = fork_server([&] {
            const Spawner one = Spawner::start();
            const Process process = running(one, spec({"immortal"}));
            const pid_t helper = one.pid();
            base::write_all(news.write.get(),
                            std::string(reinterpret_cast<const char*>(&helper), sizeof helper));
            for (;;) ::pause();
            return 0;
        });
        pid_t helper = 0;
        REQUIRE(::read(news.read.get(), &helper, sizeof helper) == sizeof helper);
        CHECK((!groups_of(helper).empty() || !grouped));
        REQUIRE(::kill(kill_server ? server : helper, SIGKILL) == 0);
        CHECK(eventually([&] { return is_dead(helper); }));
        if (kill_server) {
            // The helper saw it, and tidied up by itself.
            ::waitpid(server, nullptr, 0);
            CHECK(groups_of(helper).empty());
            continue;
        }
        end(server);  // the helper was its child, and is gone for good with it
        CHECK(eventually([&] {
            const Spawner next = Spawner::start();
            return groups_of(helper).empty();
        }));
    }
}

TEST_CASE("a delegated tree is enough for an ordinary user") {
    // What an administrator, or systemd with Delegate=yes, would prepare.
    const auto place = own_place("memory");
    if (!place || ::getuid() != 0) return;
    const std::string top = place->folder + "/oauth3test-" + std::to_string(::getpid());
    REQUIRE(::mkdir(top.c_str(), 0755) == 0);
    for (const char* file : {"", "/cgroup.procs", "/tasks"})
        REQUIRE(::chown((top + file).c_str(), 12345, 12345) == 0);
    const std::string told = as_user(
        [&] {
            const Spawner one = Spawner::start();
            Spec job = spec({"eat", "256"});
            job.limits.memory_bytes = 64 * kMegabyte;
            const Exit result = supervise(one.launch(job), {});
            return std::string(to_string(one.held().memory)) + " " +
                   std::string(to_string(result.held.memory)) + " " +
                   (result.ending == Ending::memory ? "memory" : "another end") + " " +
                   (result.usage.peak_memory_bytes <= 64 * kMegabyte ? "held" : "not held");
        },
        [&] { write_file(top + "/cgroup.procs", "0"); });
    CHECK(told == "kernel kernel memory held");
    CHECK(eventually([&] { return ::rmdir(top.c_str()) == 0; }));
}
