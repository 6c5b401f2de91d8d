#include "jail/helper.h"

#include "base/error.h"
#include "base/files.h"
#include "jail/cells.h"
#include "jail/job.h"
#include "jail/passing.h"
#include "jail/report.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <list>
#include <string>

namespace oauth3::jail {
namespace {

/// A jail with a job.
struct Live {
    Cell cell;
    base::Fd status;
    bool killed = false;
};

/// The kernel's count for the group, and without one what was reaped.
Report used_by(const GroupUsage& group, const rusage& reaped) {
    Report report;
    report.cpu_user = group.cpu_user.value_or(from_timeval(reaped.ru_utime));
    report.cpu_system = group.cpu_system.value_or(from_timeval(reaped.ru_stime));
    report.largest_process_bytes = static_cast<std::uint64_t>(reaped.ru_maxrss) * 1024;
    report.peak_memory_bytes = group.peak_memory_bytes.value_or(report.largest_process_bytes);
    report.peak_tasks = group.peak_tasks.value_or(0);
    report.oom = group.oom;
    return report;
}

/// Sent to this process when the server is dead, however that happened: then all jails end, and
/// their groups are removed. Blocked but while waiting, so that it is never missed.
const int kServerDied = SIGRTMIN;
volatile std::sig_atomic_t server_died = 0;

void wait_for_server_death() {
    struct sigaction action {};
    action.sa_handler = [](int) { server_died = 1; };
    ::sigaction(kServerDied, &action, nullptr);
    sigset_t blocked;
    ::sigemptyset(&blocked);
    ::sigaddset(&blocked, kServerDied);
    ::sigprocmask(SIG_SETMASK, &blocked, nullptr);
    if (::prctl(PR_SET_PDEATHSIG, kServerDied, 0, 0, 0) != 0) base::throw_errno("PR_SET_PDEATHSIG");
}

int wait_for(std::vector<pollfd>& watched, int milliseconds) {
    sigset_t none;
    ::sigemptyset(&none);
    const timespec limit{milliseconds / 1000, milliseconds % 1000 * 1'000'000L};
    return ::ppoll(watched.data(), watched.size(), milliseconds < 0 ? nullptr : &limit, &none);
}

class Helper {
  public:
    explicit Helper(base::Fd socket) : socket_(std::move(socket)) {}
    ~Helper() { end_all(); }
    Helper(const Helper&) = delete;
    Helper& operator=(const Helper&) = delete;

    /// Spawner::start() waits for this packet.
    void tell_ready() const {
        const Ready ready = cells_.ready();
        std::string packet(reinterpret_cast<const char*>(&ready), sizeof ready);
        packet += cells_.reasons();
        packet.resize(std::min(packet.size(), kMaxReady));
        if (!send_with_fds(socket_.get(), packet, {}, 0))
            base::throw_errno("tell that it is ready");
    }

    void run() {
        while (wait_and_reap())
            if (!take_job()) return;
    }

  private:
    void end_all() {
        for (const Live& jail : jails_) jail.cell.kill();
        for (const Live& jail : jails_) jail.cell.reap();
        jails_.clear();
    }

    /// Blocks until there is a job (or the end of the socket), and meanwhile reaps jails and kills
    /// those that nobody supervises any more.
    bool wait_and_reap() {
        for (;;) {
            std::vector<pollfd> watched;
            watched.push_back({socket_.get(), POLLIN, 0});
            for (const Live& jail : jails_) {
                watched.push_back({jail.cell.pidfd.get(), POLLIN, 0});
                watched.push_back({jail.killed ? -1 : jail.status.get(), 0, 0});
                watched.push_back({jail.killed ? -1 : jail.cell.group.oom_event(), POLLIN, 0});
            }
            const std::size_t spares = watched.size();
            cells_.watch(watched);
            const int ready = wait_for(watched, cells_.chore_due());
            if (server_died != 0) return false;
            if (ready < 0) {
                if (errno == EINTR) continue;
                return false;
            }
            if (ready == 0) {
                cells_.do_chore();
                continue;
            }
            cells_.look(std::span(watched).subspan(spares));
            std::size_t i = 1;
            for (auto jail = jails_.begin(); jail != jails_.end(); i += 3) {
                const bool dead = watched[i].revents != 0;
                // Nobody supervises it any more, or memory has run out: version 1 kills only one
                // process then, and the program would go on in a state that nobody has thought of.
                if (!dead && (watched[i + 1].revents != 0 || watched[i + 2].revents != 0)) {
                    jail->cell.group.kill();
                    jail->cell.kill();
                    jail->killed = true;
                }
                if (!dead) {
                    ++jail;
                    continue;
                }
                const rusage reaped = jail->cell.reap();
                report_used(jail->status.get(), used_by(jail->cell.group.usage(), reaped));
                cells_.give_back(std::move(jail->cell));
                jail = jails_.erase(jail);
            }
            if (watched[0].revents != 0) return true;
        }
    }

