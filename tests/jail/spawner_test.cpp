// The helper that starts jails: that it holds nothing, leaves nothing and ends in time.
#include "jail/spawner.h"

#include "base/error.h"
#include "base/files.h"
#include "jail/fixture.h"
#include "jail/host_ids.h"
#include "support/catch.h"

#include <fcntl.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <thread>

using namespace oauth3;
using namespace oauth3::jail;
using namespace oauth3::jail::test;
namespace fs = std::filesystem;

namespace {

std::string code_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const base::Error& error) {
        return error.code();
    }
    return "no error";
}

std::size_t descriptors_of(pid_t pid) {
    const fs::directory_iterator all("/proc/" + std::to_string(pid) + "/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

}  // namespace

TEST_CASE("a job that no jail can be made of is refused before anything starts") {
    const auto refused = [](const std::function<void(Spec&)>& change) {
        Spec job = spec({"exit", "0"});
        change(job);
        return code_of([&] { spawner().launch(job); }) == "bad_job";
    };
    CHECK(refused([](Spec& job) { job.argv.clear(); }));
    CHECK(refused([](Spec& job) { job.argv[0] = "hostile"; }));
    CHECK(refused([](Spec& job) { job.argv.push_back(std::string("a\0b", 3)); }));
    CHECK(refused([](Spec& job) { job.root = "root"; }));
    CHECK(refused([](Spec& job) { job.cwd = ""; }));
    CHECK(refused([](Spec& job) { job.environment = {{"A=B", "c"}}; }));
    CHECK(refused([](Spec& job) { job.environment = {{"", "c"}}; }));
    CHECK(refused([](Spec& job) { job.environment = {{"A", std::string("x\0", 2)}}; }));
    CHECK(refused([](Spec& job) { job.tmp_bytes = 0; }));  // to tmpfs, no limit
    CHECK(refused([](Spec& job) { job.limits.tmp_inodes = 0; }));
    CHECK(refused([](Spec& job) { job.limits.open_files = 15; }));
    CHECK(refused([](Spec& job) { job.limits.memory_bytes = 0; }));
    CHECK(refused([](Spec& job) { job.limits.processes = 0; }));
    for (const char* path : {"/etc/x", "../x", "a/../../x", "", "a/", "./x"})
        CHECK(refused([&](Spec& job) { job.files = {{path, "x"}}; }));
    CHECK_FALSE(refused([](Spec& job) { job.files = {{"a/b..c/.d", "x"}}; }));
}

TEST_CASE("a spawner is not started beside other threads") {
    base::Pipe pipe = base::make_pipe();
    std::thread other([&] {
        char byte = 0;
        CHECK(::read(pipe.read.get(), &byte, 1) == 0);
    });
    CHECK(code_of([] { Spawner::start(); }) == "not_single_threaded");
    pipe.write.reset();
    other.join();
}

TEST_CASE("the helper holds nothing of the server") {
    root();
    const int leaked = ::open("/etc/passwd", O_RDONLY);  // not close-on-exec
    REQUIRE(leaked >= 0);
    const Spawner one = Spawner::start();
    const Exit result = supervise(one.launch(spec({"fds"})), {});
    CHECK(result.out == "0\n1\n2\n");
    CHECK(eventually([&] { return descriptors_of(one.pid()) == 4; }));  // 0 to 2 and the socket
    CHECK(status_line(one.pid(), "Name") == "oauth3-spawner");
    // An ordinary user cannot give up the groups of its log-in.
    if (::getuid() == 0 || ::getgroups(0, nullptr) == 0)
        CHECK(status_line(one.pid(), "Groups").find_first_not_of(" ") == std::string::npos);
    ::close(leaked);
}

TEST_CASE("keys of the server's session do not reach a jail") {
    root();
    // In a child, so that this test program keeps the keyring that it has.
    const pid_t server = fork_server([&] {
        const bool made =
            ::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) >= 0 &&
            ::syscall(SYS_add_key, "user", "oauth3-test", "x", 1, KEY_SPEC_SESSION_KEYRING) >= 0;
        const Spawner one = Spawner::start();
        Spec job = spec({"find-key"});
        const Exit filtered = supervise(one.launch(job), {});
        job.without.syscall_filter = true;
        const Exit unfiltered = supervise(one.launch(job), {});
        const bool hidden = filtered.out == "EPERM\n" && unfiltered.out == "ENOKEY\n";
        const bool shown = outside({"find-key"}) == "ok\n";
        return (made ? 1 : 0) | (hidden ? 2 : 0) | (shown ? 4 : 0);
    });
    int wait_status = 0;
    REQUIRE(::waitpid(server, &wait_status, 0) == server);
    CHECK(WEXITSTATUS(wait_status) == 7);
}

