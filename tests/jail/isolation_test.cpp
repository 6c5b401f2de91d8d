// What a program in a jail can see and do; next to it, where it says something, what the same
// probe finds outside.
#include "base/error.h"
#include "base/files.h"
#include "jail/fixture.h"
#include "jail/host_ids.h"
#include "jail/landlock.h"
#include "support/catch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <set>

using namespace oauth3;
using namespace oauth3::jail;
using namespace oauth3::jail::test;

namespace {

/// What the program says in a jail, in one with a layer left out if `without` says so: layers
/// overlap, and what one refuses shows only where those above it are gone.
std::string inside(std::vector<std::string> arguments, const Without& without = {}) {
    Spec job = spec(std::move(arguments));
    job.without = without;
    const Exit result = run(job);
    CHECK(result.setup_error == "");
    CHECK(result.ending == Ending::exited);
    return result.out;
}

constexpr Without kNoFilter{.landlock = false, .syscall_filter = true};
constexpr Without kNoLandlock{.landlock = true, .syscall_filter = false};
constexpr Without kNeither{.landlock = true, .syscall_filter = true};

std::set<std::string> names(const std::string& text) {
    const auto all = lines(text);
    return {all.begin(), all.end()};
}

}  // namespace

TEST_CASE("seen from outside, nothing in a jail has a right or root's user id") {
    const Process process = running(spawner(), spec({"wait"}));
    const std::vector<pid_t> pids = tree_of(process);
    REQUIRE(pids.size() == 2);
    for (const pid_t pid : pids) {
        const std::string uids = status_line(pid, "Uid");
        const std::string uid = uids.substr(0, uids.find('\t'));
        CHECK(uids == uid + "\t" + uid + "\t" + uid + "\t" + uid);
        CHECK(uid != "0");
        if (::getuid() == 0) {
            CHECK(std::stoul(uid) >= kFirstHostId);
            CHECK(status_line(pid, "Gid") == uids);
        } else {
            CHECK(uid == std::to_string(::getuid()));
        }
        for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
            CHECK(status_line(pid, set) == "0000000000000000");
        CHECK(status_line(pid, "NoNewPrivs") == "1");
    }
    // The same line shows rights where there are some.
    if (::getuid() == 0) CHECK(status_line(::getpid(), "CapEff") != "0000000000000000");
    CHECK(status_line(::getpid(), "NoNewPrivs") == "0");
}

TEST_CASE("two jails of a root server do not share a user id") {
    const Process one = running(spawner(), spec({"wait"}));
    const Process two = running(spawner(), spec({"wait"}));
    if (::getuid() == 0)
        CHECK(status_line(tree_of(one)[0], "Uid") != status_line(tree_of(two)[0], "Uid"));
    else
        CHECK(status_line(tree_of(one)[0], "Uid") == status_line(tree_of(two)[0], "Uid"));
}

TEST_CASE("the program is an ordinary user with names and a session of its own") {
    const auto told = lines(inside({"identity"}));
    REQUIRE(told.size() == 2);
    if (::getgroups(0, nullptr) == 0 || ::getuid() == 0)
        CHECK(told[0] ==
              "uid 1000 gid 1000 groups 0 pid 2 ppid 1 session own host jail domain  umask 77");
    CHECK(told[1] == "securebits 239");
    CHECK(inside({"setuid"}) == "EPERM\nEPERM\n");
    CHECK(inside({"setuid"}, kNoFilter) == "EINVAL\nEINVAL\n");  // no other id is mapped
}

TEST_CASE("every namespace is the jail's own") {
    const auto ours = lines(outside({"ns"}));
    const auto theirs = lines(inside({"ns"}));
    REQUIRE(ours.size() == 8);
    REQUIRE(theirs.size() == 8);
    for (std::size_t i = 0; i < ours.size(); ++i) CHECK(ours[i] != theirs[i]);
    CHECK(lines(outside({"ns"})) == ours);
}

