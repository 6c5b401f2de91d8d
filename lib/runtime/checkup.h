#pragma once

#include "jail/checkup.h"

#include <filesystem>

namespace oauth3::runtime {

/// jail::check_up(), and then, as one more finding "deno", whether Deno starts in such a jail.
/// `deno` is as for find_deno(). Needs a temporary folder of 100 MB where the binary cannot be
/// linked. Throws as jail::check_up().
jail::CheckUp check_up(const jail::Spawner& spawner, const std::filesystem::path& deno);

}  // namespace oauth3::runtime
