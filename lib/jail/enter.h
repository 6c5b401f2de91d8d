#pragma once

#include "jail/seccomp.h"

namespace oauth3::jail {

class Cgroup;

/// What a new jail's pid 1 has of the helper, of whose memory it is a copy.
struct Origin {
    /// One end of a seqpacket socket. Over it comes, in one-byte packets, first that the ids are
    /// mapped and then the job: the descriptors of the status socket, of encode(Job) in memory, and
    /// the write ends of stdout and stderr. A jail for a job that waits already gets both in one
    /// packet; another says kReady in between, when all that is left to do is its job.
    int line = -1;
    const Cgroup* group = nullptr;
};

inline constexpr char kGo = 'g';
inline constexpr char kReady = 'r';

/// The whole life of pid 1 of a jail, right after clone3: enters isolation step by step, takes its
/// job, and runs the program. A step that fails is reported by its name to whoever waits for the
/// job, and nothing is run.
[[noreturn]] void enter(const Isolation& isolation, const Origin& origin,
                        const seccomp::Filters& filters) noexcept;

}  // namespace oauth3::jail
