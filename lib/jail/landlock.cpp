#include "jail/landlock.h"

#include "base/error.h"
#include "base/fd.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <string>

namespace oauth3::jail::landlock {
namespace {

// Spelt out: the headers of the system may be older than its kernel.
constexpr std::uint64_t kExecute = LANDLOCK_ACCESS_FS_EXECUTE;
constexpr std::uint64_t kRead = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kWriteFile = LANDLOCK_ACCESS_FS_WRITE_FILE;
constexpr std::uint64_t kChange =
    LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
    LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;
constexpr std::uint64_t kRefer = 1ULL << 13;        // ABI 2: moving between folders
constexpr std::uint64_t kTruncate = 1ULL << 14;     // ABI 3
constexpr std::uint64_t kIoctlDev = 1ULL << 15;     // ABI 5
constexpr std::uint64_t kBindTcp = 1ULL << 0;       // ABI 4
constexpr std::uint64_t kConnectTcp = 1ULL << 1;    // ABI 4
constexpr std::uint64_t kAbstractUnix = 1ULL << 0;  // ABI 6
constexpr std::uint64_t kSignal = 1ULL << 1;        // ABI 6

/// struct landlock_ruleset_attr as of ABI 6. A kernel that knows less of it takes it as long as
/// the rest is zero.
struct Ruleset {
    std::uint64_t files = 0;
    std::uint64_t net = 0;
    std::uint64_t scoped = 0;
};

struct __attribute__((packed)) Beneath {
    std::uint64_t allowed = 0;
    std::int32_t parent = -1;
};

/// Not all kinds of devices: what reads and writes does, these do not need.
Ruleset handled(int version) {
    Ruleset out;
    out.files = kExecute | kRead | kWriteFile | kChange;
    if (version >= 2) out.files |= kRefer;
    if (version >= 3) out.files |= kTruncate;
    if (version >= kTcp) out.net = kBindTcp | kConnectTcp;
    if (version >= kDevices) out.files |= kIoctlDev;
    if (version >= kScopes) out.scoped = kAbstractUnix | kSignal;
    return out;
}

void allow_below(const base::Fd& ruleset, const char* path, std::uint64_t access) {
    const base::Fd folder(::open(path, O_PATH | O_CLOEXEC));
    if (!folder) base::throw_errno(std::string("landlock: open ") + path);
    const Beneath rule{access, folder.get()};
    if (::syscall(SYS_landlock_add_rule, ruleset.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
        base::throw_errno(std::string("landlock: a rule for ") + path);
}

/// Programs are what the root brought: nothing in a place that can be written to is one.
void allow_programs(const base::Fd& ruleset) {
    for (const auto& entry : std::filesystem::directory_iterator("/")) {
        // What a link leads to has its own entry.
        const bool fixed = (entry.is_directory() || entry.is_regular_file()) && !entry.is_symlink();
        const std::string path = entry.path().native();
        if (fixed && path != "/tmp" && path != "/dev" && path != "/proc")
            allow_below(ruleset, path.c_str(), kExecute);
    }
}

}  // namespace

int abi() {
    const long version =
        ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version < 0 ? 0 : static_cast<int>(version);
}

void restrict_self() {
    const Ruleset wanted = handled(abi());
    const base::Fd ruleset(
        static_cast<int>(::syscall(SYS_landlock_create_ruleset, &wanted, sizeof wanted, 0)));
    if (!ruleset) base::throw_errno("landlock");
    // No device needs an ioctl, and nobody makes devices, whatever the mounts say.
    const std::uint64_t all = wanted.files & ~(kIoctlDev | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                                               LANDLOCK_ACCESS_FS_MAKE_BLOCK | kExecute);
    allow_below(ruleset, "/", kRead);
    allow_programs(ruleset);
    allow_below(ruleset, "/dev", kWriteFile | (wanted.files & kTruncate));
    // Shared memory is files; that nothing else can be made there is what a check-up sees of
    // Landlock.
    allow_below(ruleset, "/dev/shm",
                all & ~(LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_MAKE_SOCK |
                        LANDLOCK_ACCESS_FS_MAKE_FIFO));
    allow_below(ruleset, "/tmp", all);
    if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0)
        base::throw_errno("landlock: restrict");
}

}  // namespace oauth3::jail::landlock
