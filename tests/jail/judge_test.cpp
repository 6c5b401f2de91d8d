// The check-up's judge must say no to what it sees where there is no jail.
#include "jail/judge.h"

#include "base/fd.h"
#include "jail/fixture.h"
#include "jail/probe.h"
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

std::map<std::string, Verdict> verdicts_on(const std::string& told) {
    Findings findings;
    judge(told, true, findings);
    std::map<std::string, Verdict> out;
    for (const Finding& finding : findings.take()) out[finding.name] = finding.verdict;
    return out;
}

/// What the probe says of this machine, outside any jail. What it makes there goes at once.
std::string told_outside() {
    base::Pipe out = base::make_pipe();
    const pid_t child = fork_server([&] {
        // So that nothing that it mounts stays, if it may mount.
        if (::unshare(CLONE_NEWNS) == 0)
            ::mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr);
        ::dup2(out.write.get(), 1);
        run_probe(Probe::surroundings);
        ::umount("/tmp");
        for (const char* made : {"/probe", "/dev/probe", "/tmp/probe", "/dev/shm/link"})
            ::unlink(made);
        return 0;
    });
    out.write.reset();
    const std::string told = base::read_all(out.read.get(), 1 << 20);
    ::waitpid(child, nullptr, 0);
    return told;
}

}  // namespace

TEST_CASE("where there is no jail, no protection is found to hold") {
    const std::string told = told_outside();
    INFO(told);
    const auto of = verdicts_on(told);
    for (const char* name : {"files", "processes", "network", "namespaces", "privileges",
                             "system-calls", "landlock"}) {
        INFO(name);
        REQUIRE(of.count(name) == 1);
        CHECK(of.at(name) == Verdict::no);
    }
}

TEST_CASE("a probe that says nothing is no proof") {
    for (const char* told : {"", "ok\n", "connect.loopback\nread./etc/passwd\n"})
        for (const auto& [name, verdict] : verdicts_on(told)) {
            INFO(name);
            CHECK(verdict == Verdict::no);
        }
}

TEST_CASE("any answer to a connection but that there is no way is a way out") {
    const auto network = [](const std::string& loopback, const std::string& outside) {
        return verdicts_on("connect.loopback " + loopback + "\nconnect.outside " + outside + "\n")
            .at("network");
    };
    for (const char* shut : {"ENETUNREACH", "EACCES"}) CHECK(network(shut, shut) == Verdict::yes);
    for (const char* open : {"ok", "EINPROGRESS", "ECONNREFUSED", "EHOSTUNREACH", "ETIMEDOUT"}) {
        CHECK(network(open, "EACCES") == Verdict::no);
        CHECK(network("EACCES", open) == Verdict::no);
    }
}
