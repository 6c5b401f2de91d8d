#pragma once

#include "base/fd.h"
#include "jail/cgroup_home.h"
#include "jail/keeper.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace oauth3::jail {

/// What the kernel is asked to hold for one jail.
struct GroupLimits {
    std::uint64_t memory_bytes = 0;
    std::uint64_t tasks = 0;
    std::uint64_t cpu_weight = 0;  ///< of 100
};

/// What a jail used in all its life, as far as the kernel counts it.
struct GroupUsage {
    std::optional<std::uint64_t> peak_memory_bytes;
    std::optional<std::uint64_t> peak_tasks;
    std::optional<std::chrono::microseconds> cpu_user;
    std::optional<std::chrono::microseconds> cpu_system;
    bool oom = false;  ///< it wanted more memory than it may have, and something was killed for it
};

class Cgroups;

/// The groups of one jail, one in each hierarchy that is of use. Removed when it dies, which is
/// not before the jail.
class Cgroup {
  public:
    Cgroup() = default;  ///< no group at all
    Cgroup(Cgroup&& other) noexcept;
    Cgroup& operator=(Cgroup&& other) noexcept;
    ~Cgroup();

    /// The version 2 group, for CLONE_INTO_CGROUP, or -1.
    int fd() const { return fd_.get(); }

    /// For the child alone, before all else: enters the version 1 groups. A process that moves only
    /// itself does so without the lock for which others wait out an RCU grace period (12 ms).
    /// Throws SystemError.
    void enter() const;

    /// For the parent: closes what only the start needs.
    void started();

    /// What of it the kernel holds: each limit was read back.
    bool holds_memory() const { return memory_; }
    bool holds_tasks() const { return tasks_; }
    bool holds_cpu() const { return cpu_; }

    /// Readable once memory has run out, poll(2)-able; -1 where the kernel ends the whole group by
    /// itself (memory.oom.group).
    int oom_event() const { return oom_event_.get(); }

    /// A file in which the processor time that was used can be read with used_cpu(), or none.
    base::Fd open_account() const;

    /// Kills all that is in it. False if that is not in its power.
    bool kill() const noexcept;

    GroupUsage usage() const;

  private:
    friend class Cgroups;
    bool limit_memory(const std::string& folder, bool unified, std::uint64_t bytes);
    bool watch_for_oom(const std::string& folder);
    void give_back() noexcept;

    Cgroups* owner_ = nullptr;
    std::vector<std::string> folders_;  ///< for each branch of the owner; "" for none
    std::vector<base::Fd> entrances_;   ///< version 1 "tasks" files
    base::Fd fd_;
    base::Fd oom_event_;
    bool memory_ = false;
    bool tasks_ = false;
    bool cpu_ = false;
};

/// Everything about cgroups that this life of the server can use. Lives in the helper.
class Cgroups {
  public:
    /// Looks around, sweeps what earlier lives left, and tries out what there is: a limit counts
    /// only if it reads back, a group only if a process gets into it. Never throws for what is
    /// missing. Call it while nothing else runs in this process.
    static Cgroups find();

    /// The same in places that are known already.
    explicit Cgroups(const std::vector<cgroups::Place>& places);

    Cgroups(const Cgroups&) = delete;
    Cgroups& operator=(const Cgroups&) = delete;
    /// Removes all groups. The jails must be dead.
    ~Cgroups();

    /// Groups for one jail with these limits. What cannot be had is missing in it.
    Cgroup make(const GroupLimits& limits);

    /// What the kernel would hold for a jail, from the trial.
    bool holds_memory() const { return memory_; }
    bool holds_tasks() const { return tasks_; }
    bool holds_cpu() const { return cpu_; }
    bool accounts_cpu() const { return account_; }

    /// Why not more: sentences for the owner of this machine, one a line.
    const std::string& reasons() const { return reasons_; }

    /// Groups are removed later where something dies slowly. When to call do_chore(), in
    /// milliseconds as for poll(2); -1 for no need.
    int chore_due() const;
    void do_chore();

  private:
    friend class Cgroup;
    using Folders = std::vector<std::string>;

    void try_out();
    std::string make_folder(const cgroups::Branch& branch);
    Cgroup fill(Folders folders, const GroupLimits& limits);
    void remove(std::string folder) noexcept;

    std::vector<cgroups::Branch> branches_;
    std::vector<std::string> old_;  ///< folders that could not be removed yet
    std::uint64_t count_ = 0;
    std::string reasons_;
    bool memory_ = false;
    bool tasks_ = false;
    bool cpu_ = false;
    bool account_ = false;
};

/// The processor time in a file of Cgroup::open_account(), from its present text.
std::optional<std::chrono::microseconds> used_cpu(int account);
std::optional<std::chrono::microseconds> used_cpu(std::string_view text);

}  // namespace oauth3::jail
