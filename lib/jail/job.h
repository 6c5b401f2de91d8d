#pragma once

#include "jail/spec.h"

#include <string>
#include <string_view>

namespace oauth3::jail {

/// The bytes in which a Spec travels from the server to the jail's pid 1 (both are this program:
/// the form has no version). The helper in between does not read them.
/// Throws Error "bad_job" for what no jail can be made of: a NUL inside a text, a program or root
/// that is not absolute, a file that would not be below /tmp.
std::string encode_job(const Spec& spec);

/// The reverse. Throws Error "bad_job" if the bytes are not what encode_job() makes.
Spec decode_job(std::string_view bytes);

}  // namespace oauth3::jail
