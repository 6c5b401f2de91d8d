#pragma once

#include <filesystem>
#include <vector>

namespace oauth3::runtime {

/// True iff the file can be read and starts as an ELF program or library does.
bool is_elf(const std::filesystem::path& file);

/// The loader that a dynamic ELF program names (PT_INTERP). Throws Error "deno_unusable" if it
/// names none or is not a 64-bit ELF file of this machine's byte order.
std::filesystem::path loader_of(const std::filesystem::path& program);

/// The libraries that the loader would load for the program, with those that they need in turn,
/// as absolute paths. The program is not run; the loader is, in list mode and without environment.
/// Throws Error "deno_unusable" if one is missing, or SystemError.
std::vector<std::filesystem::path> libraries_of(const std::filesystem::path& program);

}  // namespace oauth3::runtime
