#pragma once

#include "jail/spawner.h"
#include "jail/stop_signal.h"
#include "runtime/outcome.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace oauth3::runtime {

/// One program to run, and all that it gets.
struct Job {
    /// TypeScript, as approved.
    std::string code;
    /// Names and values. They win over those that Deno itself is given.
    std::vector<std::pair<std::string, std::string>> environment;
    std::chrono::milliseconds timeout{30'000};
    /// "host" or "host:port" for --allow-net. Without any, Deno refuses all network.
    std::vector<std::string> hosts;
};

/// The size in MiB that V8's heap may have. V8 aborts above it, which is Cause::memory.
inline constexpr std::size_t kHeapMegabytes = 512;

/// What all of a run may have, V8's heap, Deno itself and the files in /tmp included.
inline constexpr std::uint64_t kMemoryBytes = std::uint64_t{1} << 30;

/// Finds the deno binary: `explicit_path` if it is not empty, else "deno" beside this program,
/// else the one that scripts/setup put into this program's source tree, else PATH.
/// Throws Error "deno_not_found" with the way to mend it.
std::filesystem::path find_deno(const std::filesystem::path& explicit_path);

/// Runs TypeScript in jails of its own, one for each run.
class Deno {
  public:
    /// Prepares, or finds prepared, the root of the jails below `folder` (which is made if
    /// needed): deno with its loader and libraries. It is kept for the next start and made anew
    /// when the binary changes. `spawner` must outlive this. Throws Error or SystemError.
    ///
    /// Jails are made without the layers in `without`: see jail::check_up().
    Deno(const jail::Spawner& spawner, const std::filesystem::path& binary,
         const std::filesystem::path& folder, const jail::Without& without = {});

    /// Runs a job and waits for its end. Never throws for what the job does; whatever keeps it
    /// from starting is an Outcome with Cause::setup. Safe to call from many threads at once.
    Outcome run(const Job& job, const jail::StopSignal* stop) const;

    /// The version as the binary tells it, such as "2.9.6". Asked once, in a jail, when it is
    /// first wanted. Throws Error "deno_unusable".
    std::string version() const;

    /// The folder that is "/" in the jails.
    const std::filesystem::path& root() const { return root_; }

  private:
    const jail::Spawner& spawner_;
    std::filesystem::path root_;
    jail::Without without_;
    mutable std::once_flag version_asked_;
    mutable std::string version_;
};

}  // namespace oauth3::runtime