TEST_CASE("the file system is the root, and of the host nothing") {
    CHECK(names(inside({"list", "/"})) ==
          std::set<std::string>{"dev", "extra", "hostile", "open", "proc", "tmp"});
    CHECK(names(inside({"list", "/../.."})) == names(inside({"list", "/"})));
    CHECK(inside({"list", "/tmp"}) == "");
    for (const char* path : {"/etc/passwd", "/home", "/root", "/usr", "/sys", "/.dockerenv"}) {
        CHECK(inside({"read", path}) == "ENOENT\n");
    }
    CHECK(inside({"read", HOSTILE_PROGRAM}) == "ENOENT\n");
    CHECK(outside({"read", "/etc/passwd"}).find("root:") != std::string::npos);
}

TEST_CASE("no mount of the host is left") {
    std::set<std::string> points;
    for (const auto& line : lines(inside({"read", "/proc/self/mountinfo"}))) {
        std::istringstream fields(line);
        std::string id, parent, device, top, point, options;
        fields >> id >> parent >> device >> top >> point >> options;
        points.insert(point);
        INFO(line);
        CHECK(options.find("nosuid") != std::string::npos);
        if (point != "/tmp" && point != "/dev/shm") CHECK(options.starts_with("ro,"));
        if (!point.starts_with("/dev")) CHECK(options.find("nodev") != std::string::npos);
        if (point != "/") CHECK(options.find("noexec") != std::string::npos);
        CHECK(line.find("shared:") == std::string::npos);
        CHECK(line.find("master:") == std::string::npos);
    }
    CHECK(points == std::set<std::string>{"/", "/dev", "/dev/full", "/dev/null", "/dev/random",
                                          "/dev/shm", "/dev/urandom", "/dev/zero", "/proc",
                                          "/tmp"});
}

TEST_CASE("only /tmp and /dev/shm can be written, and nothing in them can be run") {
    for (const char* path : {"/x", "/open", "/dev/x", "/extra/x"}) {
        INFO(path);
        CHECK(inside({"write", path}, kNoLandlock) == "EROFS\n");
        const std::string both = inside({"write", path});
        CHECK((both == "EROFS\n" || both == "EACCES\n"));
    }
    CHECK(inside({"chmod", "/hostile"}) == "EROFS\n");
    CHECK(inside({"chmod", "/dev/null"}) == "EROFS\n");
    CHECK(inside({"write", "/proc/self/oom_score_adj"}, kNoLandlock) == "EROFS\n");
    CHECK(inside({"write", "/tmp/x"}) == "ok\n");
    CHECK(inside({"write", "/dev/shm/x"}) == "ok\n");
    CHECK(inside({"write", "/dev/null"}) == "ok\n");
    CHECK(inside({"mknod", "/tmp/disk"}) == "EPERM\n");
    CHECK(inside({"mknod", "/tmp/disk"}, kNeither) == "EPERM\n");
    for (const char* path : {"/tmp/program", "/dev/shm/program"}) {
        CHECK(inside({"copy-and-run", path}) == "EACCES\n");
        CHECK(inside({"copy-and-run", path}, kNoLandlock) == "EACCES\n");
    }

    Folder folder;
    CHECK(outside({"copy-and-run", (folder.path() / "program").string()}) == "");
    CHECK(outside({"write", (folder.path() / "x").string()}) == "ok\n");
}

TEST_CASE("mounts cannot be changed, and no new namespace gives the right back") {
    for (const Without& without : {Without{}, kNoFilter, kNeither}) {
        CHECK(inside({"mount"}, without) == "EPERM\n");
        CHECK(inside({"remount"}, without) == "EPERM\n");
        for (const char* path : {"/", "/proc", "/dev", "/tmp"})
            CHECK(inside({"umount", path}, without) == "EPERM\n");
    }
    CHECK(inside({"new-user-namespace"}) == "EPERM\n");
    CHECK(inside({"new-user-namespace"}, kNoFilter) == "ENOSPC\n");
    CHECK(outside({"new-user-namespace"}) == "ok\n");
}

TEST_CASE("there is no network but a loopback that is down") {
    CHECK(inside({"interfaces"}, kNoFilter) == "lo\n");
    CHECK(inside({"interfaces"}) == "");

    const base::Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener.get(), 8) == 0);
    REQUIRE(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    const std::string port = std::to_string(ntohs(address.sin_port));
    CHECK(outside({"connect", "127.0.0.1", port}) == "ok\n");
    const bool has_tcp_rules = landlock::abi() >= landlock::kTcp;
    for (const char* to : {"127.0.0.1", "192.0.2.1", "169.254.169.254"}) {
        CHECK(inside({"connect", to, port}, kNoLandlock) == "ENETUNREACH\n");
        CHECK(inside({"connect", to, port}) == (has_tcp_rules ? "EACCES\n" : "ENETUNREACH\n"));
    }
}

