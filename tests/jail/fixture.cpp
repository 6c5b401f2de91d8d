#include "jail/fixture.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/files.h"

#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace oauth3::jail::test {
namespace fs = std::filesystem;

const Spawner& spawner() {
    static const Spawner one = Spawner::start();
    return one;
}

namespace {

void fill_root(const fs::path& top) {
    for (const char* name : {"proc", "dev", "tmp", "extra"}) fs::create_directories(top / name);
    fs::copy_file(HOSTILE_PROGRAM, top / "hostile");
    // Only the mount keeps a program from writing to these.
    base::write_private_file(top / "open", "");
    fs::permissions(top / "open", fs::perms(0666));
    fs::permissions(top / "extra", fs::perms(0777));
    fs::permissions(top, fs::perms(0755));
    fs::permissions(top / "hostile", fs::perms(0755));
}

/// Empty for the usual one.
fs::path other_root;

}  // namespace

const fs::path& root() {
    if (!other_root.empty()) return other_root;
    // The folder itself is private (0700), as a server's data folder is.
    static const Folder folder;
    static const fs::path made = [] {
        const fs::path top = folder.path() / "root";
        fill_root(top);
        return top;
    }();
    return made;
}

Spec spec(std::vector<std::string> arguments) {
    Spec made;
    made.root = root();
    made.syscalls = SyscallProfile::build;
    made.argv = {"/hostile"};
    for (auto& argument : arguments) made.argv.push_back(std::move(argument));
    return made;
}

Exit run(const Spec& spec, const SuperviseOptions& options) {
    return supervise(spawner().launch(spec), options);
}

Exit probe(std::vector<std::string> arguments) {
    return run(spec(std::move(arguments)));
}

Process running(const Spawner& spawner, const Spec& spec) {
    Process process = spawner.launch(spec);
    pollfd output{process.out(), POLLIN, 0};
    if (::poll(&output, 1, -1) != 1 || (output.revents & POLLIN) == 0)
        throw std::runtime_error("the program ended without a word");
    return process;
}

bool come_to_rest(const Spawner& spawner, std::size_t spares) {
    // A spare has no privileges left, and sleeps.
    const auto waits = [](pid_t pid) {
        return !is_dead(pid) && status_line(pid, "NoNewPrivs") == "1" &&
               status_line(pid, "State").starts_with("S") && children_of(pid).empty();
    };
    return eventually([&] {
        const std::vector<pid_t> all = children_of(spawner.pid());
        try {
            return all.size() == spares && std::all_of(all.begin(), all.end(), waits);
        } catch (const base::SystemError&) {
            return false;  // one went meanwhile
        }
    });
}

fs::path copy_root(const fs::path& folder) {
    const fs::path top = folder / "root";
    fs::copy(root(), top, fs::copy_options::recursive);
    fs::permissions(top, fs::perms(0755));
    fs::permissions(folder, fs::perms(0755));
    return top;
}

std::string outside(const std::vector<std::string>& arguments) {
    base::Pipe out = base::make_pipe();
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, out.write.get(), 1);
    std::vector<std::string> texts = arguments;
    texts.insert(texts.begin(), HOSTILE_PROGRAM);
    std::vector<char*> argv;
    for (auto& text : texts) argv.push_back(text.data());
    argv.push_back(nullptr);
    pid_t pid = -1;
    const int error = ::posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) throw base::SystemError(error, "posix_spawn");
    out.write.reset();
    std::string text = base::read_all(out.read.get(), 1 << 20);
    ::waitpid(pid, nullptr, 0);
    return text;
}

pid_t fork_server(const std::function<int()>& work) {
    const pid_t pid = ::fork();
    if (pid < 0) base::throw_errno("fork");
    if (pid > 0) return pid;
    try {
        ::_exit(work());
    } catch (...) {
        ::_exit(64);
    }
}

std::string as_user(const std::function<std::string()>& work, const std::function<void()>& before) {
    const Folder folder;
    fill_root(folder.path() / "root");
    fs::permissions(folder.path(), fs::perms(0755));
    base::Pipe news = base::make_pipe();
    const pid_t server = fork_server([&] {
        constexpr uid_t kUser = 12345;
        before();
        if (::getuid() == 0 &&
            (::setgroups(0, nullptr) != 0 || ::setresgid(kUser, kUser, kUser) != 0 ||
             ::setresuid(kUser, kUser, kUser) != 0))
            return 65;
        other_root = folder.path() / "root";
        std::string told;
        try {
            told = work();
        } catch (const std::exception& error) {
            told = std::string("threw: ") + error.what();
        }
        base::write_all(news.write.get(), told);
        return 0;
    });
    news.write.reset();
    std::string told = base::read_all(news.read.get(), 1 << 20);
    ::waitpid(server, nullptr, 0);
    return told;
}

std::vector<std::string> lines(const std::string& text) {
    std::vector<std::string> out;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
}

std::string status_line(pid_t pid, const std::string& name) {
    for (const auto& line : lines(base::read_file("/proc/" + std::to_string(pid) + "/status")))
        if (line.starts_with(name + ":\t")) return line.substr(name.size() + 2);
    return {};
}

std::vector<pid_t> children_of(pid_t pid) {
    const std::string name = std::to_string(pid);
    std::istringstream text(base::read_file("/proc/" + name + "/task/" + name + "/children"));
    std::vector<pid_t> pids;
    for (pid_t child = 0; text >> child;) pids.push_back(child);
    return pids;
}

std::vector<pid_t> tree_of(const Process& process) {
    std::vector<pid_t> pids;
    const std::string info = "/proc/self/fdinfo/" + std::to_string(process.pidfd());
    for (const auto& line : lines(base::read_file(info)))
        if (line.starts_with("Pid:")) pids.push_back(std::stoi(line.substr(4)));
    for (std::size_t i = 0; i < pids.size(); ++i)
        for (const pid_t child : children_of(pids[i])) pids.push_back(child);
    return pids;
}

bool is_dead(pid_t pid) {
    try {
        return status_line(pid, "State").starts_with("Z");
    } catch (const base::SystemError&) {
        return true;
    }
}

bool eventually(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        ::sched_yield();
    }
    return true;
}

}  // namespace oauth3::jail::test
