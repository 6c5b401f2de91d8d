#pragma once

#include <cstdint>
#include <string_view>

namespace oauth3::jail {

/// Who sees to it that a limit holds.
enum class Keeper : std::uint8_t {
    kernel,  ///< the kernel, at every moment
    watch,   ///< this program, which looks several times a second and ends the jail: up to 1 s late
    none,    ///< nobody
};

/// The word of the enum.
std::string_view to_string(Keeper keeper);

/// Who holds which limit of a jail. What could not be set, or does not read back as it was set, is
/// never called the kernel's.
struct Held {
    Keeper memory = Keeper::none;    ///< Limits::memory_bytes, swap included
    Keeper tasks = Keeper::none;     ///< Limits::processes
    Keeper cpu = Keeper::none;       ///< Limits::cpu_weight
    Keeper cpu_time = Keeper::none;  ///< Job::cpu_seconds, of the whole tree
    Keeper disk = Keeper::none;      ///< Isolation::tmp_bytes, Limits::tmp_inodes

    bool operator==(const Held&) const = default;
};

}  // namespace oauth3::jail