TEST_CASE("a machine without user namespaces is told with cause and mend") {
    root();
    base::Pipe news = base::make_pipe();
    const pid_t server = fork_server([&] {
        // In a user namespace of its own, what is switched off is switched off for it alone.
        std::string told = "set-up";
        const uid_t uid = ::geteuid();
        try {
            if (::unshare(CLONE_NEWUSER) == 0) {
                const auto put = [](const char* path, const std::string& text) {
                    const base::Fd fd(::open(path, O_WRONLY | O_CLOEXEC));
                    base::write_all(fd.get(), text);
                };
                put("/proc/self/uid_map", "0 " + std::to_string(uid) + " 1");
                put("/proc/sys/user/max_user_namespaces", "0");
                const Spawner one = Spawner::start();
                const Process process = one.launch(spec({"exit", "0"}));
                told = "started";
            }
        } catch (const base::Error& error) {
            told = error.code() + "|" + error.what() + "|" + error.hint();
        }
        base::write_all(news.write.get(), told);
        return 0;
    });
    news.write.reset();
    const std::string told = base::read_all(news.read.get(), 4096);
    ::waitpid(server, nullptr, 0);
    CHECK(told ==
          "jail_unavailable|cannot start a jail: make namespaces: No space left on device|user "
          "namespaces are switched off: sysctl user.max_user_namespaces=10000");
}

TEST_CASE("signals of the terminal do not end the helper") {
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP})
        REQUIRE(::kill(spawner().pid(), number) == 0);
    CHECK(::getsid(spawner().pid()) == spawner().pid());
    const Exit result = probe({"signal", std::to_string(SIGINT)});
    CHECK(result.signal == SIGINT);  // what the helper ignores, its jails do not
}

TEST_CASE("jails die with the helper, and a launch then says so") {
    const Spawner one = Spawner::start();
    Process process = running(one, spec({"immortal"}));
    const std::vector<pid_t> lives = tree_of(process);
    REQUIRE(lives.size() == 3);
    REQUIRE(::kill(one.pid(), SIGKILL) == 0);
    process.wait_until_dead();
    for (const pid_t pid : lives) CHECK(is_dead(pid));
    CHECK(supervise(std::move(process), {}).ending == Ending::signalled);
    CHECK(code_of([&] { one.launch(spec({"exit", "0"})); }) == "spawner_gone");
    const Spawner next = Spawner::start();  // sweeps what it left
}

TEST_CASE("the helper ends with the server's end of the socket, and its jails with it") {
    std::optional<Spawner> one = Spawner::start();
    const pid_t helper = one->pid();
    const Process process = running(*one, spec({"immortal"}));
    const std::vector<pid_t> lives = tree_of(process);
    one.reset();
    CHECK(is_dead(helper));
    for (const pid_t pid : lives) CHECK(is_dead(pid));
}

TEST_CASE("kill -9 of the server ends the helper and its jails") {
    root();
    base::Pipe news = base::make_pipe();
    const pid_t server = fork_server([&] {
        const Spawner one = Spawner::start();
        const Process process = running(one, spec({"immortal"}));
        std::vector<pid_t> pids = tree_of(process);
        pids.push_back(one.pid());
        [[maybe_unused]] const ssize_t written =
            ::write(news.write.get(), pids.data(), pids.size() * sizeof(pid_t));
        for (;;) ::pause();
        return 0;
    });
    std::array<pid_t, 16> pids{};
    const ssize_t size = ::read(news.read.get(), pids.data(), sizeof pids);
    REQUIRE(size == 4 * sizeof(pid_t));
    for (std::size_t i = 0; i < 4; ++i) CHECK_FALSE(is_dead(pids[i]));
    REQUIRE(::kill(server, SIGKILL) == 0);
    ::waitpid(server, nullptr, 0);
    for (std::size_t i = 0; i < 4; ++i) CHECK(eventually([&] { return is_dead(pids[i]); }));
}

TEST_CASE("jails start from eight threads at once") {
    const Spawner& one = spawner();
    root();
    std::vector<std::thread> threads;
    std::array<int, 8> right{};
    for (std::size_t t = 0; t < right.size(); ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 10; ++i) {
                const std::string text = std::to_string(t) + "." + std::to_string(i);
                const Exit result = supervise(one.launch(spec({"echo", text})), {});
                if (result.ending == Ending::exited && result.out == text) ++right[t];
            }
        });
    for (auto& thread : threads) thread.join();
    for (const int count : right) CHECK(count == 10);
}

