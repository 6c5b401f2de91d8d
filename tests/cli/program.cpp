#include "program.h"

#include "base/error.h"
#include "base/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <fstream>
#include <stdexcept>

namespace oauth3::test {
namespace {

namespace fs = std::filesystem;

void check(int result, const char* what) {
    if (result != 0) throw base::SystemError(result, what);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (std::string& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

}  // namespace

Home::Home() {
    std::string name = (fs::temp_directory_path() / "oauth3-cli-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) base::throw_errno("mkdtemp");
    path_ = name;
}

Home::~Home() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

std::string Home::file(const std::string& name, const std::string& text, unsigned mode) const {
    const fs::path path = path_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    ::chmod(path.c_str(), mode);
    return path.string();
}

std::string Home::read(const std::string& name) const {
    return base::read_file(path_ / name, std::size_t{32} << 20);
}

unsigned Home::mode(const std::string& name) const {
    struct stat info {};
    if (::stat((path_ / name).c_str(), &info) != 0) base::throw_errno(name);
    return info.st_mode & 07777U;
}

Program::Program(const Home& home, const std::vector<std::string>& arguments, RunOptions options)
    : home_(home) {
    static std::atomic<int> number{0};
    name_ = fmt::format("run{}", number++);
    const std::string in = home.file(name_ + ".in", options.input);
    std::vector<std::string> words{OAUTH3_PROGRAM};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::map<std::string, std::string> variables{
        {"HOME", home.path().string()}, {"PATH", "/usr/bin:/bin"}, {"TERM", "xterm"}};
    for (const auto& [name, value] : options.environment) variables[name] = value;
    std::vector<std::string> environment;
    for (const auto& [name, value] : variables) environment.push_back(name + "=" + value);

    posix_spawn_file_actions_t files;
    check(posix_spawn_file_actions_init(&files), "file actions");
    posix_spawnattr_t attributes;
    check(posix_spawnattr_init(&attributes), "spawn attributes");
    // A session of its own: only a program that is given a terminal has one.
    check(posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID), "spawn flags");
    constexpr int kNew = O_WRONLY | O_CREAT | O_TRUNC;
    const std::string out = (home.path() / (name_ + ".out")).string();
    const std::string err = (home.path() / (name_ + ".err")).string();
    if (options.terminal.empty()) {
        posix_spawn_file_actions_addopen(&files, 0, in.c_str(), O_RDONLY, 0);
    } else {
        // The first terminal that a session leader opens becomes its controlling one.
        posix_spawn_file_actions_addopen(&files, 0, options.terminal.c_str(), O_RDWR, 0);
    }
    if (options.terminal_out) {
        posix_spawn_file_actions_adddup2(&files, 0, 1);
    } else {
        posix_spawn_file_actions_addopen(&files, 1, out.c_str(), kNew, 0600);
    }
    posix_spawn_file_actions_addopen(&files, 2, err.c_str(), kNew, 0600);
    const int result = ::posix_spawn(&pid_, OAUTH3_PROGRAM, &files, &attributes,
                                     pointers(words).data(), pointers(environment).data());
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    check(result, "cannot start " OAUTH3_PROGRAM);
}

Program::~Program() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

void Program::signal(int number) const {
    ::kill(pid_, number);
}

Finished Program::wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    Finished out;
    out.code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    if (home_.has(name_ + ".out")) out.out = home_.read(name_ + ".out");
    out.err = home_.read(name_ + ".err");
    return out;
}

Finished run_program(const Home& home, const std::vector<std::string>& arguments,
                     RunOptions options) {
    return Program(home, arguments, std::move(options)).wait();
}

std::string unwrapped(const std::string& text) {
    std::string out;
    for (const char c : text) {
        const bool blank = c == ' ' || c == '\r' || c == '\n';
        if (!blank)
            out += c;
        else if (!out.empty() && out.back() != ' ')
            out += ' ';
    }
    return out;
}

PseudoTerminal::PseudoTerminal() {
    master_.reset(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    std::array<char, 128> name{};
    if (!master_ || ::grantpt(master_.get()) != 0 || ::unlockpt(master_.get()) != 0 ||
        ::ptsname_r(master_.get(), name.data(), name.size()) != 0)
        base::throw_errno("cannot make a terminal");
    name_ = name.data();
    // Kept open, so that what the program wrote last is not lost when it ends.
    slave_.reset(::open(name_.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
}

std::string PseudoTerminal::read_until(const std::string& text) {
    while (seen_.find(text) == std::string::npos) {
        // A watchdog for a program that never says it; not a measure of speed.
        pollfd ready{master_.get(), POLLIN, 0};
        if (::poll(&ready, 1, 60'000) <= 0)
            throw std::runtime_error("never seen: " + text + "\n" + seen_);
        std::array<char, 4096> chunk{};
        const ssize_t count = ::read(master_.get(), chunk.data(), chunk.size());
        if (count <= 0) throw std::runtime_error("terminal closed before: " + text);
        seen_.append(chunk.data(), static_cast<std::size_t>(count));
    }
    return seen_;
}

void PseudoTerminal::type(const std::string& text) const {
    base::write_all(master_.get(), text);
}

}  // namespace oauth3::test
