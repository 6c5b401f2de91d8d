// as_user PROGRAM ARGUMENT...: runs a test program as an ordinary user where root runs the tests.
// It gets a temporary folder of its own and, in a mount namespace of its own, a way to the program
// if folders above it are closed to others. Ends as the program does. An ordinary user runs the
// program as it is.
#include "base/error.h"
#include "base/fd.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

using oauth3::base::throw_errno;
namespace fs = std::filesystem;

namespace {

constexpr uid_t kUser = 1234;

bool closed_to_others(const fs::path& folder) {
    return (fs::status(folder).permissions() & fs::perms::others_exec) == fs::perms::none;
}

/// The first folder on the way to `target` that others cannot pass; empty if there is none.
fs::path first_closed(const fs::path& target) {
    fs::path way;
    for (const fs::path& part : target) {
        way /= part;
        if (closed_to_others(way)) return way;
    }
    return {};
}

/// Covers the closed folder by an empty one, in which only the way to `target` is laid anew.
void open_the_way(const fs::path& target) {
    const fs::path closed = first_closed(target.parent_path());
    if (closed.empty()) return;
    const oauth3::base::Fd folder(::open(target.c_str(), O_PATH | O_CLOEXEC));
    if (!folder) throw_errno("open " + target.string());
    if (::mount("none", closed.c_str(), "tmpfs", 0, "mode=755") != 0) throw_errno("cover");
    fs::create_directories(target);
    const std::string source = "/proc/self/fd/" + std::to_string(folder.get());
    if (::mount(source.c_str(), target.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0)
        throw_errno("bind " + target.string());
}

void become_user() {
    if (::setgroups(0, nullptr) != 0 || ::setresgid(kUser, kUser, kUser) != 0 ||
        ::setresuid(kUser, kUser, kUser) != 0)
        throw_errno("become a user");
    // Ids were changed: as if by a login, the process is an ordinary one all the same.
    if (::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0) throw_errno("PR_SET_DUMPABLE");
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

[[noreturn]] void start(char** program) {
    ::execv(program[0], program);
    std::perror(program[0]);
    ::_exit(127);
}

class TemporaryFolder {
  public:
    TemporaryFolder() {
        if (::mkdtemp(path_.data()) == nullptr) throw_errno("mkdtemp");
        if (::chown(path_.c_str(), kUser, kUser) != 0) throw_errno("chown");
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const std::string& path() const { return path_; }

  private:
    std::string path_ = "/tmp/oauth3-user-XXXXXX";
};

int run_as_user(char** program) {
    const TemporaryFolder folder;
    const pid_t pid = ::fork();
    if (pid < 0) throw_errno("fork");
    if (pid == 0) {
        if (::unshare(CLONE_NEWNS) != 0 ||
            ::mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr) != 0)
            throw_errno("make a mount namespace");
        open_the_way(OAUTH3_SOURCE_DIR);
        open_the_way(fs::path(program[0]).parent_path());
        become_user();
        ::setenv("TMPDIR", folder.path().c_str(), 1);
        ::setenv("HOME", folder.path().c_str(), 1);
        start(program);
    }
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc < 2) return 2;
    if (::geteuid() != 0) start(argv + 1);
    return run_as_user(argv + 1);
} catch (const std::exception& error) {
    std::fprintf(stderr, "as_user: %s\n", error.what());
    return 1;
}
