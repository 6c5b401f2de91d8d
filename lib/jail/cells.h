#pragma once

#include "base/fd.h"
#include "jail/cgroup.h"
#include "jail/host_ids.h"
#include "jail/keeper.h"
#include "jail/seccomp.h"
#include "jail/spawner.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <bitset>
#include <chrono>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace oauth3::jail {

/// A jail, as the helper holds it, whether or not it has a job yet. To be reaped before it goes.
struct Cell {
    pid_t pid = -1;
    base::Fd pidfd;
    base::Fd line;  ///< to its pid 1 (Origin::line)
    Cgroup group;
    std::size_t slot = 0;

    void kill() const noexcept;
    /// Waits for its death. What comes back is of pid 1 and those that it had reaped, not of those
    /// that died with it.
    rusage reap() const noexcept;
};

/// Makes jails, when one is wanted or ahead of that. Lives in the helper.
class Cells {
  public:
    /// Looks around for what there is on this machine. While nothing else runs in this process.
    Cells();
    /// Ends those that wait.
    ~Cells();
    Cells(const Cells&) = delete;
    Cells& operator=(const Cells&) = delete;

    Ready ready() const;
    const std::string& reasons() const { return groups_.reasons(); }

    /// A jail for a job: one that was made ahead, if it is of the same kind and what it was made of
    /// still stands at its path, or a new one that waits for its ids to be told. `isolation` is
    /// encode(Isolation). Throws SystemError, EBUSY for no free place, or Error "bad_job".
    Cell take(std::string_view isolation);

    /// Gives it what Origin::line carries. Throws SystemError if it is dead.
    static void employ(const Cell& cell, std::span<const int> handover);

    /// Of a jail that was reaped.
    void give_back(Cell cell);
    /// Of one that was not.
    void discard(Cell cell);

    Held held_by(const Cell& cell, bool account) const;

    /// For the helper's poll(2): adds what the spare jails have to say, and is told what of it
    /// came. In quiet moments, work for later is done: when, in milliseconds, -1 for never.
    void watch(std::vector<pollfd>& watched) const;
    void look(std::span<const pollfd> watched);
    int chore_due() const;
    void do_chore();

  private:
    /// What is at a path, however it is called.
    struct Identity {
        dev_t device = 0;
        ino_t inode = 0;
        bool operator==(const Identity&) const = default;
    };
    struct Spare {
        Cell cell;
        std::vector<Identity> made_of;
        bool ready = false;
    };
    struct Kind {
        std::string bytes;
        Isolation isolation;
        std::list<Spare> spares;
        bool failed = false;  ///< the last one died in the making: no more until the next job
    };

    static std::vector<Identity> identify(const Isolation& isolation);
    Held held_by(bool memory, bool tasks, bool cpu, bool account) const;
    Kind& kind_of(std::string_view bytes);
    std::size_t free_slot();
    Cell make(const Isolation& isolation);
    static bool lacks_spares(const Kind& kind);

    const seccomp::Filters filters_ = seccomp::compile_all();
    HostIds ids_;
    bool can_watch_;
    Cgroups groups_;
    std::bitset<kMaxJails> slots_;
    std::list<Kind> kinds_;                        ///< the last used one first
    std::chrono::steady_clock::time_point quiet_;  ///< from when on spares may be made
};

}  // namespace oauth3::jail
