#pragma once

#include "http/message.h"

#include <cstdint>
#include <optional>
#include <string_view>

// The rules for a request's head that decide where the request ends and whom it is for. They are
// stricter than the parser's: what two programs could read differently is refused, so that nobody
// can smuggle a second request past a proxy (RFC 9112 sections 2.2, 3.2, 5.1, 5.2, 6.1 and 6.3).

namespace oauth3::http {

/// True if `head` (from the request line to the empty line, both included) is CRLF lines without
/// other control characters, a request line, then "name: value" lines: no bare CR or LF, no folded
/// lines, no space before the colon.
bool is_well_formed_head(std::string_view head);

/// How the body comes, and what happens after it.
struct Framing {
    bool chunked = false;
    std::uint64_t content_length = 0;  ///< cut at 2^63
    bool keep_alive = false;
    bool expects_continue = false;
};

/// Reads the framing of a request; `version` is 10 or 11. nullopt if it is ambiguous: more than
/// one Content-Length or Transfer-Encoding, both of them, any coding but "chunked", a missing,
/// doubled or impossible Host.
std::optional<Framing> read_framing(const Fields& fields, int version);

/// Sets path and query from the target of the request line. An absolute target replaces the Host
/// field, as RFC 9112 section 3.2.2 demands. False if the target is malformed.
bool set_target(Request& request, std::string_view target);

}  // namespace oauth3::http
