#pragma once

#include "jail/spec.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace oauth3::jail {

/// The bytes in which a Spec travels from the server: what the jail is to the helper, what runs in
/// it to the jail's pid 1, past the helper, which does not read it. (All three are this program:
/// the form has no version.)
///
/// Encoding throws Error "bad_job" for what no jail can be made of: a NUL inside a text, a program
/// or root that is not absolute, a file that would not be below /tmp, more than kMaxIsolation
/// bytes of mounts. Decoding does so too, and for bytes that are not what encoding makes.
std::string encode(const Isolation& isolation);
std::string encode(const Job& job);
Isolation decode_isolation(std::string_view bytes);
Job decode_job(std::string_view bytes);

inline constexpr std::size_t kMaxIsolation = std::size_t{32} << 10;

}  // namespace oauth3::jail
