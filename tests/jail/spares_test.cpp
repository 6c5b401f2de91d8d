// Jails that are made ahead of their jobs: that they are used, are what a new one is, and that none
// is used for what it was not made for.
#include "base/error.h"
#include "base/files.h"
#include "jail/fixture.h"
#include "support/catch.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <optional>

using namespace oauth3;
using namespace oauth3::jail;
using namespace oauth3::jail::test;
namespace fs = std::filesystem;

namespace {

/// A helper of its own for each test, at rest with its first spares.
class Scene {
  public:
    explicit Scene(Spec first) : spawner_(Spawner::start()), spares_(first.spares) {
        supervise(spawner_->launch(first), {});
        REQUIRE(come_to_rest());
    }

    bool come_to_rest() const { return jail::test::come_to_rest(*spawner_, spares_); }

    std::vector<pid_t> children() const { return children_of(spawner_->pid()); }

    /// Runs it; `was_spare` tells whether the jail was there before.
    Exit run(const Spec& job) {
        const std::vector<pid_t> before = children();
        Process process = spawner_->launch(job);
        was_spare = std::count(before.begin(), before.end(), process.pid()) == 1;
        return supervise(std::move(process), {});
    }

    /// Whether one run out of some, each at rest, was given a spare jail.
    bool uses_spares(const Spec& job) {
        return eventually([&] {
            if (!come_to_rest()) return false;
            run(job);
            return was_spare;
        });
    }

    Spawner& spawner() { return *spawner_; }
    void end() { spawner_.reset(); }
    void expect(std::size_t spares) { spares_ = spares; }

    bool was_spare = false;

  private:
    std::optional<Spawner> spawner_;
    std::size_t spares_;
};

Spec with_spares(std::vector<std::string> words, std::uint64_t spares = 2) {
    Spec made = spec(std::move(words));
    made.spares = spares;
    return made;
}

}  // namespace

TEST_CASE("a job is given a jail that waits, and another one takes its place") {
    Scene scene(with_spares({"exit", "0"}));
    for (int i = 0; i < 5; ++i) {
        const std::string word = std::to_string(i);
        CHECK(scene.uses_spares(with_spares({"echo", word})));
        const Exit exit = scene.run(with_spares({"echo", word}));
        CHECK(exit.out == word);
        CHECK(exit.setup_error == "");
    }
    CHECK(scene.come_to_rest());
    scene.end();
}

TEST_CASE("a jail that waited is what a new one is") {
    Scene scene(with_spares({"exit", "0"}));
    for (const char* word : {"fds", "identity", "env", "limits", "interfaces", "list"}) {
        Spec job = with_spares({word});
        if (job.argv.back() == "list") job.argv.push_back("/tmp");
        job.environment = {{"A", word}};
        job.files = {{"a/b", "text"}};
        job.cwd = "/tmp/a";
        job.cpu_seconds = 7;
        Exit waited;
        REQUIRE(eventually([&] {
            REQUIRE(scene.come_to_rest());
            waited = scene.run(job);
            return scene.was_spare;
        }));
        job.spares = 0;
        const Exit made = supervise(scene.spawner().launch(job), {});
        INFO(word);
        CHECK(made.status == 0);
        CHECK(waited.status == made.status);
        CHECK(waited.out == made.out);
        CHECK(waited.held == made.held);
    }
}

TEST_CASE("a run finds nothing of the one before it") {
    Scene scene(with_spares({"exit", "0"}));
    for (int i = 0; i < 6; ++i) {
        // Waiting and new ones in turn.
        const std::uint64_t spares = i % 2 == 0 ? 2 : 0;
        for (const std::string folder : {"/tmp", "/dev/shm"}) {
            if (spares > 0) REQUIRE(scene.come_to_rest());
            CHECK(scene.run(with_spares({"list", folder}, spares)).out == "");
            CHECK(scene.run(with_spares({"write", folder + "/left"}, spares)).out == "ok\n");
        }
    }
}

TEST_CASE("a jail that waits holds nothing and may do nothing") {
    Scene scene(with_spares({"exit", "0"}, 1));
    const pid_t spare = scene.children().at(0);
    CHECK(status_line(spare, "NoNewPrivs") == "1");
    CHECK(status_line(spare, "Seccomp") == "2");
    for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
        CHECK(status_line(spare, set) == "0000000000000000");
    if (::geteuid() != 0) return;  // it cannot be looked into
    std::vector<std::string> open;
    for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(spare) + "/fd"))
        open.push_back(fs::read_symlink(entry.path()).native());
    std::sort(open.begin(), open.end());
    REQUIRE(open.size() == 5);
    for (int i = 0; i < 4; ++i) CHECK(open[static_cast<std::size_t>(i)] == "/dev/null");
    CHECK(open[4].starts_with("socket:"));  // the line to the helper
}

TEST_CASE("a jail that waits is for no job of another kind") {
    Scene scene(with_spares({"exit", "0"}, 1));
    const std::vector<std::function<void(Spec&)>> changes{
        [](Spec& job) { job.hostname = "other"; },
        [](Spec& job) { job.tmp_bytes = 1 << 20; },
        [](Spec& job) {
            job.mounts = {{"/usr", "/extra"}};
        },
        [](Spec& job) { job.syscalls = SyscallProfile::shell; },
        [](Spec& job) { job.without.landlock = true; },
        [](Spec& job) { job.without.syscall_filter = true; },
        [](Spec& job) { job.limits.open_files = 99; },
        [](Spec& job) { job.limits.processes = 99; },
        [](Spec& job) { job.limits.file_bytes = 1 << 20; },
        [](Spec& job) { job.limits.locked_bytes = 4096; },
        [](Spec& job) { job.limits.memory_bytes = 64 << 20; },
        [](Spec& job) { job.limits.cpu_weight = 10; },
        [](Spec& job) { job.limits.tmp_inodes = 100; },
    };
    for (std::size_t i = 0; i < changes.size(); ++i) {
        Spec job = with_spares({"echo", "x"}, 1);
        changes[i](job);
        INFO(i);
        CHECK(scene.run(job).out == "x");
        CHECK_FALSE(scene.was_spare);
        scene.expect(std::min<std::size_t>(i + 2, 4));
        CHECK(scene.uses_spares(with_spares({"exit", "0"}, 1)));
    }
}

