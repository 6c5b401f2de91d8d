#pragma once

#include "http/message.h"

#include <sys/types.h>

#include <optional>

namespace oauth3::http {

/// The user who owns the socket at the other end of a TCP connection within this machine, as the
/// kernel's table of connections says (sock_diag(7): one exact look-up, a few microseconds).
/// nullopt if the connection is not over loopback, if that socket is closed by now, belongs to
/// another network namespace, or if the kernel does not tell.
std::optional<uid_t> loopback_peer_uid(const Request& request);

}  // namespace oauth3::http
