#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace oauth3::jail {

/// One more read-only bind, with everything mounted below it. `source` is a path of the host,
/// which the server's uid must be able to reach; `target` must exist in the root.
struct Mount {
    std::filesystem::path source;
    std::filesystem::path target;
};

/// A file that is there when the program starts. `path` is relative and below /tmp, folders on
/// the way are made.
struct File {
    std::string path;
    std::string content;
};

/// Resource limits. Those of setrlimit(2) never raise a hard limit that the server has already.
/// Core dumps are always off. Who holds them: see Held.
struct Limits {
    /// Descriptors of each process. As many again may be on the way in the jail's sockets, and
    /// these count for the server's user, whose own limit must leave room for its own.
    std::uint64_t open_files = 512;
    /// Processes and threads of the whole jail, its pid 1 included. Below 4 hardly anything runs.
    std::uint64_t processes = 256;
    std::uint64_t file_bytes = std::uint64_t{64} << 20;
    std::uint64_t locked_bytes = std::uint64_t{64} << 10;
    /// Of the whole jail: processes, files in /tmp and what the kernel keeps for them; no swap on
    /// top. Rounded down to pages.
    std::uint64_t memory_bytes = std::uint64_t{1} << 30;
    /// Share of the processor among jails when it is short, 1 to 10,000: 100 is what the server
    /// itself weighs. All jails together weigh half of that, however many they are.
    std::uint64_t cpu_weight = 50;
    /// Files and folders in /tmp, and again in /dev/shm.
    std::uint64_t tmp_inodes = 16384;
};

/// Which system calls a program may make: what programs of its kind need, and no others
/// (seccomp.h).
enum class SyscallProfile : std::uint8_t { deno, shell, python, build };
inline constexpr std::size_t kSyscallProfiles = 4;

/// Layers of isolation that are left out: only where the kernel lacks them and the administrator
/// accepts that by name. Whatever is not left out must succeed, or the program does not start.
struct Without {
    bool landlock = false;
    bool syscall_filter = false;
};

/// What this program itself does in a jail, in the place of another, to see whether the jail holds
/// (checkup.h).
enum class Probe : std::uint8_t { none, surroundings, memory, tasks, disk, endless };
inline constexpr std::size_t kProbes = 6;
inline constexpr std::uint64_t kProbeMemory = std::uint64_t{24} << 20;
inline constexpr std::uint64_t kProbeTasks = 16;
inline constexpr std::uint64_t kProbeDisk = std::uint64_t{1} << 20;

/// What a jail is, whatever runs in it: all of it stands before the jail sees its job, and two jobs
/// that want the same may be given jails that were made ahead.
struct Isolation {
    /// Folder of the host that becomes "/", read-only, nosuid and nodev, with empty folders proc,
    /// dev and tmp. Others must be able to read it (0755 inside); its own path may be private.
    std::filesystem::path root;
    std::vector<Mount> mounts;
    /// Size of /tmp, and again of /dev/shm, the only places that can be written: tmpfs, nosuid,
    /// nodev, noexec.
    std::uint64_t tmp_bytes = std::uint64_t{64} << 20;
    std::string hostname = "jail";
    SyscallProfile syscalls = SyscallProfile::deno;
    Without without;
    Limits limits;
    /// So many more jails of this kind are made in quiet moments and wait for jobs, up to
    /// kMaxSpares. They hold what was mounted at `root` and `mounts` then.
    std::uint64_t spares = 0;
};
inline constexpr std::uint64_t kMaxSpares = 8;

/// What one jail is for.
struct Job {
    /// The program, absolute as seen in the jail, and its arguments. Empty for a probe.
    std::vector<std::string> argv;
    /// The whole environment.
    std::vector<std::pair<std::string, std::string>> environment;
    /// Where the program starts. Made if it is below /tmp.
    std::string cwd = "/tmp";
    std::vector<File> files;
    /// Processor time of each process (RLIMIT_CPU) and of the whole jail, 0 for no limit.
    std::uint64_t cpu_seconds = 0;
    Probe probe = Probe::none;
};

/// All that a jail is made of. What is not named here is not in it.
struct Spec : Isolation, Job {};

}  // namespace oauth3::jail