    /// False at the end of the socket.
    bool take_job() {
        std::array<base::Fd, kMaxPassed> fds;
        const auto size = receive_with_fds(socket_.get(), packet_, fds, MSG_DONTWAIT);
        if (!size) return true;
        if (*size == 0) return false;
        // Without a status socket there is nobody to tell: the server sees it close.
        if (!fds[0]) return true;
        try {
            if (!fds.back()) throw base::SystemError(EMFILE, "take the job's descriptors");
            start({packet_.data(), *size}, fds);
        } catch (const base::SystemError& error) {
            report_failed(fds[0].get(), error.number(), error.what());
        } catch (const std::exception& error) {
            report_failed(fds[0].get(), 0, error.what());
        }
        return true;
    }

    void start(std::string_view isolation, std::array<base::Fd, kMaxPassed>& fds) {
        std::array<int, kMaxPassed> handover{};
        std::transform(fds.begin(), fds.end(), handover.begin(),
                       [](const base::Fd& fd) { return fd.get(); });
        Cell cell = cells_.take(isolation);
        try {
            const base::Fd account = cell.group.open_account();
            // Before the jail itself can report anything.
            report_started(handover[0], cell.pid, cell.pidfd.get(), account.get(),
                           cells_.held_by(cell, static_cast<bool>(account)));
            cells_.employ(cell, handover);
        } catch (...) {
            cells_.discard(std::move(cell));
            throw;
        }
        jails_.push_back({std::move(cell), std::move(fds[0]), false});
    }

    base::Fd socket_;
    Cells cells_;
    std::list<Live> jails_;
    std::array<char, kMaxIsolation> packet_{};
};

/// The terminal's signals are for the server, which stops in order; this process ends with it.
void ignore_signals() {
    struct sigaction normal {};
    normal.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; ++number) ::sigaction(number, &normal, nullptr);
    struct sigaction ignored {};
    ignored.sa_handler = SIG_IGN;
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2})
        ::sigaction(number, &ignored, nullptr);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// Keeps the socket and stderr (where sanitizers and the C library write), and nothing else.
base::Fd keep_only(base::Fd socket) {
    base::Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null) base::throw_errno("open /dev/null");
    base::Fd kept(::fcntl(socket.get(), F_DUPFD_CLOEXEC, 3));
    if (!kept) base::throw_errno("keep the socket");
    ::dup2(null.get(), 0);
    ::dup2(null.get(), 1);
    null.reset();
    socket.reset();
    const auto number = static_cast<unsigned>(kept.get());
    if (number > 3 && ::close_range(3, number - 1, 0) != 0) base::throw_errno("close_range");
    if (::close_range(number + 1, ~0U, 0) != 0) base::throw_errno("close_range");
    return kept;
}

void prepare() {
    ::prctl(PR_SET_NAME, "oauth3-spawner", 0, 0, 0);
    ::setsid();
    ignore_signals();
    wait_for_server_death();
    // A non-dumpable parent that is not root could not write its children's id maps.
    if (::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0) base::throw_errno("PR_SET_DUMPABLE");
    // Groups stay with a process over every change of its ids. A root without the right to change
    // them lives in a user namespace, and gets no ids of its own for its jails either.
    if (::geteuid() == 0 && ::setgroups(0, nullptr) != 0 && errno != EPERM)
        base::throw_errno("setgroups");
    if (::chdir("/") != 0) base::throw_errno("chdir");
    // Four descriptors for each jail.
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &files);
    }
}

}  // namespace

void run_helper(base::Fd socket) noexcept {
    try {
        prepare();
        socket = keep_only(std::move(socket));
        Helper helper(std::move(socket));
        helper.tell_ready();
        helper.run();
    } catch (const std::exception& error) {
        const std::string line = std::string("oauth3: the spawner ends: ") + error.what() + "\n";
        [[maybe_unused]] const ssize_t written = ::write(2, line.data(), line.size());
    }
    ::_exit(0);
}

}  // namespace oauth3::jail
