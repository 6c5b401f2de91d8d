// The server dies, or the disk is full, at any moment: what is in the folder afterwards is right.
#include "base/files.h"
#include "fixture.h"
#include "support/catch.h"

#include <sched.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <functional>

using namespace oauth3::store;
using namespace oauth3::test;
using oauth3::policy::Kind;
using oauth3::policy::Status;

namespace {

using Texts = std::vector<std::string>;

/// Called between any two steps of the work.
using Hook = std::function<void()>;

/// One request from its arrival to its end, and one that is denied.
void live(Database& database, const Hook& hook, const std::string& code = "code()") {
    Requests requests(database);
    const auto step = [&](const std::function<void(Transaction&)>& work) {
        hook();
        Transaction tx(database);
        hook();
        work(tx);
        hook();
        tx.commit();
        hook();
    };
    const auto move = [&](RequestRow& row, Status to) {
        step([&](Transaction& tx) {
            requests.transition(tx, row, to, kNow, change_to(to));
            hook();
            if (to == Status::completed) requests.insert_result(tx, row.id, {});
        });
    };
    RequestRow row = new_request(Kind::execute, code);
    step([&](Transaction& tx) { requests.insert(tx, row, code); });
    RequestRow other = new_request(Kind::execute, code);
    step([&](Transaction& tx) { requests.insert(tx, other, code); });
    move(row, Status::approved);
    move(other, Status::denied);
    move(row, Status::executing);
    move(row, Status::completed);
}

/// Runs `work` in a child process. Its exit status, or 1000 + the signal that ended it.
int in_child(const std::function<int()>& work) {
    const pid_t child = ::fork();
    if (child == 0) {
        int code = 99;
        try {
            code = work();
        } catch (const std::exception& error) {
            fmt::print(stderr, "child: {}\n", error.what());
        }
        ::_exit(code);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

constexpr int kKilled = 1000 + SIGKILL;

/// Kills this very process the n-th time it is called.
Hook killer(int n) {
    return [n, calls = 0]() mutable {
        if (++calls == n) ::kill(::getpid(), SIGKILL);
    };
}

void write_text(const char* path, const std::string& text) {
    std::ofstream(path) << text;
}

/// A file system of our own with `size`, on `folder`; only this process sees it.
bool mount_small(const std::filesystem::path& folder, const char* size) {
    const auto uid = ::getuid(), gid = ::getgid();
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    write_text("/proc/self/setgroups", "deny");
    write_text("/proc/self/uid_map", fmt::format("{} {} 1", uid, uid));
    write_text("/proc/self/gid_map", fmt::format("{} {} 1", gid, gid));
    return ::mount("none", folder.c_str(), "tmpfs", 0, size) == 0;
}

/// 0 if a full disk led to an exception, nothing is torn, and all goes on once `make_room` was
/// called.
int fill_up(const std::filesystem::path& folder, const std::function<void()>& make_small,
            const std::function<void()>& make_room) {
    Database database(folder);
    add_principals(database);
    make_small();
    int rounds = 0;
    bool refused = false;
    for (; rounds < 1000 && !refused; ++rounds) {
        try {
            live(
                database, [] {}, std::string(20'000, 'x') + std::to_string(rounds));
        } catch (const std::exception&) {
            refused = true;
        }
    }
    if (!refused) return 1;
    if (rounds < 2) return 2;
    if (contradictions(database) != Texts{}) return 3;
    make_room();
    live(database, [] {});
    return contradictions(database) == Texts{} ? 0 : 4;
}

}  // namespace

TEST_CASE("killed between any two steps, the store is consistent afterwards") {
    const TemporaryFolder folder;
    int deaths = 0;
    for (int step = 1; step < 100; ++step) {
        const int ended = in_child([&] {
            Database database(folder.path());
            if (!Principals(database).first_owner()) add_principals(database);
            live(database, killer(step));
            return 0;
        });
        Database database(folder.path());
        CHECK(contradictions(database) == Texts{});
        if (ended == 0) break;
        REQUIRE(ended == kKilled);
        ++deaths;
    }
    CHECK(deaths == 28);  // four hooks in each of six steps, one more in the four transitions
}

TEST_CASE("killed within a statement, the store is consistent afterwards") {
    const TemporaryFolder folder;
    {
        Database database(folder.path());
        add_principals(database);
    }
    int deaths = 0;
    for (int round = 0; round < 60; ++round) {
        const int ended = in_child([&] {
            Database database(folder.path());
            // Calls back after each instruction of SQLite's virtual machine.
            static int left = 0;
            left = 1 + round * 37;
            sqlite3_progress_handler(
                database.sqlite().getHandle(), 1,
                [](void*) {
                    if (--left == 0) ::kill(::getpid(), SIGKILL);
                    return 0;
                },
                nullptr);
            live(database, [] {});
            return 0;
        });
        if (ended == kKilled) ++deaths;
        CHECK((ended == 0 || ended == kKilled));
        Database database(folder.path());
        CHECK(contradictions(database) == Texts{});
    }
    CHECK(deaths > 10);
}

TEST_CASE(
    "killed from outside at any moment, the store is consistent and keeps what was committed") {
    const TemporaryFolder folder;
    {
        Database database(folder.path());
        add_principals(database);
    }
    std::size_t before = 0;
    for (int round = 0; round < 50; ++round) {
        auto pipe = oauth3::base::make_pipe();
        const pid_t child = ::fork();
        if (child == 0) {
            Database database(folder.path());
            for (;;) live(database, [&] { oauth3::base::write_all(pipe.write.get(), "x"); });
        }
        pipe.write.reset();
        // Each byte is one step; kill somewhere behind the n-th.
        for (int n = 0; n < 1 + round * 3; ++n) {
            char byte = 0;
            REQUIRE(::read(pipe.read.get(), &byte, 1) == 1);
        }
        ::kill(child, SIGKILL);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE(WIFSIGNALED(status));
        Database database(folder.path());
        CHECK(contradictions(database) == Texts{});
        ListFilter all;
        all.limit = 100'000;
        const std::size_t now = Requests(database).list(kOwner, all).size();
        CHECK(now >= before);
        before = now;
    }
    CHECK(before > 50);
}

TEST_CASE("killed while the folder is made, the next start makes it whole") {
    for (int step = 1; step <= 40; ++step) {
        const TemporaryFolder folder;
        in_child([&] {
            // Limits the number of bytes of each file, so that any write may be the last one.
            const struct rlimit limit {
                static_cast<rlim_t>(step * 1500), static_cast<rlim_t>(step * 1500)
            };
            ::setrlimit(RLIMIT_FSIZE, &limit);
            ::signal(SIGXFSZ, SIG_DFL);
            const Database database(folder.path());
            return 0;
        });
        Database database(folder.path());
        add_principals(database);
        live(database, [] {});
        CHECK(contradictions(database) == Texts{});
    }
}

TEST_CASE("a full disk is an exception, and nothing is torn") {
    const TemporaryFolder folder;
    const int ended = in_child([&] {
        if (!mount_small(folder.path(), "size=1m")) return 50;
        const auto ballast = folder / "ballast";
        return fill_up(
            folder.path() / "data",
            [&] { oauth3::base::write_private_file(ballast, std::string(300'000, 'b')); },
            [&] { std::filesystem::remove(ballast); });
    });
    INFO("50: a file system of the test's own could not be mounted in a user namespace");
    CHECK(ended == 0);
}

TEST_CASE("a file that may not grow is an exception, and nothing is torn") {
    const TemporaryFolder folder;
    const int ended = in_child([&] {
        ::signal(SIGXFSZ, SIG_IGN);
        const auto limit_to = [](rlim_t bytes) {
            const struct rlimit limit { bytes, RLIM_INFINITY };
            ::setrlimit(RLIMIT_FSIZE, &limit);
        };
        return fill_up(
            folder.path() / "data", [&] { limit_to(600'000); }, [&] { limit_to(RLIM_INFINITY); });
    });
    CHECK(ended == 0);
}
