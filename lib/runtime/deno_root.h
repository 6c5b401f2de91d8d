#pragma once

#include <filesystem>

namespace oauth3::runtime {

/// A folder below `folder` that can be "/" of a jail for `binary`: /deno, its loader and its
/// libraries in their usual places, and empty folders proc, dev and tmp; all readable for
/// everybody, though `folder` may be private.
///
/// It is named by the SHA-256 of what it holds, appears whole or not at all, and is used again as
/// long as the files that it was made from look the same (inode, size, time of change, inode): then
/// nothing is read or hashed. Roots of earlier versions are removed when a new one is made.
/// Throws Error "deno_unusable" if `binary` is no program for this machine, or SystemError.
std::filesystem::path prepare_deno_root(const std::filesystem::path& binary,
                                        const std::filesystem::path& folder);

}  // namespace oauth3::runtime