TEST_CASE("200 runs leave no process, descriptor or mount") {
    probe({"exit", "0"});
    REQUIRE(eventually([] { return children_of(spawner().pid()).empty(); }));
    const std::size_t ours = descriptors_of(::getpid());
    const std::string mounts = base::read_file("/proc/self/mountinfo");
    for (int i = 0; i < 200; ++i) {
        const std::string kind = i % 3 == 0 ? "daemon" : i % 3 == 1 ? "exit" : "orphans";
        CHECK(probe({kind, "0"}).ending == Ending::exited);
    }
    CHECK(descriptors_of(::getpid()) == ours);
    CHECK(eventually([] { return children_of(spawner().pid()).empty(); }));
    CHECK(eventually([] { return descriptors_of(spawner().pid()) == 4; }));
    CHECK(base::read_file("/proc/self/mountinfo") == mounts);
    CHECK(base::read_file("/proc/" + std::to_string(spawner().pid()) + "/mountinfo") == mounts);
    // A program that never started leaves nothing either.
    Spec job = spec({"exit", "0"});
    job.root = "/missing";
    for (int i = 0; i < 20; ++i) CHECK(run(job).ending == Ending::setup_failed);
    CHECK(descriptors_of(::getpid()) == ours);
    CHECK(eventually([] { return descriptors_of(spawner().pid()) == 4; }));
}

TEST_CASE("a server without descriptors to spare gets an error, and no jail runs unwatched") {
    const Spawner one = Spawner::start();
    const Spec job = spec({"wait"});
    // UBSan looks at the types of exceptions through a pipe when it first sees them.
    CHECK_THROWS_AS(base::throw_errno("an error"), base::SystemError);
    CHECK_THROWS_AS(throw base::Error("an", "error"), base::Error);
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    rlimit few = before;
    // Room for all that a launch makes itself, but not for the pidfd that comes back.
    const base::Fd next(::dup(0));
    few.rlim_cur = static_cast<rlim_t>(next.get()) + 1;
    for (rlim_t extra = 0; extra < 12; ++extra) {
        rlimit now = few;
        now.rlim_cur = few.rlim_cur + extra;
        REQUIRE(::setrlimit(RLIMIT_NOFILE, &now) == 0);
        std::string code = "no error";
        try {
            const Process process = one.launch(job);
        } catch (const base::Error& error) {
            code = error.code();
        }
        REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
        CHECK((code == "system" || code == "no error"));
        CHECK(eventually([&] { return children_of(one.pid()).empty(); }));
    }
}

TEST_CASE("a jail that cannot be made takes no other's clock away") {
    // UBSan looks at the types of exceptions through a pipe when it first sees them.
    try {
        base::throw_errno("an error");
    } catch (const base::SystemError& error) {
        CHECK(std::string(error.what()).starts_with("an error"));
        CHECK(error.number() >= 0);
    }
    const Spec endless = spec({"wait"});
    SuperviseOptions options;
    options.deadline = std::chrono::milliseconds(300);
    for (rlim_t files = 10; files < 34; ++files) {
        const Spawner one = Spawner::start();
        Process first = one.launch(endless);
        // The helper has room for some of the next jail's descriptors, or for all but one.
        const rlimit few{files, files};
        REQUIRE(::prlimit(one.pid(), RLIMIT_NOFILE, &few, nullptr) == 0);
        std::optional<Process> second;
        try {
            second.emplace(one.launch(endless));
        } catch (const base::Error&) {
            // It is told.
        }
        INFO(files);
        CHECK(supervise(std::move(first), options).ending == Ending::deadline);
        if (second) {
            const Exit exit = supervise(std::move(*second), options);
            CHECK((exit.ending == Ending::deadline || exit.ending == Ending::signalled ||
                   exit.ending == Ending::setup_failed));
        }
    }
}

TEST_CASE("host ids come from a range of their own, or else from what there is") {
    const auto all = choose_host_ids(0, 0, "         0          0 4294967295\n");
    CHECK(all.separate);
    CHECK(all.uid == kFirstHostId);
    const auto user = choose_host_ids(1000, 100, "         0          0 4294967295\n");
    CHECK_FALSE(user.separate);
    CHECK(user.uid == 1000);
    CHECK(user.gid == 100);
    const auto container = choose_host_ids(0, 0, "0 1000 1\n1 100000 65536\n");
    CHECK(container.separate);
    CHECK(container.uid == 65537 - kMaxJails);
    for (const char* map : {"0 1000 1\n", "", "nonsense", "0 100000 5000\n"}) {
        const auto own = choose_host_ids(0, 0, map);
        CHECK_FALSE(own.separate);
        CHECK(own.uid == 0);
    }
}
