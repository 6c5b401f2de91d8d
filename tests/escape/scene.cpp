#include "escape/scene.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/files.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <map>

namespace oauth3::escape {
namespace {
namespace fs = std::filesystem;

template <typename Address>
base::Fd bound(int family, int type, Address address, socklen_t size = sizeof(Address)) {
    base::Fd fd(::socket(family, type | SOCK_CLOEXEC, 0));
    if (!fd || ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0)
        base::throw_errno("bind");
    if (type == SOCK_STREAM && ::listen(fd.get(), 64) != 0) base::throw_errno("listen");
    return fd;
}

base::Fd on_loopback(int type) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return bound(AF_INET, type, address);
}

base::Fd on_loopback_6() {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_loopback;
    return bound(AF_INET6, SOCK_STREAM, address);
}

base::Fd local(const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (name.size() >= sizeof address.sun_path) throw base::Error("path", name + " is too long");
    std::memcpy(address.sun_path, name.data(), name.size());
    return bound(AF_UNIX, SOCK_STREAM, address,
                 static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size()));
}

std::string port_of(const base::Fd& fd) {
    sockaddr_in6 address{};  // the port is in the same place for both families
    socklen_t size = sizeof address;
    if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
        base::throw_errno("getsockname");
    return std::to_string(ntohs(address.sin6_port));
}

struct SharedMemory {
    key_t key = static_cast<key_t>(0x0a000000 + ::getpid());
    int id = ::shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0666);
    ~SharedMemory() { ::shmctl(id, IPC_RMID, nullptr); }
};

struct Queue {
    std::string name = "/oauth3-escape-" + std::to_string(::getpid());
    mqd_t id = -1;
    Queue() {
        mq_attr small{};
        small.mq_maxmsg = 1;
        small.mq_msgsize = 1;
        id = ::mq_open(name.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0666, &small);
    }
    ~Queue() { ::mq_unlink(name.c_str()); }
};

/// Links in a folder that jails get to see, whose targets they must not.
void plant_links(const fs::path& shared, const fs::path& secret) {
    fs::create_symlink(secret, shared / "link");
    fs::create_symlink("../secret", shared / "link-up");
    fs::create_symlink("/proc/self/root" + secret.native(), shared / "link-through-proc");
    fs::create_symlink("/", shared / "link-to-root");
}

class Scene {
  public:
    Scene() {
        ::setenv(kPlantedVariable, "planted", 1);
        fs::permissions(path(), fs::perms(0755));
        base::write_private_file(path() / "secret", "the secret");
        fs::permissions(path() / "secret", fs::perms(0644));
        for (const char* name : {"victim", "condemned"})
            base::write_private_file(path() / name, "still whole");
        fs::create_directory(path() / "shared");
        fs::permissions(path() / "shared", fs::perms(0755));
        base::write_private_file(path() / "shared" / "file", "shared");
        fs::permissions(path() / "shared" / "file", fs::perms(0666));
        plant_links(path() / "shared", path() / "secret");
        path_socket_ = local((path() / "socket").native());
        fs::permissions(path() / "socket", fs::perms(0777));
        if (shared_memory_.id < 0) base::throw_errno("shmget");
        if (queue_.id < 0) base::throw_errno("mq_open");
        // As a server would that forgot the flag.
        leaked_ = base::Fd(::open("/", O_RDONLY | O_DIRECTORY));
        plant_setuid_program();
        words_ = {{"{server}", std::to_string(::getpid())},
                  {"{folder}", path().native()},
                  {"{tcp}", port_of(tcp_)},
                  {"{tcp6}", port_of(tcp6_)},
                  {"{udp}", port_of(udp_)},
                  {"{abstract}", abstract_},
                  {"{key}", std::to_string(shared_memory_.key)},
                  {"{queue}", queue_.name},
                  {"{helper}", std::to_string(jail::test::spawner().pid())}};
    }

    const fs::path& path() const { return folder_.path(); }
    const std::map<std::string, std::string>& words() const { return words_; }

