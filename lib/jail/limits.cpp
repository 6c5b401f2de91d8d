#include "jail/limits.h"

#include "base/error.h"

#include <sys/resource.h>

#include <algorithm>

namespace oauth3::jail::limits {
namespace {

/// `above` is how much more the hard limit is than the soft one.
void set(__rlimit_resource resource, std::uint64_t wanted, const char* step, rlim_t above = 0) {
    rlimit limit{};
    if (::getrlimit(resource, &limit) != 0) base::throw_errno(step);
    limit.rlim_max = std::min<rlim_t>(limit.rlim_max, wanted + above);
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, wanted);
    if (::setrlimit(resource, &limit) != 0) base::throw_errno(step);
}

}  // namespace

void apply(const Limits& limits) {
    // Not 0: that limit holds for files only, but where core dumps are piped to a program of the
    // host (core(5)), 1 byte is what the kernel takes for "none" (fs/coredump.c). As a file, too,
    // a byte is less than any dump needs.
    set(RLIMIT_CORE, 1, "limit core dumps");
    set(RLIMIT_NOFILE, limits.open_files, "limit open files");
    // Counted for each user namespace, so that jails do not count for one another (Linux 5.14).
    set(RLIMIT_NPROC, limits.processes, "limit processes");
    set(RLIMIT_FSIZE, limits.file_bytes, "limit file size");
    set(RLIMIT_MEMLOCK, limits.locked_bytes, "limit locked memory");
    set(RLIMIT_MSGQUEUE, 0, "limit message queues");
    // Timers and queued signals, of which the server's user has a number that jails share.
    set(RLIMIT_SIGPENDING, 256, "limit pending signals");
}

void limit_cpu(std::uint64_t seconds) {
    // SIGXCPU first, which says why, and SIGKILL a second later to what ignores it.
    constexpr std::uint64_t kForEver = std::uint64_t{1} << 32;
    if (seconds > 0) set(RLIMIT_CPU, std::min(seconds, kForEver), "limit processor time", 1);
}

}  // namespace oauth3::jail::limits
