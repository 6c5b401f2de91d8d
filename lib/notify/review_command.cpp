#include "notify/review_command.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/utf8.h"
#include "notify/child.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <optional>
#include <utility>

namespace oauth3::notify {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kLoggedBytes = 4096;

/// Then the kernel would drop the exit status of a child, and might give its number to another
/// before the group is killed.
void keep_dead_children() {
    struct sigaction action {};
    ::sigaction(SIGCHLD, nullptr, &action);
    const bool handled = (action.sa_flags & SA_SIGINFO) != 0;
    if ((!handled && action.sa_handler == SIG_IGN) || (action.sa_flags & SA_NOCLDWAIT) != 0)
        ::signal(SIGCHLD, SIG_DFL);
}

/// The beginning of what comes through a pipe that does not block.
struct Stream {
    int fd;
    std::size_t cap;
    std::string kept = {};
    bool open = true;

    bool full() const { return kept.size() == cap; }
    int watched() const { return open ? fd : -1; }

    /// Drops what does not fit. False if there is nothing now.
    bool read_once() {
        std::array<char, 16384> buffer;
        const ssize_t size = ::read(fd, buffer.data(), buffer.size());
        if (size < 0 && errno == EINTR) return true;
        if (size < 0 && errno == EAGAIN) return false;
        if (size <= 0) {
            open = false;
            return false;
        }
        kept.append(buffer.data(), std::min(static_cast<std::size_t>(size), cap - kept.size()));
        return true;
    }

    /// Takes what was written, but does not wait for the end: a stranger may hold the pipe open,
    /// or even write for ever.
    void take_rest() {
        while (!full() && read_once()) {
        }
    }
};

enum class End { died, deadline, stopped, too_much };

class Watch {
  public:
    Watch(const Child& child, const jail::StopSignal& stop, Clock::time_point deadline)
        : child_(child),
          stop_(stop),
          deadline_(deadline),
          // With one byte more read_opinion() sees that it is too much.
          out_{child.out(), kMaxAnswerBytes + 1},
          err_{child.err(), kLoggedBytes} {}

    End wait() {
        for (;;)
            if (const auto end = wait_once()) return *end;
    }

    void take_rest() {
        out_.take_rest();
        err_.take_rest();
    }

    const Stream& out() const { return out_; }
    const Stream& err() const { return err_; }

  private:
    std::optional<End> wait_once() {
        enum Watched : std::size_t { kDeath, kOut, kErr, kStop };
        std::array<pollfd, 4> watched{{{child_.pidfd(), POLLIN, 0},
                                       {out_.watched(), POLLIN, 0},
                                       {err_.watched(), POLLIN, 0},
                                       {stop_.fd(), POLLIN, 0}}};
        if (::poll(watched.data(), watched.size(), milliseconds_left()) < 0) {
            if (errno == EINTR) return std::nullopt;
            base::throw_errno("poll");
        }
        if (watched[kDeath].revents != 0) return End::died;
        if (watched[kStop].revents != 0) return End::stopped;
        if (Clock::now() >= deadline_) return End::deadline;
        if (watched[kOut].revents != 0) out_.read_once();
        if (watched[kErr].revents != 0) err_.read_once();
        if (out_.full()) return End::too_much;
        return std::nullopt;
    }

    /// For poll(2), rounded up so that the time has passed when it returns.
    int milliseconds_left() const {
        const auto left = std::chrono::ceil<base::Millis>(deadline_ - Clock::now()).count();
        constexpr std::int64_t kHour = 3'600'000;
        return static_cast<int>(std::clamp<std::int64_t>(left, 0, kHour));
    }

    const Child& child_;
    const jail::StopSignal& stop_;
    Clock::time_point deadline_;
    Stream out_;
    Stream err_;
};

void log_stderr(const std::string& text) {
    if (text.empty() || !base::is_logged(base::LogLevel::debug)) return;
    base::log_event(base::LogLevel::debug, "the review command wrote to stderr",
                    {{"text", base::to_valid_utf8(text)}});
}

Opinion stopped() {
    return no_opinion("the review command was not waited for, because the server stops");
}

Opinion opinion_of(std::optional<int> status, const Stream& out) {
    if (!status) return no_opinion("it is not known how the review command ended");
    if (WIFSIGNALED(*status))
        return no_opinion(
            fmt::format("the review command was ended by signal {}", WTERMSIG(*status)));
    if (WEXITSTATUS(*status) != 0)
        return no_opinion(
            fmt::format("the review command ended with status {}", WEXITSTATUS(*status)));
    return read_opinion(out.kept);
}

}  // namespace

ReviewCommand::ReviewCommand(std::string command, base::Millis limit)
    : command_(std::move(command)),
      // Far enough for everybody, and no overflow.
      limit_(std::clamp<base::Millis>(limit, base::Millis(0), std::chrono::hours(24 * 365))) {
    if (command_.empty()) throw base::Error("usage", "the review command is empty");
    if (command_.find('\0') != std::string::npos)
        throw base::Error("usage", "the review command holds a NUL character");
    for (const char* name : {"PATH", "HOME", "LANG", "TMPDIR"})
        if (const char* const value = std::getenv(name))
            environment_.push_back(fmt::format("{}={}", name, value));
    keep_dead_children();
}

Opinion ReviewCommand::review(const std::string& request_json, const jail::StopSignal& stop) const {
    try {
        return ask(request_json, stop);
    } catch (const std::exception& error) {
        return no_opinion(fmt::format("the review command could not be run: {}", error.what()));
    }
}

Opinion ReviewCommand::ask(const std::string& request_json, const jail::StopSignal& stop) const {
    const auto deadline = Clock::now() + limit_;
    if (stop.stop_requested()) return stopped();
    // Not a pipe: a file is there as a whole, so that nobody has to feed a command that reads
    // slowly, or not at all, and nothing raises SIGPIPE.
    const base::Fd request = base::make_sealed_memory("oauth3-review", request_json);
    Child child(command_, environment_, request.get());
    Watch watch(child, stop, deadline);
    const End end = watch.wait();
    const std::optional<int> status = child.end();
    watch.take_rest();
    log_stderr(watch.err().kept);
    switch (end) {
        case End::died:
            return opinion_of(status, watch.out());
        case End::deadline:
            return no_opinion(
                fmt::format("the review command did not answer within {} ms", limit_.count()));
        case End::stopped:
            return stopped();
        case End::too_much:
            return read_opinion(watch.out().kept);
    }
    return no_opinion("it is not known how the review command ended");
}

}  // namespace oauth3::notify
