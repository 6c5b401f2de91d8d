#pragma once

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
    setup_failed,  ///< the program never started: `setup_error`
};

/// What the run used, in all its processes that had ended before the program did.
struct Usage {
    std::chrono::microseconds wall{0};  ///< from the launch until the last process was dead
    std::chrono::microseconds cpu_user{0};
    std::chrono::microseconds cpu_system{0};
    std::uint64_t max_rss_bytes = 0;  ///< of the largest process
};

struct Exit {
    Ending ending = Ending::setup_failed;
    int status = 0;
    int signal = 0;
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

/// Stays with a jail until nothing in it lives any more: collects output, holds the deadline,
/// kills the whole tree, and only then drains what is left in the pipes. Nothing that a program
/// does (ignoring signals, daemons that hold stdout, closing stdout) makes it wait longer than
/// the deadline. Blocks. Throws SystemError only when the machine is out of memory.
Exit supervise(Process process, const SuperviseOptions& options);

}  // namespace oauth3::jail
