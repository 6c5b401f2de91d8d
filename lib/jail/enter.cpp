#include "jail/enter.h"

#include "base/error.h"
#include "base/fd.h"
#include "jail/cgroup.h"
#include "jail/init.h"
#include "jail/job.h"
#include "jail/landlock.h"
#include "jail/limits.h"
#include "jail/mounts.h"
#include "jail/namespaces.h"
#include "jail/privileges.h"
#include "jail/report.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <exception>

namespace oauth3::jail {
namespace {

/// Where arrange_descriptors() puts things.
enum Place : int { kIn, kOut, kErr, kStatus, kJob, kGo, kPlaces };

/// Nothing stays open but what a jail needs, in known places; above 2, close-on-exec.
void arrange_descriptors(const Handles& handles) {
    const std::array<int, kPlaces> wanted{kIn,         handles.out, handles.err, handles.status,
                                          handles.job, handles.go};
    std::array<int, kPlaces> high{};
    // First out of the way of the places, so that none is overwritten before it was moved.
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        high[i] = ::fcntl(wanted[i], F_DUPFD, kPlaces);
        if (high[i] < 0) base::throw_errno("arrange descriptors");
    }
    for (int i = 0; i < kPlaces; ++i)
        if (::dup3(high[static_cast<std::size_t>(i)], i, i > kErr ? O_CLOEXEC : 0) < 0)
            base::throw_errno("arrange descriptors");
    if (::close_range(kPlaces, ~0U, 0) != 0) base::throw_errno("close_range");
}

/// The jail must not outlive the helper. Asked for twice, since losing privileges clears it.
void die_with_spawner() {
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) base::throw_errno("PR_SET_PDEATHSIG");
    // It may have died before that: then the pipe that it holds has hung up.
    pollfd spawner{kGo, 0, 0};
    if (::poll(&spawner, 1, 0) != 0) ::_exit(1);
}

void wait_until_mapped() {
    char byte = 0;
    ssize_t size = -1;
    do size = ::read(kGo, &byte, 1);
    while (size < 0 && errno == EINTR);
    if (size != 1) ::_exit(1);
}

/// A stdin that is always at its end, and the jail's own: no descriptor leads to the host.
void open_stdin() {
    const base::Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!null || ::dup2(null.get(), kIn) < 0) base::throw_errno("open /dev/null");
}

void enter_isolation(const Spec& spec, const seccomp::Filters& filters) {
    ::umask(0077);
    if (::setsid() < 0) base::throw_errno("setsid");
    namespaces::forbid_nested();
    namespaces::limit_watches();
    namespaces::set_names(spec.hostname);
    mounts::cut_propagation();
    {
        const mounts::Sources sources = mounts::take(spec);
        privileges::become_inside_user();  // nothing of the host can be opened from here on
        mounts::fill(spec, sources);
        mounts::pivot(sources.root);
    }
    open_stdin();
    privileges::leave_keyring();
    limits::apply(spec.limits);
    privileges::drop_all();  // ======== privileges end here ========
    if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) base::throw_errno("PR_SET_DUMPABLE");
    die_with_spawner();
    if (!spec.without.landlock) landlock::restrict_self();
    if (!spec.without.syscall_filter)
        seccomp::apply(filters[static_cast<std::size_t>(spec.syscalls)]);
}

}  // namespace

void enter(const Handles& handles, const seccomp::Filters& filters) noexcept {
    int status = handles.status;
    try {
        ::prctl(PR_SET_NAME, "oauth3-init", 0, 0, 0);
        if (handles.group != nullptr) handles.group->enter();
        namespaces::leave_cgroups();
        arrange_descriptors(handles);
        status = kStatus;
        die_with_spawner();
        constexpr std::size_t kMaxJob = std::size_t{64} << 20;
        const Spec spec = decode_job(base::read_all(kJob, kMaxJob));
        ::close(kJob);
        wait_until_mapped();
        enter_isolation(spec, filters);
        run_init(spec, kStatus);
    } catch (const base::SystemError& error) {
        report_failed(status, error.number(), error.what());
    } catch (const std::exception& error) {
        report_failed(status, 0, error.what());
    }
    ::_exit(1);
}

}  // namespace oauth3::jail
