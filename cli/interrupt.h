#pragma once

namespace oauth3::cli {

/// A descriptor that becomes readable at the first Ctrl-C (SIGINT) or SIGTERM. The first call
/// installs the handler, and makes writing to a closed pipe an error instead of a death. A second
/// signal kills as usual.
int interrupt_fd();

/// For a process that was forked and goes on in the background: its own descriptor, which becomes
/// readable at the first SIGTERM. Signals of a terminal are ignored from now on.
int interrupt_fd_of_worker();

}  // namespace oauth3::cli
