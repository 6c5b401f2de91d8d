#include "jail/namespaces.h"

#include "base/error.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace oauth3::jail::namespaces {
namespace {

constexpr std::uint64_t kFlags =
    CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET;

pid_t clone3(std::uint64_t flags, int cgroup, int& pidfd) {
    clone_args arguments{};
    arguments.flags = flags | CLONE_PIDFD;
    if (cgroup >= 0) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = static_cast<std::uint64_t>(cgroup);
    }
    arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
    arguments.exit_signal = SIGCHLD;
    return static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
}

/// Files of /proc take one write, whole.
void write_proc(const std::string& path, std::string_view text, const char* step) {
    const base::Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd || ::write(fd.get(), text.data(), text.size()) < 0) base::throw_errno(step);
}

/// Runs a program of the host that has a right which this process has not.
void run_tool(std::vector<std::string> arguments) {
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    char* no_environment[] = {nullptr};
    pid_t child = -1;
    const int error = ::posix_spawn(&child, argv[0], nullptr, nullptr, argv.data(), no_environment);
    if (error != 0) throw base::SystemError(error, "start " + arguments[0]);
    int status = -1;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (status != 0) throw base::SystemError(EPERM, arguments[0] + " (see subuid(5))");
}

}  // namespace

pid_t clone_into_new(int cgroup, base::Fd& pidfd) {
    int number = -1;
    pid_t pid = clone3(kFlags | CLONE_NEWTIME, cgroup, number);
    // Before Linux 5.6, or built without CONFIG_TIME_NS: the program then sees the host's
    // monotonic clock, and can tell how long the machine has been up.
    if (pid < 0 && errno == EINVAL) pid = clone3(kFlags, cgroup, number);
    if (pid < 0) base::throw_errno("make namespaces");
    if (pid > 0) pidfd.reset(number);
    return pid;
}

pid_t clone_into(int cgroup, base::Fd& pidfd) {
    int number = -1;
    const pid_t pid = clone3(0, cgroup, number);
    if (pid < 0) base::throw_errno("start a process in a cgroup");
    if (pid > 0) pidfd.reset(number);
    return pid;
}

void leave_cgroups() {
    if (::unshare(CLONE_NEWCGROUP) != 0) base::throw_errno("make a cgroup namespace");
}

void map_ids(pid_t pid, uid_t host_uid, gid_t host_gid) {
    const std::string folder = "/proc/" + std::to_string(pid);
    const std::string inside = std::to_string(kInsideId);
    write_proc(folder + "/uid_map", inside + " " + std::to_string(host_uid) + " 1",
               "map the user id");
    // An ordinary user may map a group only once nobody can drop groups (user_namespaces(7)).
    write_proc(folder + "/setgroups", "deny", "forbid setgroups");
    write_proc(folder + "/gid_map", inside + " " + std::to_string(host_gid) + " 1",
               "map the group id");
}

void map_subordinate_ids(pid_t pid, uid_t host_uid, gid_t host_gid) {
    const std::string child = std::to_string(pid);
    write_proc("/proc/" + child + "/setgroups", "deny", "forbid setgroups");
    run_tool(
        {"/usr/bin/newuidmap", child, std::to_string(kInsideId), std::to_string(host_uid), "1"});
    run_tool(
        {"/usr/bin/newgidmap", child, std::to_string(kInsideId), std::to_string(host_gid), "1"});
}

void forbid_nested() {
    // Counted for each user namespace: what is written here holds below the writer's own.
    write_proc("/proc/sys/user/max_user_namespaces", "0", "forbid nested user namespaces");
}

void limit_watches() {
    // These count for the user who made the namespace as well: one jail could use up all that the
    // server's user may have. A kernel built without them has no such file.
    for (const auto& [name, most] :
         {std::pair("inotify_instances", "16"), std::pair("inotify_watches", "4096"),
          std::pair("fanotify_groups", "0"), std::pair("fanotify_marks", "0")}) {
        const std::string path = std::string("/proc/sys/user/max_") + name;
        if (::access(path.c_str(), F_OK) == 0) write_proc(path, most, "limit watches of files");
    }
}

void set_names(const std::string& hostname) {
    if (::sethostname(hostname.data(), hostname.size()) != 0) base::throw_errno("sethostname");
    if (::setdomainname("", 0) != 0) base::throw_errno("setdomainname");
}

}  // namespace oauth3::jail::namespaces
