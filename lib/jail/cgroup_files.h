#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Files of a cgroup file system: one value each, written and read whole. Groups may vanish at any
/// time, so none of these throws.
namespace oauth3::jail::cgroups {

/// 0, or the errno value.
int write_file(const std::string& path, std::string_view text) noexcept;

/// The whole text, of at most 64 KiB; nothing if it cannot be read.
std::optional<std::string> read_file(const std::string& path);

/// The file's only number; nothing for "max" and the like.
std::optional<std::uint64_t> read_number(const std::string& path);

/// The number behind `key` in a file of lines "key number".
std::optional<std::uint64_t> read_entry(const std::string& path, std::string_view key);
std::optional<std::uint64_t> entry_of(std::string_view text, std::string_view key);

/// Writes the number and says whether it then reads back as `expected`.
bool set_number(const std::string& path, std::uint64_t value, std::uint64_t expected);

/// The processes directly in the group; 0 stands for one of another pid namespace.
std::vector<pid_t> processes_in(const std::string& folder);

/// The words of a file such as cgroup.controllers.
std::vector<std::string> read_words(const std::string& path);

/// Kills all that is in the group: as one step where there is cgroup.kill (Linux 5.14), else one
/// by one.
void kill_all(const std::string& folder);

}  // namespace oauth3::jail::cgroups
