#include "jail/helper.h"

#include "base/error.h"
#include "base/files.h"
#include "jail/cgroup.h"
#include "jail/enter.h"
#include "jail/host_ids.h"
#include "jail/namespaces.h"
#include "jail/passing.h"
#include "jail/report.h"
#include "jail/spawner.h"

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

/// A jail that lives.
struct Live {
    base::Fd pidfd;
    base::Fd status;
    base::Fd go;  ///< held open, so that the jail sees when this process dies
    Cgroup group;
    std::size_t slot = 0;
    bool killed = false;
};

void kill_jail(const base::Fd& pidfd) {
    ::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0);
}

/// What comes back is of pid 1 and those that it had reaped, not of those that died with it. The C
/// library's waitid() does not pass it on.
rusage reap(const base::Fd& pidfd) {
    siginfo_t info{};
    rusage usage{};
    while (::syscall(SYS_waitid, P_PIDFD, pidfd.get(), &info, WEXITED, &usage) != 0 &&
           errno == EINTR) {
    }
    return usage;
}

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

/// Without this the watcher would not find a jail's processes (CONFIG_PROC_CHILDREN).
bool kernel_tells_children() {
    return ::access("/proc/thread-self/children", R_OK) == 0;
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
    explicit Helper(base::Fd socket)
        : socket_(std::move(socket)), ids_(usable_host_ids()), groups_(Cgroups::find()) {}

    /// Spawner::start() waits for this packet.
    void tell_ready() const {
        const Ready ready{held_by(groups_.holds_memory(), groups_.holds_tasks(),
                                  groups_.holds_cpu(), groups_.accounts_cpu()),
                          ids_.separate};
        std::string packet(reinterpret_cast<const char*>(&ready), sizeof ready);
        packet += groups_.reasons();
        packet.resize(std::min(packet.size(), kMaxReady));
        if (!send_with_fds(socket_.get(), packet, {}, 0))
            base::throw_errno("tell that it is ready");
    }

    void run() {
        while (wait_and_reap())
            if (!take_job()) return;
    }

    void end_all() {
        for (const Live& jail : jails_) kill_jail(jail.pidfd);
        for (const Live& jail : jails_) reap(jail.pidfd);
        jails_.clear();
    }

  private:
    Held held_by(bool memory, bool tasks, bool cpu, bool account) const {
        const Keeper watched = can_watch_ ? Keeper::watch : Keeper::none;
        // RLIMIT_NPROC counts for each user namespace (Linux 5.14), or for all of this user's
        // processes, which is less. It does not hold for the host's root.
        const bool limited = ids_.separate || ids_.uid != 0;
        Held held;
        held.memory = memory ? Keeper::kernel : watched;
        held.tasks = tasks || limited ? Keeper::kernel : watched;
        held.cpu = cpu ? Keeper::kernel : Keeper::none;
        held.cpu_time = account ? Keeper::watch : watched;
        held.disk = Keeper::kernel;  // the size of a tmpfs
        return held;
    }

    /// Blocks until there is a job (or the end of the socket), and meanwhile reaps jails and kills
    /// those that nobody supervises any more.
    bool wait_and_reap() {
        for (;;) {
            std::vector<pollfd> watched;
            watched.push_back({socket_.get(), POLLIN, 0});
            for (const Live& jail : jails_) {
                watched.push_back({jail.pidfd.get(), POLLIN, 0});
                watched.push_back({jail.killed ? -1 : jail.status.get(), 0, 0});
                watched.push_back({jail.killed ? -1 : jail.group.oom_event(), POLLIN, 0});
            }
            const int ready = wait_for(watched, groups_.chore_due());
            if (server_died != 0) return false;
            if (ready < 0) {
                if (errno == EINTR) continue;
                return false;
            }
            if (ready == 0) groups_.do_chore();
            std::size_t i = 1;
            for (auto jail = jails_.begin(); jail != jails_.end(); i += 3) {
                const bool dead = watched[i].revents != 0;
                // Nobody supervises it any more, or memory has run out: version 1 kills only one
                // process then, and the program would go on in a state that nobody has thought of.
                if (!dead && (watched[i + 1].revents != 0 || watched[i + 2].revents != 0)) {
                    jail->group.kill();
                    kill_jail(jail->pidfd);
                    jail->killed = true;
                }
                if (!dead) {
                    ++jail;
                    continue;
                }
                const rusage reaped = reap(jail->pidfd);
                report_used(jail->status.get(), used_by(jail->group.usage(), reaped));
                slots_.reset(jail->slot);
                jail = jails_.erase(jail);
            }
            if (watched[0].revents != 0) return true;
        }
    }

    /// False at the end of the socket.
    bool take_job() {
        GroupLimits limits;
        std::array<char, sizeof limits> bytes{};
        std::array<base::Fd, kMaxPassed> fds;
        const auto size = receive_with_fds(socket_.get(), bytes, fds, MSG_DONTWAIT);
        if (!size) return true;
        if (*size == 0) return false;
        auto& [status, job, out, err] = fds;
        // Without a status socket there is nobody to tell: the server sees it close.
        if (!status) return true;
        try {
            if (!err) throw base::SystemError(EMFILE, "take the job's descriptors");
            if (*size != sizeof limits) throw base::SystemError(EBADMSG, "take the job's limits");
            std::memcpy(&limits, bytes.data(), sizeof limits);
            start(std::move(status), job, out, err, limits);
        } catch (const base::SystemError& error) {
            report_failed(status.get(), error.number(), error.what());
        } catch (const std::exception& error) {
            report_failed(status.get(), 0, error.what());
        }
        return true;
    }

    void start(base::Fd&& status, const base::Fd& job, const base::Fd& out, const base::Fd& err,
               const GroupLimits& limits) {
        std::size_t slot = 0;
        while (slot < slots_.size() && slots_[slot]) ++slot;
        if (slot == slots_.size()) throw base::SystemError(EBUSY, "find a free place for the jail");

        base::Pipe go = base::make_pipe();
        Live jail;
        jail.group = groups_.make(limits);
        const pid_t pid = namespaces::clone_into_new(jail.group.fd(), jail.pidfd);
        if (pid == 0) {
            go.write.reset();
            enter({job.get(), out.get(), err.get(), status.get(), go.read.get(), &jail.group},
                  filters_);
        }
        jail.group.started();
        try {
            const auto offset = ids_.separate ? static_cast<uid_t>(slot) : 0;
            const auto map = ids_.by_tool ? namespaces::map_subordinate_ids : namespaces::map_ids;
            map(pid, ids_.uid + offset, ids_.gid + offset);
            const base::Fd account = jail.group.open_account();
            report_started(status.get(), pid, jail.pidfd.get(), account.get(),
                           held_by(jail.group.holds_memory(), jail.group.holds_tasks(),
                                   jail.group.holds_cpu(), static_cast<bool>(account)));
            base::write_all(go.write.get(), "g");
        } catch (...) {
            kill_jail(jail.pidfd);
            reap(jail.pidfd);
            throw;
        }
        slots_.set(slot);
        jail.slot = slot;
        jail.status = std::move(status);
        jail.go = std::move(go.write);
        jails_.push_back(std::move(jail));
    }

    base::Fd socket_;
    const seccomp::Filters filters_ = seccomp::compile_all();
    HostIds ids_;
    bool can_watch_ = kernel_tells_children();
    Cgroups groups_;
    std::list<Live> jails_;
    std::bitset<kMaxJails> slots_;
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
        helper.end_all();
    } catch (const std::exception& error) {
        const std::string line = std::string("oauth3: the spawner ends: ") + error.what() + "\n";
        [[maybe_unused]] const ssize_t written = ::write(2, line.data(), line.size());
    }
    ::_exit(0);
}

}  // namespace oauth3::jail
