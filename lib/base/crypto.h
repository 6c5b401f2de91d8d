#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace oauth3::base {

/// SHA-256 (FIPS 180-4) of the bytes, as 64 lower-case hex digits: the form the wire uses.
std::string sha256_hex(std::string_view bytes);

/// SHA-256 as padded base64 (RFC 4648 section 4): the form that a Content-Security-Policy uses.
std::string sha256_base64(std::string_view bytes);

/// HMAC-SHA-256 (RFC 2104) as 64 lower-case hex digits. The key must be 32 bytes.
std::string hmac_sha256_hex(std::string_view key, std::string_view message);

/// True iff equal; takes the same time wherever the difference is. The length may show.
bool equal_constant_time(std::string_view a, std::string_view b);

/// `count` bytes from the kernel's CSPRNG.
std::string random_bytes(std::size_t count);

/// A number below `bound` (> 0), without bias.
std::size_t random_below(std::size_t bound);

std::string to_hex(std::string_view bytes);

/// RFC 4648 section 5, without padding.
std::string to_base64url(std::string_view bytes);

/// `prefix` + 16 lower-case hex digits from the CSPRNG, such as "exec_5d0c...".
std::string make_id(std::string_view prefix);

/// True iff `id` is `prefix` + 16 lower-case hex digits.
bool is_id(std::string_view id, std::string_view prefix);

/// True iff `text` has exactly `length` characters, all of [0-9a-f].
bool is_lower_hex(std::string_view text, std::size_t length);

}  // namespace oauth3::base
