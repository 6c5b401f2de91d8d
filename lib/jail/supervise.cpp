#include "jail/supervise.h"

#include "base/error.h"
#include "jail/advice.h"
#include "jail/report.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>

namespace oauth3::jail {
namespace {

using Clock = std::chrono::steady_clock;

/// What is kept of one stream.
struct Stream {
    int fd;
    std::size_t cap;
    std::string kept = {};
    bool truncated = false;
    bool open = true;

    /// Reads what fits the buffer. False if there is nothing now.
    bool read_once() {
        std::array<char, 65536> buffer;
        const ssize_t size = ::read(fd, buffer.data(), buffer.size());
        if (size < 0 && errno == EINTR) return true;
        if (size < 0 && errno == EAGAIN) return false;
        if (size <= 0) {
            open = false;
            return false;
        }
        const auto read = static_cast<std::size_t>(size);
        const std::size_t wanted = std::min(read, cap - kept.size());
        kept.append(buffer.data(), wanted);
        truncated = truncated || wanted < read;
        return true;
    }

    int watched() const { return open ? fd : -1; }
};

class Supervisor {
  public:
    Supervisor(Process process, const SuperviseOptions& options)
        : process_(std::move(process)),
          options_(options),
          out_{process_.out(), options.out_cap},
          err_{process_.err(), options.err_cap} {}

    Exit run() {
        while (!wait_for_something()) {
        }
        // All that held the other ends is dead, so these come to an end.
        while (out_.read_once()) {
        }
        while (err_.read_once()) {
        }
        take_reports();
        if (!decided_) {
            // Pid 1 was killed from outside, as the kernel does when memory is short.
            exit_.ending = Ending::signalled;
            exit_.signal = SIGKILL;
        }
        exit_.out = std::move(out_.kept);
        exit_.err = std::move(err_.kept);
        exit_.out_truncated = out_.truncated;
        exit_.err_truncated = err_.truncated;
        exit_.usage.wall = std::chrono::duration_cast<std::chrono::microseconds>(
            Clock::now() - process_.started());
        return std::move(exit_);
    }

  private:
    /// True when nothing lives in the jail any more.
    bool wait_for_something() {
        enum Watched : std::size_t { kDeath, kStatus, kOut, kErr, kStop };
        std::array<pollfd, 5> watched{{{process_.pidfd(), POLLIN, 0},
                                       {status_open_ ? process_.status() : -1, POLLIN, 0},
                                       {out_.watched(), POLLIN, 0},
                                       {err_.watched(), POLLIN, 0},
                                       {stop_fd(), POLLIN, 0}}};
        if (::poll(watched.data(), watched.size(), milliseconds_left()) < 0) {
            if (errno == EINTR) return false;
            base::throw_errno("poll");
        }
        if (watched[kDeath].revents != 0) return true;
        if (watched[kStatus].revents != 0) {
            take_reports();
            status_open_ = (watched[kStatus].revents & POLLHUP) == 0;
        }
        if (watched[kOut].revents != 0) out_.read_once();
        if (watched[kErr].revents != 0) err_.read_once();
        if (!decided_ && watched[kStop].revents != 0) end_by_force(Ending::stopped);
        if (!decided_ && Clock::now() >= deadline()) end_by_force(Ending::deadline);
        return false;
    }

    void end_by_force(Ending why) {
        exit_.ending = why;
        decided_ = true;
        process_.kill();
    }

    void take_reports() {
        while (std::optional<Report> report = receive_report(process_.status(), false)) {
            if (report->kind == Report::Kind::exited) take_usage(*report);
            if (decided_) continue;
            switch (report->kind) {
                case Report::Kind::started:
                    break;
                case Report::Kind::failed:
                    decided_ = true;
                    exit_.ending = Ending::setup_failed;
                    exit_.setup_error = std::move(report->text);
                    exit_.setup_hint = advice_for(report->number);
                    break;
                case Report::Kind::exited:
                    decided_ = true;
                    take_wait_status(report->number);
                    break;
            }
        }
    }

    void take_wait_status(int wait_status) {
        if (WIFSIGNALED(wait_status)) {
            exit_.ending = Ending::signalled;
            exit_.signal = WTERMSIG(wait_status);
        } else {
            exit_.ending = Ending::exited;
            exit_.status = WEXITSTATUS(wait_status);
        }
    }

    void take_usage(const Report& report) {
        exit_.usage.cpu_user = report.cpu_user;
        exit_.usage.cpu_system = report.cpu_system;
        exit_.usage.max_rss_bytes = report.max_rss_bytes;
    }

    int stop_fd() const { return !decided_ && options_.stop != nullptr ? options_.stop->fd() : -1; }

    Clock::time_point deadline() const {
        // Far enough for everybody, and no overflow.
        constexpr std::chrono::milliseconds kYear = std::chrono::hours(24 * 365);
        return process_.started() + std::min(options_.deadline, kYear);
    }

    /// For poll(2), rounded up so that the deadline has passed when it returns.
    int milliseconds_left() const {
        if (decided_) return -1;
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline() - Clock::now()).count();
        constexpr std::int64_t kHour = 3'600'000;
        return static_cast<int>(std::clamp<std::int64_t>(left, 0, kHour));
    }

    Process process_;
    const SuperviseOptions& options_;
    Stream out_;
    Stream err_;
    Exit exit_;
    bool status_open_ = true;
    bool decided_ = false;  ///< why the run ends is known; the rest is waiting for its death
};

}  // namespace

Exit supervise(Process process, const SuperviseOptions& options) {
    return Supervisor(std::move(process), options).run();
}

}  // namespace oauth3::jail
