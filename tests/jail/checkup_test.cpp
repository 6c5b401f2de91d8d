// The check-up: what it says of this machine, and that it sees what is missing.
#include "jail/checkup.h"

#include "base/files.h"
#include "jail/fixture.h"
#include "jail/host_ids.h"
#include "jail/landlock.h"
#include "support/catch.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>

using namespace oauth3;
using namespace oauth3::jail;
using namespace oauth3::jail::test;

namespace {

std::map<std::string, Verdict> verdicts(const CheckUp& found) {
    std::map<std::string, Verdict> out;
    for (const Finding& finding : found.findings) {
        INFO(finding.name << ": " << finding.seen);
        CHECK_FALSE(finding.seen.empty());
        CHECK(out.emplace(finding.name, finding.verdict).second);
    }
    return out;
}

}  // namespace

TEST_CASE("a check-up finds that every protection holds, and who holds the limits") {
    const CheckUp found = check_up(spawner());
    const auto of = verdicts(found);
    std::string all;
    for (const Finding& finding : found.findings)
        all += finding.name + " " + std::string(to_string(finding.verdict)) + ": " + finding.seen +
               "; " + finding.mend + "\n";
    INFO(all);
    for (const char* name : {"sandbox", "files", "processes", "network", "namespaces", "privileges",
                             "system-calls", "disk", "tasks", "deadline"}) {
        INFO(name);
        REQUIRE(of.count(name) == 1);
        CHECK(of.at(name) == Verdict::yes);
    }
    const Verdict files_and_tcp =
        landlock::abi() >= landlock::kTcp ? Verdict::yes : Verdict::weaker;
    CHECK(of.at("landlock") == files_and_tcp);
    CHECK(of.at("user") == (spawner().has_separate_ids() ? Verdict::yes : Verdict::weaker));
    if (::getuid() == 0) CHECK(spawner().has_separate_ids());
    const bool kernel = spawner().held().memory == Keeper::kernel;
    CHECK(of.at("memory") == (kernel ? Verdict::yes : Verdict::watch));
    CHECK_FALSE(found.without.landlock);
    CHECK_FALSE(found.without.syscall_filter);
}

TEST_CASE("a layer that is not there is found missing, and the others are found all the same") {
    const auto no_landlock =
        verdicts(check_up(spawner(), {.landlock = true, .syscall_filter = false}));
    CHECK(no_landlock.at("landlock") == Verdict::no);
    CHECK(no_landlock.at("system-calls") == Verdict::yes);
    CHECK(no_landlock.at("files") == Verdict::yes);
    CHECK(no_landlock.at("network") == Verdict::yes);

    const auto no_filter =
        verdicts(check_up(spawner(), {.landlock = false, .syscall_filter = true}));
    CHECK(no_filter.at("system-calls") == Verdict::no);
    CHECK(no_filter.at("landlock") != Verdict::no);
    CHECK(no_filter.at("privileges") == Verdict::yes);
}

TEST_CASE("subordinate ids are read from the files of the machine, for a name or a number") {
    const std::string passwd = "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/:/bin/sh\nbroken\n";
    const auto of = [&](const std::string& subids) {
        return subordinate_ids(subids, passwd, 1000);
    };
    CHECK(of("bob:100000:65536\nann:165536:65536\n") == 165536U);
    CHECK(of("1000:300000:65536") == 300000U);
    CHECK(of("ann:165536:511\n") == std::nullopt);
    CHECK(of("ann:165536:511\nann:400000:512\n") == 400000U);
    CHECK(of("ann:0:65536\n") == std::nullopt);
    CHECK(of("ann:4294967000:65536\n") == std::nullopt);
    CHECK(of("ann:99999999999999999999:65536\n") == std::nullopt);
    CHECK(of("ann:x:65536\nann\n:::\n\nann:1:2:3\n") == std::nullopt);
    CHECK(of("") == std::nullopt);
}

TEST_CASE("an ordinary user with subordinate ids has separate users for its jails") {
    if (::getuid() != 0 || ::access("/usr/bin/newuidmap", X_OK) != 0) {
        SUCCEED("only root can give itself to be a user with other files in /etc");
        return;
    }
    root();
    const Folder folder;
    const pid_t server = fork_server([&] {
        // In a mount namespace of its own, so that the machine's files stay as they are.
        constexpr uid_t kUser = 51234;
        base::write_private_file(folder.path() / "passwd", "ann:x:51234:51234::/:/bin/sh\n");
        base::write_private_file(folder.path() / "ids", "ann:700000:65536\n");
        for (const char* name : {"passwd", "ids"})
            std::filesystem::permissions(folder.path() / name, std::filesystem::perms(0644));
        if (::unshare(CLONE_NEWNS) != 0 ||
            ::mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr) != 0)
            return 1;
        for (const auto& [name, path] :
             {std::pair("passwd", "/etc/passwd"), std::pair("ids", "/etc/subuid"),
              std::pair("ids", "/etc/subgid")})
            if (::mount((folder.path() / name).c_str(), path, nullptr, MS_BIND, nullptr) != 0)
                return 2;
        if (::setgid(kUser) != 0 || ::setuid(kUser) != 0) return 3;
        const Spawner one = Spawner::start();
        if (!one.has_separate_ids()) return 4;
        const CheckUp found = check_up(one);
        for (const Finding& finding : found.findings)
            if (finding.name == "user") return finding.verdict == Verdict::yes ? 0 : 5;
        return 6;
    });
    int wait_status = 0;
    REQUIRE(::waitpid(server, &wait_status, 0) == server);
    CHECK(WEXITSTATUS(wait_status) == 0);
}
