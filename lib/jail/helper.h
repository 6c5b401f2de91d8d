#pragma once

#include "base/fd.h"

namespace oauth3::jail {

/// The whole life of the helper process, right after fork: takes jobs from `socket`, starts a jail
/// for each, reaps them, and ends, killing all of them, when the other end of the socket closes.
///
/// A job is one packet of one byte with four descriptors: the status socket's end, the job's bytes
/// in memory, and the write ends of stdout and stderr.
[[noreturn]] void run_helper(base::Fd socket) noexcept;

}  // namespace oauth3::jail
