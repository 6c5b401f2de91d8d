#include "notify/fixture.h"

#include "support/catch.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <iterator>

namespace oauth3::notify::test {
namespace {

std::size_t open_descriptors() {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

}  // namespace

NothingLeft::NothingLeft() : descriptors_(open_descriptors()) {}

NothingLeft::~NothingLeft() {
    const bool no_child = ::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD;
    CHECK(no_child);
    CHECK(open_descriptors() == descriptors_);
}

Opinion ask(const std::string& command, const std::string& request) {
    const NothingLeft nothing_left;
    const StopSignal stop;
    return ReviewCommand(command, std::chrono::hours(1)).review(request, stop);
}

std::string found_by(const std::string& command, const std::string& request) {
    const Opinion opinion =
        ask("found=$( " + command + R"() && printf '{"verdict":"ask","reason":"%s"}' "$found")",
            request);
    INFO(opinion.reason);
    CHECK_FALSE(opinion.failed);
    return opinion.reason;
}

void check_failed(const Opinion& opinion, const std::string& reason) {
    CHECK(opinion.verdict == Verdict::ask);
    CHECK(opinion.failed);
    CHECK(opinion.reason == reason);
}

bool dies(pid_t pid) {
    const base::Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!pidfd) return errno == ESRCH;
    pollfd death{pidfd.get(), POLLIN, 0};
    const bool dead = ::poll(&death, 1, 10'000) == 1;
    if (!dead) ::kill(pid, SIGKILL);
    return dead;
}

bool is_running(pid_t pid) {
    const base::Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    pollfd death{pidfd.get(), POLLIN, 0};
    return pidfd && ::poll(&death, 1, 0) == 0;
}

Fifo::Fifo(const std::filesystem::path& path) {
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    fd_.reset(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    REQUIRE(fd_);
}

std::string Fifo::read_line() const {
    std::string line;
    char c = 0;
    while (::read(fd_.get(), &c, 1) == 1 && c != '\n') line += c;
    return line;
}

}  // namespace oauth3::notify::test
