#pragma once

#include "jail/keeper.h"
#include "jail/process.h"
#include "jail/stop_signal.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace oauth3::jail {

struct SuperviseOptions {
    /// Counted from the launch. When it has passed, the whole tree is killed.
    std::chrono::milliseconds deadline{30'000};
    /// Bytes kept of each stream; what comes after is read and dropped while the run goes on.
    std::size_t out_cap = std::size_t{1} << 20;
    std::size_t err_cap = std::size_t{1} << 20;
    /// May be null. When it is set, the whole tree is killed.
    const StopSignal* stop = nullptr;
};

enum class Ending {
    exited,        ///< the program ended by itself: `status`
    signalled,     ///< a signal ended it: `signal`
    deadline,      ///< killed, because its time was over
    stopped,       ///< killed, because StopSignal said so
    memory,        ///< killed, because it wanted more memory than it may have
    cpu,           ///< killed, because its processor time was used up
    tasks,         ///< killed, because it had more processes and threads than it may have
    setup_failed,  ///< the program never started: `setup_error`
};

/// What the run used, in all its processes. Where the kernel does not count for the whole jail, and
/// it was killed, as last seen by the watcher.
struct Usage {
    std::chrono::microseconds wall{0};  ///< from the launch until the last process was dead
    std::chrono::microseconds cpu_user{0};
    std::chrono::microseconds cpu_system{0};
    /// As the kernel counted it for the group, where it did (Held::memory); files in /tmp and the
    /// kernel's own memory for the jail count then. Else the largest process, or what the watcher
    /// saw at most, if that is more.
    std::uint64_t peak_memory_bytes = 0;
    std::uint64_t largest_process_bytes = 0;  ///< resident set, files that it maps included
    /// Processes and threads at the same time, pid 1 included; 0 if nobody counted.
    std::uint64_t peak_tasks = 0;
};

struct Exit {
    Ending ending = Ending::setup_failed;
    int status = 0;
    int signal = 0;
    /// Who held the limits of this run.
    Held held;
    /// The step that failed and why: "mount /proc: Operation not permitted". Then how to mend it,
    /// if that is known.
    std::string setup_error;
    std::string setup_hint;
    /// Bytes as the program wrote them.
    std::string out;
    std::string err;
    bool out_truncated = false;
    bool err_truncated = false;
    Usage usage;
};

/// Stays with a jail until nothing in it lives any more: collects output, holds the deadline and
/// those limits that the kernel does not hold (up to 1 s late), kills the whole tree, and only then
/// drains what is left in the pipes. Nothing that a program does (ignoring signals, daemons that
/// hold stdout, closing stdout) makes it wait longer than the deadline. Blocks. Throws SystemError
/// only when the machine is out of memory.
Exit supervise(Process process, const SuperviseOptions& options);

}  // namespace oauth3::jail
