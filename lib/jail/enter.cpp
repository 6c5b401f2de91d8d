#include "jail/enter.h"

#include "base/error.h"
#include "base/fd.h"
#include "jail/cgroup.h"
#include "jail/files.h"
#include "jail/init.h"
#include "jail/job.h"
#include "jail/landlock.h"
#include "jail/limits.h"
#include "jail/mounts.h"
#include "jail/namespaces.h"
#include "jail/passing.h"
#include "jail/privileges.h"
#include "jail/report.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <exception>
#include <initializer_list>

namespace oauth3::jail {
namespace {

/// Where things are in all of pid 1's life; above 2, close-on-exec.
enum Place : int { kIn, kOut, kErr, kStatus, kLine, kPlaces };

/// What the helper passes on from the server.
struct Handover {
    base::Fd status;
    base::Fd job;
    base::Fd out;
    base::Fd err;
};

void put(int fd, int place) {
    if (::dup3(fd, place, place > kErr ? O_CLOEXEC : 0) < 0) base::throw_errno("put a descriptor");
}

/// Nothing of the helper stays open but the line to it.
void keep_line(int line) {
    const base::Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!null) base::throw_errno("open /dev/null");
    const base::Fd high(::fcntl(line, F_DUPFD_CLOEXEC, kPlaces));
    if (!high) base::throw_errno("keep the line to the helper");
    put(high.get(), kLine);
    for (const int place : {kIn, kOut, kErr, kStatus}) put(null.get(), place);
    if (::close_range(kPlaces, ~0U, 0) != 0) base::throw_errno("close_range");
}

/// The jail must not outlive the helper. Asked for twice, since losing privileges clears it.
void die_with_helper() {
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) base::throw_errno("PR_SET_PDEATHSIG");
    // It may have died before that: then its end of the line has hung up.
    pollfd helper{kLine, 0, 0};
    if (::poll(&helper, 1, 0) != 0) ::_exit(1);
}

Handover listen() {
    std::array<char, 1> word{};
    std::array<base::Fd, kMaxPassed> fds;
    const auto size = receive_with_fds(kLine, word, fds, 0);
    if (!size || *size == 0) ::_exit(1);
    auto& [status, job, out, err] = fds;
    return {std::move(status), std::move(job), std::move(out), std::move(err)};
}

void tell_ready() {
    if (::send(kLine, &kReady, 1, MSG_NOSIGNAL) != 1) ::_exit(1);
}

/// A stdin that is always at its end, and the jail's own: no descriptor leads to the host.
void open_null() {
    const base::Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!null) base::throw_errno("open /dev/null");
    for (const int place : {kIn, kOut, kErr, kStatus}) put(null.get(), place);
}

void enter_isolation(const Isolation& isolation, const seccomp::Filters& filters) {
    ::umask(0077);
    if (::setsid() < 0) base::throw_errno("setsid");
    namespaces::forbid_nested();
    namespaces::limit_watches();
    namespaces::set_names(isolation.hostname);
    mounts::cut_propagation();
    {
        const mounts::Sources sources = mounts::take(isolation);
        privileges::become_inside_user();  // nothing of the host can be opened from here on
        mounts::fill(isolation, sources);
        mounts::pivot(sources.root);
    }
    open_null();
    privileges::leave_keyring();
    limits::apply(isolation.limits);
    privileges::drop_all();  // ======== privileges end here ========
    if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) base::throw_errno("PR_SET_DUMPABLE");
    die_with_helper();
    if (!isolation.without.landlock) landlock::restrict_self();
    if (!isolation.without.syscall_filter)
        seccomp::apply(filters[static_cast<std::size_t>(isolation.syscalls)]);
}

/// All of this is done as the program itself could: nothing of the job is read outside the jail.
[[noreturn]] void do_job(Handover& handover) {
    if (!handover.err) throw base::SystemError(EMFILE, "take the job's descriptors");
    put(handover.status.get(), kStatus);
    put(handover.out.get(), kOut);
    put(handover.err.get(), kErr);
    constexpr std::size_t kMaxJob = std::size_t{64} << 20;
    const Job job = decode_job(base::read_all(handover.job.get(), kMaxJob));
    handover = {};
    ::close(kLine);
    files::lay(job);
    limits::limit_cpu(job.cpu_seconds);
    run_init(job, kStatus);
}

/// To whoever waits for the job. Without a job there is nobody: the helper sees the death.
void tell_failure(const Handover& handover, bool employed, int number, std::string_view text) {
    if (employed) report_failed(handover.status ? handover.status.get() : kStatus, number, text);
}

}  // namespace

void enter(const Isolation& isolation, const Origin& origin,
           const seccomp::Filters& filters) noexcept {
    Handover handover;
    // Until then kStatus is whatever the helper has there: another job's.
    bool employed = false;
    try {
        ::prctl(PR_SET_NAME, "oauth3-init", 0, 0, 0);
        if (origin.group != nullptr) origin.group->enter();
        namespaces::leave_cgroups();
        keep_line(origin.line);
        die_with_helper();
        handover = listen();  // the ids are mapped
        employed = static_cast<bool>(handover.status);
        enter_isolation(isolation, filters);
        if (!employed) {
            tell_ready();
            handover = listen();
            employed = true;
        }
        do_job(handover);
    } catch (const base::SystemError& error) {
        tell_failure(handover, employed, error.number(), error.what());
    } catch (const std::exception& error) {
        tell_failure(handover, employed, 0, error.what());
    }
    ::_exit(1);
}

}  // namespace oauth3::jail
