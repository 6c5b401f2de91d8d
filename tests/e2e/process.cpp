#include "e2e/process.h"

#include "base/error.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <set>
#include <stdexcept>

extern char** environ;

namespace oauth3::e2e {
namespace {

namespace fs = std::filesystem;

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (std::string& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

std::vector<std::string> merged(const std::map<std::string, std::string>& changes) {
    std::map<std::string, std::string> all;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string text = *entry;
        const std::size_t equals = text.find('=');
        if (equals != std::string::npos) all[text.substr(0, equals)] = text.substr(equals + 1);
    }
    for (const auto& [name, value] : changes) all[name] = value;
    std::vector<std::string> out;
    for (const auto& [name, value] : all)
        if (!value.empty()) out.push_back(name + "=" + value);
    return out;
}

/// The parent of every process of the machine.
std::multimap<pid_t, pid_t> children_by_parent() {
    std::multimap<pid_t, pid_t> out;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        pid_t pid = 0;
        if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc())
            continue;
        std::ifstream file(entry.path() / "stat");
        std::string line;
        std::getline(file, line);
        // "pid (any name) S ppid ...": the name may hold anything but ends at the last ')'.
        const std::size_t close = line.rfind(')');
        if (close == std::string::npos || line.size() < close + 4) continue;
        pid_t parent = 0;
        std::from_chars(line.data() + close + 4, line.data() + line.size(), parent);
        out.emplace(parent, pid);
    }
    return out;
}

}  // namespace

Folder::Folder() {
    std::string path = (fs::temp_directory_path() / "oauth3-e2e-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) base::throw_errno("mkdtemp");
    path_ = path;
}

Folder::~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

std::string program() {
    const char* const named = std::getenv("OAUTH3_BIN");
    return named != nullptr && *named != '\0' ? named : OAUTH3_PROGRAM;
}

Process::Process(const std::vector<std::string>& argv,
                 const std::map<std::string, std::string>& environment) {
    base::Pipe out = base::make_pipe();
    base::Pipe err = base::make_pipe();
    base::Pipe stop = base::make_pipe();
    // A test program that crashes or is killed for its time leaves nothing running: the kernel
    // kills what it started. setpriv replaces itself, so the process id stays.
    std::vector<std::string> arguments{"/usr/bin/setpriv", "--pdeathsig", "KILL", "--"};
    arguments.insert(arguments.end(), argv.begin(), argv.end());
    std::vector<std::string> variables = merged(environment);

    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, out.write.get(), 1);
    ::posix_spawn_file_actions_adddup2(&actions, err.write.get(), 2);
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    const int failed = ::posix_spawn(&pid_, arguments.front().c_str(), &actions, &attributes,
                                     pointers(arguments).data(), pointers(variables).data());
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    if (failed != 0) throw base::SystemError(failed, "cannot start " + arguments.front());

    out_ = std::move(out.read);
    err_ = std::move(err.read);
    stop_read_ = std::move(stop.read);
    stop_write_ = std::move(stop.write);
    out_reader_ = std::thread([this] { read(out_.get(), out_text_); });
    err_reader_ = std::thread([this] { read(err_.get(), err_text_); });
    reaper_ = std::thread([this] {
        // WNOWAIT: the number stays taken until has-ended is known, so that no signal of ours can
        // hit a stranger.
        siginfo_t info{};
        while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0 &&
               errno == EINTR) {
        }
        const std::lock_guard lock(mutex_);
        ::waitpid(pid_, &wait_status_, 0);
        reaped_ = true;
        changed_.notify_all();
    });
}

Process::~Process() {
    send_signal(SIGKILL);
    reaper_.join();
    stop_write_.reset();  // a grandchild may hold the streams open
    out_reader_.join();
    err_reader_.join();
}

void Process::read(int fd, std::string& into) {
    std::vector<char> buffer(1 << 16);
    for (;;) {
        pollfd watched[2] = {{fd, POLLIN, 0}, {stop_read_.get(), POLLIN, 0}};
        if (::poll(watched, 2, -1) < 0 && errno == EINTR) continue;
        if (watched[0].revents == 0 && watched[1].revents != 0) break;
        const ssize_t count = ::read(fd, buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        const std::lock_guard lock(mutex_);
        into.append(buffer.data(), static_cast<std::size_t>(count));
        changed_.notify_all();
    }
    const std::lock_guard lock(mutex_);
    --open_streams_;
    changed_.notify_all();
}

std::string Process::wait_line(const std::string& part) {
    std::unique_lock lock(mutex_);
    std::string found;
    const auto look = [&] {
        const std::size_t at = err_text_.find(part);
        if (at == std::string::npos) return false;
        const std::size_t end = err_text_.find('\n', at);
        if (end == std::string::npos) return false;
        const std::size_t before = err_text_.rfind('\n', at);
        const std::size_t start = before == std::string::npos ? 0 : before + 1;
        found = err_text_.substr(start, end - start);
        return true;
    };
    changed_.wait_for(lock, kWatchdog, [&] { return look() || (reaped_ && open_streams_ == 0); });
    if (!found.empty()) return found;
    throw std::runtime_error(fmt::format("no line with \"{}\" ({}); stderr was:\n{}", part,
                                         reaped_ ? "ended" : "still running", err_text_));
}

Ended Process::wait() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kWatchdog, [this] { return reaped_ && open_streams_ == 0; }))
        throw std::runtime_error(fmt::format("{}; stderr was:\n{}",
                                             reaped_ ? "its streams stay open" : "it does not end",
                                             err_text_));
    Ended out;
    if (WIFEXITED(wait_status_)) out.exit_code = WEXITSTATUS(wait_status_);
    if (WIFSIGNALED(wait_status_)) out.signal = WTERMSIG(wait_status_);
    out.out = out_text_;
    out.err = err_text_;
    return out;
}

bool Process::has_ended() {
    const std::lock_guard lock(mutex_);
    return reaped_;
}

void Process::send_signal(int number) {
    const std::lock_guard lock(mutex_);
    if (!reaped_) ::kill(pid_, number);
}

std::string Process::err() {
    const std::lock_guard lock(mutex_);
    return err_text_;
}

Family::Family(pid_t pid) {
    const auto children = children_by_parent();
    struct Member {
        pid_t pid;
        int depth;
    };
    constexpr int kProgram = 3;
    std::vector<Member> open{{pid, 0}};
    std::set<pid_t> seen;
    while (!open.empty()) {
        const Member parent = open.back();
        open.pop_back();
        const auto [first, last] = children.equal_range(parent.pid);
        for (auto it = first; it != last; ++it) {
            if (!seen.insert(it->second).second) continue;
            base::Fd handle(static_cast<int>(::syscall(SYS_pidfd_open, it->second, 0)));
            if (handle) members_.push_back(std::move(handle));
            open.push_back({it->second, parent.depth + 1});
            if (parent.depth + 1 >= kProgram) ++programs_;
        }
    }
}

bool Family::all_gone() const {
    for (const base::Fd& member : members_) {
        pollfd watched{member.get(), POLLIN, 0};
        if (::poll(&watched, 1, static_cast<int>(std::chrono::milliseconds(kWatchdog).count())) !=
            1)
            return false;
    }
    return true;
}

}  // namespace oauth3::e2e
