#pragma once

#include "base/fd.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace oauth3::jail {

/// Descriptors that one packet carries at most.
inline constexpr std::size_t kMaxPassed = 4;

/// Sends one packet, not empty, with copies of the descriptors (SCM_RIGHTS). False, with errno,
/// if it could not be sent; SIGPIPE is never raised.
bool send_with_fds(int socket, std::string_view bytes, std::span<const int> fds,
                   int flags) noexcept;

/// Receives one packet and fills `fds` from the front; those that did not come, or for which this
/// process has no room, stay empty. Returns the size, 0 at the end of the socket, and nothing if
/// MSG_DONTWAIT is among `flags` and there is none. Throws SystemError.
std::optional<std::size_t> receive_with_fds(int socket, std::span<char> bytes,
                                            std::span<base::Fd> fds, int flags);

}  // namespace oauth3::jail