TEST_CASE("/proc shows the program's own processes, and nothing of the machine") {
    CHECK(names(inside({"list", "/proc"})) == std::set<std::string>{"2", "self", "thread-self"});
    CHECK(names(outside({"list", "/proc"})).count("meminfo") == 1);
    for (const char* path : {"/proc/1/status", "/proc/sys/kernel/hostname", "/proc/cpuinfo",
                             "/proc/kcore", "/proc/keys", "/proc/net/dev"})
        CHECK(inside({"read", path}) == "ENOENT\n");
}

TEST_CASE("pid 1 keeps its memory, its descriptors and the job to itself") {
    CHECK(inside({"attack-init"}) == "ENOENT\nENOENT\nENOENT\nEPERM\nEPERM\n");
}

TEST_CASE("the environment is what was given, however large") {
    CHECK(inside({"env"}) == "");
    Spec job = spec({"env"});
    job.environment = {{"A", "1"}, {"EMPTY", ""}, {"TEXT", "zwei = 2\n\xff"}};
    CHECK(run(job).out == "A=1\nEMPTY=\nTEXT=zwei = 2\n\xff\n");
    job.environment = {{"A", std::string(100'000, 'a')}, {"B", std::string(100'000, 'b')}};
    CHECK(run(job).out.size() == 2 * 100'000 + 6);
}

TEST_CASE("descriptors are 0, 1 and 2, and stdin is at its end") {
    CHECK(inside({"fds"}) == "0\n1\n2\n");
    CHECK(inside({"read", "/dev/stdin"}) == "");
    CHECK(inside({"read", "/dev/fd/0"}) == "");
}

TEST_CASE("files are there when the program starts, and extra mounts are read-only") {
    Folder folder;
    base::write_private_file(folder.path() / "shared", "from the host");
    std::filesystem::permissions(folder.path() / "shared", std::filesystem::perms(0666));
    std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
    Spec job = spec({"read", "code/deep/main"});
    job.cwd = "/tmp/work";
    job.files = {{"work/code/deep/main", std::string("a\0b", 3)}, {"other", ""}};
    job.mounts.push_back({folder.path(), "/extra"});
    CHECK(run(job).out == std::string("a\0b", 3));
    job.argv = {"/hostile", "read", "/extra/shared"};
    CHECK(run(job).out == "from the host");
    job.argv = {"/hostile", "write", "/extra/shared"};
    CHECK(run(job).out == "EROFS\n");
}

TEST_CASE("a link in the root does not lead a mount out of it") {
    Folder folder;
    for (const char* name : {"proc", "dev", "tmp"})
        std::filesystem::create_directory(folder.path() / name);
    std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
    std::filesystem::create_symlink("/etc", folder.path() / "link");
    Spec job = spec({"exit", "0"});
    job.root = folder.path();
    job.mounts.push_back({"/usr", "/link"});
    CHECK(run(job).setup_error == "bind to /link: No such file or directory");
}

TEST_CASE("limits hold and cannot be raised") {
    Spec job = spec({"limits"});
    job.limits.open_files = 64;
    job.limits.processes = 16;
    job.limits.file_bytes = 1 << 20;
    job.cpu_seconds = 20;
    CHECK(run(job).out ==
          "core 1 1\nnofile 64 64\nnproc 16 16\nfsize 1048576 1048576\nmemlock 65536 65536\n"
          "cpu 20 21\n");
    const auto told = [&](std::vector<std::string> arguments) {
        job.argv = spec(std::move(arguments)).argv;
        return run(job).out;
    };
    CHECK(told({"raise-limits"}) == "EPERM\n");
    CHECK(told({"open-many"}) == "61\n");
    CHECK(told({"fork-many"}) == "14 EAGAIN\n");
    CHECK(told({"write-big", "/tmp/big"}) == "1048576 EFBIG\n");
    job.limits.file_bytes = std::uint64_t{1} << 30;
    job.tmp_bytes = 2 << 20;
    CHECK(told({"write-big", "/tmp/big"}) == "2097152 ENOSPC\n");
}