TEST_CASE("of many kinds, spares are kept for those used last") {
    Scene scene(with_spares({"exit", "0"}, 1));
    for (int i = 0; i < 6; ++i) {
        Spec job = with_spares({"exit", "0"}, 1);
        job.hostname = "kind" + std::to_string(i);
        scene.run(job);
        CHECK_FALSE(scene.was_spare);
        scene.expect(static_cast<std::size_t>(std::min(i + 2, 4)));
        CHECK(scene.come_to_rest());
    }
    Spec job = with_spares({"exit", "0"}, 1);
    for (int i = 5; i >= 2; --i) {
        job.hostname = "kind" + std::to_string(i);
        CHECK(scene.uses_spares(job));
    }
    job.hostname = "kind0";
    scene.run(job);
    CHECK_FALSE(scene.was_spare);
}

TEST_CASE("a root that was replaced is seen by the next job") {
    Folder folder;
    const fs::path top = copy_root(folder.path());
    Spec job = with_spares({"read", "/open"}, 1);
    job.root = top;
    Scene scene(job);
    CHECK(scene.uses_spares(job));
    CHECK(scene.come_to_rest());
    fs::rename(top, folder.path() / "old");
    copy_root(folder.path());
    base::write_private_file(top / "open", "new");
    fs::permissions(top / "open", fs::perms(0644));
    CHECK(scene.run(job).out == "new");
    CHECK_FALSE(scene.was_spare);
    CHECK(scene.uses_spares(job));
}

TEST_CASE("what cannot be made is told to the next job, and not tried for ever") {
    Folder folder;
    const fs::path top = copy_root(folder.path());
    Spec job = with_spares({"exit", "0"}, 2);
    job.root = top;
    Scene scene(job);
    fs::rename(top, folder.path() / "old");
    const Exit exit = scene.run(job);
    CHECK(exit.ending == Ending::setup_failed);
    CHECK(exit.setup_error.find("bind " + top.native()) != std::string::npos);
    // What was made of the old one is thrown away, and none comes in its place.
    // The helper tries once more in the next quiet moment, and that is all.
    CHECK(eventually([&] {
        for (int i = 0; i < 20'000; ++i)
            if (!scene.children().empty()) return false;
        return true;
    }));
    fs::rename(folder.path() / "old", top);
    CHECK(scene.run(job).ending == Ending::exited);
    CHECK(scene.uses_spares(job));
}

TEST_CASE("a job that fails before its program starts says so from a jail that waited, too") {
    Scene scene(with_spares({"exit", "0"}, 1));
    Spec job = with_spares({"exit", "0"}, 1);
    job.files = {{"big", std::string(std::size_t{65} << 20, 'x')}};
    Exit exit;
    CHECK(eventually([&] {
        REQUIRE(scene.come_to_rest());
        exit = scene.run(job);
        return scene.was_spare;
    }));
    CHECK(exit.ending == Ending::setup_failed);
    CHECK(exit.setup_error == "the input is larger than the limit");
}

TEST_CASE("a jail that dies while it waits costs nothing but itself") {
    Scene scene(with_spares({"exit", "0"}));
    for (int i = 0; i < 10; ++i) {
        REQUIRE(scene.come_to_rest());
        const std::vector<pid_t> spares = scene.children();
        for (const pid_t pid : spares) ::kill(pid, SIGKILL);
        for (const pid_t pid : spares) REQUIRE(eventually([&] { return is_dead(pid); }));
        const Exit exit = scene.run(with_spares({"echo", "x"}));
        CHECK(exit.setup_error == "");
        CHECK(exit.out == "x");
    }
}

TEST_CASE("jails that wait end with the helper, however it ends") {
    Scene scene(with_spares({"exit", "0"}));
    std::vector<pid_t> spares = scene.children();
    scene.end();
    for (const pid_t pid : spares) CHECK(is_dead(pid));

    Scene other(with_spares({"exit", "0"}));
    spares = other.children();
    REQUIRE(::kill(other.spawner().pid(), SIGKILL) == 0);
    for (const pid_t pid : spares) CHECK(eventually([&] { return is_dead(pid); }));
    other.end();
    const Spawner next = Spawner::start();  // sweeps what it left
}

TEST_CASE("jails that wait give way when places run out") {
    Scene scene(with_spares({"exit", "0"}, kMaxSpares));
    Spec job = spec({"wait"});
    job.hostname = "other";  // so that it cannot use those that wait
    rlimit files{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &files) == 0);
    if (files.rlim_max < kMaxJails * 6) return;
    files.rlim_cur = files.rlim_max;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &files) == 0);
    std::vector<Process> all;
    for (unsigned i = 0; i < kMaxJails; ++i) all.push_back(scene.spawner().launch(job));
    CHECK(scene.children().size() == kMaxJails);
    try {
        all.push_back(scene.spawner().launch(job));
        FAIL("there was a place too many");
    } catch (const base::Error& error) {
        CHECK(error.code() == "jail_busy");
    }
}