  private:
    /// Of the user that runs the tests, so of root if that is root.
    static void plant_setuid_program() {
        const fs::path program = jail::test::root() / "setuid";
        fs::copy_file(HOSTILE_PROGRAM, program);
        if (::chmod(program.c_str(), 04755) != 0) base::throw_errno("chmod");
    }

    jail::test::Folder folder_;
    base::Fd tcp_ = on_loopback(SOCK_STREAM);
    base::Fd tcp6_ = on_loopback_6();
    base::Fd udp_ = on_loopback(SOCK_DGRAM);
    std::string abstract_ = "@oauth3-escape-" + std::to_string(::getpid());
    base::Fd abstract_socket_ = local(std::string(1, '\0') + abstract_.substr(1));
    base::Fd path_socket_;
    base::Fd leaked_;
    SharedMemory shared_memory_;
    Queue queue_;
    std::map<std::string, std::string> words_;
};

const Scene& scene() {
    static const Scene one;
    return one;
}

}  // namespace

void prepare_scene() {
    scene();
}

std::string fill_in(std::string text) {
    for (const auto& [mark, value] : scene().words())
        for (std::size_t at = 0; (at = text.find(mark)) != std::string::npos;)
            text.replace(at, mark.size(), value);
    return text;
}

std::vector<std::string> fill_in(std::vector<std::string> words) {
    for (std::string& word : words) word = fill_in(std::move(word));
    return words;
}

const fs::path& folder() {
    return scene().path();
}

jail::Spec spec(const std::vector<std::string>& words) {
    prepare_scene();
    jail::Spec made = jail::test::spec(fill_in(words));
    made.mounts.push_back({folder() / "shared", "/extra"});
    made.spares = 1;  // each attack meets a new jail and one that waited
    made.limits.processes = 64;
    made.limits.open_files = 64;
    made.limits.file_bytes = std::uint64_t{4} << 20;
    made.tmp_bytes = std::uint64_t{16} << 20;
    return made;
}

std::string told_by(const jail::Exit& exit) {
    std::string text = exit.out;
    if (text.ends_with('\n')) text.pop_back();
    switch (exit.ending) {
        case jail::Ending::exited:
            return text;
        case jail::Ending::signalled:
            return std::string("SIG") + ::sigabbrev_np(exit.signal);
        case jail::Ending::deadline:
            return "deadline";
        case jail::Ending::stopped:
            return "stopped";
        case jail::Ending::memory:
            return "memory";
        case jail::Ending::cpu:
            return "processor time";
        case jail::Ending::tasks:
            return "tasks";
        case jail::Ending::setup_failed:
            return "never started: " + exit.setup_error;
    }
    return "unknown";
}

std::string output_of(std::vector<std::string> words, std::vector<std::string> environment) {
    const auto pointers = [](std::vector<std::string>& texts) {
        std::vector<char*> all;
        for (std::string& text : texts) all.push_back(text.data());
        all.push_back(nullptr);
        return all;
    };
    base::Pipe out = base::make_pipe();
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, out.write.get(), 1);
    pid_t pid = -1;
    const int error = ::posix_spawn(&pid, words[0].c_str(), &actions, nullptr,
                                    pointers(words).data(), pointers(environment).data());
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) throw base::SystemError(error, words[0]);
    out.write.reset();
    std::string text = base::read_all(out.read.get(), 1 << 20);
    ::waitpid(pid, nullptr, 0);
    return text;
}

bool is_mighty() {
    static const bool mighty = [] {
        if (::geteuid() != 0) return false;
        const std::string map = base::read_file("/proc/self/uid_map");
        const bool whole = map.find("4294967295") != std::string::npos;
        const auto rights = std::stoull(jail::test::status_line(::getpid(), "CapEff"), nullptr, 16);
        constexpr unsigned kSysAdmin = 21;
        return whole && (rights >> kSysAdmin & 1) == 1;
    }();
    return mighty;
}

}  // namespace oauth3::escape
