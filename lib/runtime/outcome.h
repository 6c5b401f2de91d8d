#pragma once

#include "jail/keeper.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace oauth3::runtime {

/// Why a run ended.
enum class Cause {
    finished,   ///< the program ended by itself: exit_code
    signal,     ///< a signal ended it: signal
    deadline,   ///< its time was over, on the clock or on the processors
    memory,     ///< it wanted more memory than it may have
    cancelled,  ///< somebody asked for it
    tripwire,   ///< it did what it must not even try
    setup,      ///< it never started: setup_error
};

/// The word of the enum.
std::string_view to_string(Cause cause);

struct Usage {
    std::chrono::milliseconds wall{0};
    std::chrono::milliseconds cpu_user{0};
    std::chrono::milliseconds cpu_system{0};
    /// As jail::Usage.
    std::uint64_t peak_memory_bytes = 0;
    std::uint64_t largest_process_bytes = 0;
    std::uint64_t peak_tasks = 0;
    jail::Held held;
};

/// How a run ended and what it said.
struct Outcome {
    Cause cause = Cause::setup;
    /// Always set: the program's own, 124 after the deadline, 128 + signal after a signal,
    /// 126 if it never started.
    int exit_code = 126;
    /// The signal that ended it, 0 for none.
    int signal = 0;
    /// What the program wrote, as bytes: cut at the cap, not checked to be UTF-8.
    std::string out;
    std::string err;
    bool out_truncated = false;
    bool err_truncated = false;
    /// One sentence for a human, only if cause is setup.
    std::string setup_error;
    Usage usage;
};

}  // namespace oauth3::runtime
