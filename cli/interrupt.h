#pragma once

namespace oauth3::cli {

/// A descriptor that becomes readable at the first Ctrl-C (SIGINT) or SIGTERM. The first call
/// installs the handler, and makes writing to a closed pipe an error instead of a death. A second
/// signal kills as usual.
int interrupt_fd();

}  // namespace oauth3::cli
