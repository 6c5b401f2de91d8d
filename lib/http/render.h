#pragma once

#include "http/message.h"

#include <ctime>
#include <string>

namespace oauth3::http {

/// True if the response can go over the wire: a final status (200..599), names that are tokens,
/// values without control characters.
bool is_sendable(const Response& response);

/// False for the statuses that never have a body (204, 304).
bool has_body(unsigned status);

/// Status line, headers and the empty line, always as HTTP/1.1. `connection` is the value of the
/// Connection header, none if empty; `date` the value of Date.
std::string render_head(const Response& response, std::string_view connection,
                        std::string_view date);

/// The time as RFC 9110 wants it in Date: "Sun, 06 Nov 1994 08:49:37 GMT".
std::string format_date(std::time_t time);

}  // namespace oauth3::http
