#include "jail/supervise.h"

#include "base/error.h"
#include "jail/advice.h"
#include "jail/report.h"
#include "jail/watch.h"

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

/// What nobody else holds.
Orders orders_for(const Process& process) {
    const Held& held = process.held();
    const Limits& limits = process.limits();
    Orders orders;
    if (held.memory == Keeper::watch) orders.memory_bytes = limits.memory_bytes;
    if (held.tasks == Keeper::watch) orders.tasks = limits.processes;
    constexpr std::uint64_t kForEver = std::uint64_t{1} << 32;
    if (held.cpu_time == Keeper::watch)
        orders.cpu = std::chrono::seconds(std::min(process.cpu_seconds(), kForEver));
    orders.account = process.account();
    return orders;
}

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
          err_{process_.err(), options.err_cap},
          watcher_(process_.pid(), orders_for(process_)) {
        exit_.held = process_.held();
        look_again();
    }

    Exit run() {
        while (!wait_for_something()) {
        }
        // All that held the other ends is dead, so these come to an end.
        while (out_.read_once()) {
        }
        while (err_.read_once()) {
        }
        take_last_reports();
        if (!decided_) {
            // Pid 1 was killed from outside.
            exit_.ending = Ending::signalled;
            exit_.signal = SIGKILL;
        }
        name_limit();
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
        if (!decided_ && next_look_ && Clock::now() >= *next_look_) watch();
        return false;
    }

    void look_again() {
        const auto pause = watcher_.next();
        if (pause)
            next_look_ = Clock::now() + *pause;
        else
            next_look_.reset();
    }

    void watch() {
        const Watcher::Finding finding = watcher_.look();
        look_again();
        // If it is dead by now, its number may be another's, and so may be what was seen.
        pollfd death{process_.pidfd(), POLLIN, 0};
        if (::poll(&death, 1, 0) != 0) return;
        switch (finding) {
            case Watcher::Finding::good:
                return;
            case Watcher::Finding::memory:
                return end_by_force(Ending::memory);
            case Watcher::Finding::tasks:
                return end_by_force(Ending::tasks);
            case Watcher::Finding::cpu:
                return end_by_force(Ending::cpu);
        }
    }

    /// The helper's last word, or the end of the socket, comes as soon as it has reaped the jail.
    /// Should it hang, the run still ends.
    void take_last_reports() {
        const auto until = Clock::now() + std::chrono::seconds(2);
        for (bool more = true; more && !used_;) {
            pollfd status{process_.status(), POLLIN, 0};
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
            const int ready = ::poll(&status, 1, std::max(0, static_cast<int>(left.count())));
            more = ready < 0 ? errno == EINTR : ready > 0 && (status.revents & POLLHUP) == 0;
            take_reports();
        }
        exit_.usage.peak_memory_bytes =
            std::max(exit_.usage.peak_memory_bytes, watcher_.peak_memory_bytes());
        exit_.usage.peak_tasks = std::max(exit_.usage.peak_tasks, watcher_.peak_tasks());
        exit_.usage.cpu_user = std::max(exit_.usage.cpu_user, watcher_.cpu_user());
        exit_.usage.cpu_system = std::max(exit_.usage.cpu_system, watcher_.cpu_system());
    }

    /// An end that only looks like the program's own.
    void name_limit() {
        if (exit_.ending != Ending::exited && exit_.ending != Ending::signalled) return;
        if (oom_) {
            exit_.ending = Ending::memory;
            return;
        }
        const std::chrono::seconds cpu(process_.cpu_seconds());
        if (exit_.ending == Ending::signalled && cpu.count() > 0 &&
            (exit_.signal == SIGXCPU || exit_.signal == SIGKILL) &&
            exit_.usage.cpu_user + exit_.usage.cpu_system >= cpu)
            exit_.ending = Ending::cpu;
    }

    void end_by_force(Ending why) {
        exit_.ending = why;
        decided_ = true;
        process_.kill();
    }

    void take_reports() {
        while (std::optional<Report> report = receive_report(process_.status(), false)) {
            if (report->kind == Report::Kind::exited || report->kind == Report::Kind::used)
                take_usage(*report);
            if (decided_) continue;
            switch (report->kind) {
                case Report::Kind::started:
                case Report::Kind::used:
                    break;
                case Report::Kind::failed:
                    decided_ = true;
                    exit_.ending = Ending::setup_failed;
                    exit_.setup_error = std::move(report->text);
                    exit_.setup_hint = advice_for(report->number);
                    process_.kill();
                    break;
                case Report::Kind::exited:
                    decided_ = true;
                    take_wait_status(report->number);
                    process_.kill();  // pid 1 ends by itself; from here on no clock looks after it
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
        exit_.usage.peak_memory_bytes = report.peak_memory_bytes;
        exit_.usage.largest_process_bytes = report.largest_process_bytes;
        exit_.usage.peak_tasks = report.peak_tasks;
        if (report.kind != Report::Kind::used) return;
        used_ = true;
        oom_ = report.oom;
    }

    int stop_fd() const { return !decided_ && options_.stop != nullptr ? options_.stop->fd() : -1; }

    Clock::time_point deadline() const {
        // Far enough for everybody, and no overflow.
        constexpr std::chrono::milliseconds kYear = std::chrono::hours(24 * 365);
        return process_.started() + std::min(options_.deadline, kYear);
    }

    /// For poll(2), rounded up so that the time has passed when it returns.
    int milliseconds_left() const {
        if (decided_) return -1;
        const auto next = next_look_ ? std::min(*next_look_, deadline()) : deadline();
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now()).count();
        constexpr std::int64_t kHour = 3'600'000;
        return static_cast<int>(std::clamp<std::int64_t>(left, 0, kHour));
    }

    Process process_;
    const SuperviseOptions& options_;
    Stream out_;
    Stream err_;
    Watcher watcher_;
    std::optional<Clock::time_point> next_look_;
    Exit exit_;
    bool used_ = false;  ///< the helper's last word is there
    bool oom_ = false;
    bool status_open_ = true;
    bool decided_ = false;  ///< why the run ends is known; the rest is waiting for its death
};

}  // namespace

Exit supervise(Process process, const SuperviseOptions& options) {
    return Supervisor(std::move(process), options).run();
}

}  // namespace oauth3::jail
