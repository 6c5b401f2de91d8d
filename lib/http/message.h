#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace oauth3::http {

/// Header names and values, or form names and values, in the order in which they came.
using Fields = std::vector<std::pair<std::string, std::string>>;

/// One request as it came over the wire. Its framing is well-formed (RFC 9112) and it has exactly
/// one valid Host if it is HTTP/1.1; nothing else about it is checked.
struct Request {
    std::string method;               ///< as sent; methods are case-sensitive
    std::string path;                 ///< raw, as sent, without the query; "/..." or "*"
    std::string query;                ///< raw, what follows the first '?'
    std::vector<std::string> params;  ///< set from Match::params: the decoded ':name' segments
    Fields fields;                    ///< all header fields; trailers of a chunked body are dropped
    std::string body;                 ///< whole, without any transfer coding
    std::string remote_address;       ///< "127.0.0.1" or "::1", without the port; "" if unix
    std::uint16_t remote_port = 0;    ///< 0 if unix
    bool remote_is_loopback = false;  ///< true for a unix socket too: it is this machine
    std::string local_address;        ///< the server's end of the connection; "" if unix
    std::uint16_t local_port = 0;
    int listener = 0;               ///< Listener::tag of where it came in
    bool is_tls = false;            ///< came over TLS that ends in this server
    std::optional<uid_t> peer_uid;  ///< set iff it came over a unix socket (SO_PEERCRED)

    /// The first value of a header, "" if absent. Names are case-insensitive.
    std::string_view header(std::string_view name) const;
    bool has_header(std::string_view name) const;
    /// All values of a header, in order.
    std::vector<std::string_view> headers(std::string_view name) const;
    /// True if Content-Type names this media type, such as "application/json", whatever its
    /// parameters are.
    bool is_of_type(std::string_view media_type) const;
    /// The first value of a query parameter, percent- and plus-decoded; nullopt if absent. A pair
    /// that cannot be decoded counts as absent.
    std::optional<std::string> query_value(std::string_view name) const;
};

/// What is sent back. Content-Length, Connection, Date and Transfer-Encoding are the server's own:
/// these names are skipped in `headers`. A name that is not a token, or a value with control
/// characters, makes the whole response an internal failure (nobody can split a response).
/// The reply to HEAD is given with the body that GET would have: it is counted and not sent.
struct Response {
    unsigned status = 200;
    Fields headers;
    std::string body;
    bool close = false;  ///< close the connection after this response
};

/// ASCII case-insensitive equality, as header names and most tokens of HTTP want it.
bool equal_ignoring_case(std::string_view a, std::string_view b);

/// Without blanks and tabs at both ends: the optional white space of RFC 9110 section 5.6.3.
std::string_view trim(std::string_view text);

/// True for a non-empty "token" of RFC 9110 section 5.6.2.
bool is_token(std::string_view text);

/// True if `value` may stand in a header: no control characters but tab.
bool is_field_value(std::string_view value);

}  // namespace oauth3::http
