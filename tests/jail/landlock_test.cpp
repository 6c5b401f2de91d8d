// Landlock alone, where the mounts allow everything.
#include "jail/landlock.h"

#include "base/error.h"
#include "jail/fixture.h"
#include "support/catch.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

using namespace oauth3;
using namespace oauth3::jail;
using namespace oauth3::jail::test;
namespace fs = std::filesystem;

namespace {

/// In a child with a /tmp of its own, from which programs may run, and a /sys that can be written
/// to: does `work` there, under Landlock or not, and tells its result.
int in_open_tmp(bool restricted, const std::function<int()>& work) {
    root();
    const pid_t child = fork_server([&] {
        const std::string user = "0 " + std::to_string(::geteuid()) + " 1";
        const std::string group = "0 " + std::to_string(::getegid()) + " 1";
        if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return 99;
        const auto put = [](const char* name, const std::string& text) {
            const std::string path = std::string("/proc/self/") + name;
            base::write_all(base::Fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC)).get(), text);
        };
        put("uid_map", user);
        put("setgroups", "deny");
        put("gid_map", group);
        if (::mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr) != 0) return 99;
        const fs::path program = fs::path(HOSTILE_PROGRAM);
        const int source = ::open(program.c_str(), O_RDONLY | O_CLOEXEC);
        for (const char* place : {"/tmp", "/sys"})
            if (::mount("tmpfs", place, "tmpfs", 0, nullptr) != 0) return 98;
        const int copy = ::open("/tmp/program", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
        for (char buffer[65536];;) {
            const ssize_t size = ::read(source, buffer, sizeof buffer);
            if (size <= 0) break;
            if (::write(copy, buffer, static_cast<std::size_t>(size)) != size) return 97;
        }
        ::close(copy);
        if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 96;
        if (restricted) landlock::restrict_self();
        return work();
    });
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WEXITSTATUS(status);
}

/// The errno value, or the exit code 42 of the program.
int execute(const char* path) {
    const char* const argv[] = {path, "exit", "42", nullptr};
    char* const no_environment[] = {nullptr};
    ::execve(path, const_cast<char* const*>(argv), no_environment);
    return errno;
}

}  // namespace

TEST_CASE("Landlock alone keeps what was written from being run") {
    if (landlock::abi() == 0) return;
    CHECK(in_open_tmp(false, [] { return execute("/tmp/program"); }) == 42);
    CHECK(in_open_tmp(true, [] { return execute("/tmp/program"); }) == EACCES);
    // What the root brought can be run.
    CHECK(in_open_tmp(true, [] { return execute("/bin/true"); }) == 0);
}

TEST_CASE("Landlock alone keeps all but /tmp and /dev/shm from being written") {
    if (landlock::abi() == 0) return;
    const auto make = [](const std::string& path) {
        return [path] {
            const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
            if (fd < 0) return errno;
            ::unlink(path.c_str());
            return 0;
        };
    };
    const std::string outside = "/sys/file";  // a tmpfs, too
    CHECK(in_open_tmp(false, make(outside)) == 0);
    CHECK(in_open_tmp(true, make(outside)) == EACCES);
    CHECK(in_open_tmp(true, make("/tmp/file")) == 0);
    CHECK(in_open_tmp(true, [] { return ::mkfifo("/tmp/fifo", 0600) == 0 ? 0 : errno; }) == 0);
    CHECK(in_open_tmp(true, [] {
              return ::mkfifo("/dev/shm/oauth3-fifo", 0600) == 0 ? 0 : errno;
          }) == EACCES);
}
