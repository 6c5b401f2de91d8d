#include "jail/checkup.h"

#include "base/error.h"
#include "base/files.h"
#include "jail/judge.h"
#include "jail/supervise.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>

namespace oauth3::jail {
namespace {

namespace fs = std::filesystem;

/// What is tried takes milliseconds; a machine may be busy.
constexpr std::chrono::seconds kPatience{20};

constexpr const char* kDelegate =
    "give the server a part of the cgroup tree: Delegate=memory pids cpu in its systemd unit, or "
    "systemd-run --user --scope -p Delegate=yes; or run it as root";

/// Makes a root with nothing in it. The jail is another user, so it must be open to all; its name
/// keeps others from guessing it.
void make_root(const fs::path& path) {
    if (::chmod(path.c_str(), 0755) != 0) base::throw_errno("chmod " + path.string());
    for (const char* name : {"proc", "dev", "tmp"})
        if (::mkdir((path / name).c_str(), 0755) != 0) base::throw_errno("make " + path.string());
}

class Examination {
  public:
    Examination(const Spawner& spawner, const Without& without) : spawner_(spawner) {
        out_.without = without;
        make_root(root_.path());
    }

    CheckUp run() {
        if (look_around()) {
            check_memory();
            check_tasks();
            check_disk();
            check_cpu();
            check_deadline();
        }
        out_.findings = findings_.take();
        return std::move(out_);
    }

  private:
    Spec spec(Probe probe) const {
        Spec made;
        made.root = root_.path();
        made.probe = probe;
        // The narrowest is the one that programs get; the others need calls to wait with.
        made.syscalls = probe == Probe::surroundings ? SyscallProfile::deno : SyscallProfile::build;
        made.without = out_.without;
        return made;
    }

    Exit try_it(const Spec& job, std::chrono::milliseconds deadline) const {
        SuperviseOptions options;
        options.deadline = deadline;
        return supervise(spawner_.launch(job), options);
    }

    /// Starts the first jail, leaving out what this kernel does not have. False if none can be had.
    bool look_around() {
        std::string why;
        std::string mend;
        constexpr int kLayersAndOne = 3;
        for (int i = 0; i < kLayersAndOne; ++i) {
            Exit exit;
            try {
                exit = try_it(spec(Probe::surroundings), kPatience);
            } catch (const base::Error& error) {
                why = error.what();
                mend = error.hint();
                break;
            }
            if (exit.ending == Ending::exited) {
                findings_.add("sandbox", true, "a jail was made and left again");
                judge(exit.out, spawner_.has_separate_ids(), findings_);
                return true;
            }
            why = exit.setup_error.empty() ? "the probe did not end by itself" : exit.setup_error;
            mend = exit.setup_hint;
            if (why.starts_with("landlock") && !out_.without.landlock)
                out_.without.landlock = true;
            else if (why.find("system-call filter") != std::string::npos &&
                     !out_.without.syscall_filter)
                out_.without.syscall_filter = true;
            else
                break;
        }
        findings_.add("sandbox", false, why, mend);
        return false;
    }

    /// Why the kernel does not hold all limits, in one sentence; "" if it does.
    std::string why_not_the_kernel() const {
        const std::string& reasons = spawner_.held_reasons();
        return reasons.substr(0, reasons.find('\n'));
    }

    void add_limit(const char* name, Keeper keeper, bool held, std::string seen) {
        if (keeper != Keeper::kernel && !why_not_the_kernel().empty())
            seen += "; " + why_not_the_kernel();
        if (!held) return findings_.add(name, false, std::move(seen), kDelegate);
        switch (keeper) {
            case Keeper::kernel:
                return findings_.add(name, true, "by the kernel; " + seen);
            case Keeper::watch:
                return findings_.add(name, Verdict::watch, "by looking, up to 1 s late; " + seen,
                                     kDelegate);
            case Keeper::none:
                return findings_.add(name, false, "by nobody; " + seen, kDelegate);
        }
    }

    static std::string what_came(const Exit& exit, bool held, const char* good, const char* bad) {
        if (exit.ending == Ending::setup_failed) return exit.setup_error;
        return held ? good : bad;
    }

    void check_memory() {
        Spec job = spec(Probe::memory);
        job.limits.memory_bytes = kProbeMemory;
        const Exit exit = try_it(job, kPatience);
        add_limit(
            "memory", exit.held.memory, exit.ending == Ending::memory,
            what_came(exit, exit.ending == Ending::memory, "a program that took more was ended",
                      "a program took twice its share"));
    }

    void check_tasks() {
        Spec job = spec(Probe::tasks);
        job.limits.processes = kProbeTasks;
        const Exit exit = try_it(job, kPatience);
        const bool held = exit.out == "tasks EAGAIN\n" || exit.ending == Ending::tasks;
        add_limit("tasks", exit.held.tasks, held,
                  what_came(exit, held, "one process too many was refused",
                            "too many processes were made"));
    }

    void check_disk() {
        Spec job = spec(Probe::disk);
        job.tmp_bytes = kProbeDisk;
        const Exit exit = try_it(job, kPatience);
        const bool held = exit.out == "disk ENOSPC\n";
        add_limit("disk", exit.held.disk, held,
                  what_came(exit, held, "a file that grew too large was refused",
                            "a file grew too large"));
    }

    /// A share is a matter of fairness and not of safety, so nobody holding it is no reason to
    /// refuse.
    void check_cpu() {
        const bool kernel = spawner_.held().cpu == Keeper::kernel;
        findings_.add("cpu-share", kernel ? Verdict::yes : Verdict::weaker,
                      kernel ? "by the kernel; all jails together weigh less than the server"
                             : "jails compete with the server for the processor",
                      kernel ? "" : kDelegate);
    }

    void check_deadline() {
        // On a busy machine a jail may not stand yet when a short time is over.
        for (const int milliseconds : {50, 500, 5000}) {
            const Exit exit = try_it(spec(Probe::endless), std::chrono::milliseconds(milliseconds));
            const bool started = exit.out == "waiting ok\n";
            if (exit.ending == Ending::deadline && !started && milliseconds < 5000) continue;
            const bool held = exit.ending == Ending::deadline && started;
            return findings_.add("deadline", held,
                                 held ? "a program without end was ended when its time was over"
                                      : "a program without end was not seen to be ended in time");
        }
    }

    const Spawner& spawner_;
    base::TemporaryFolder root_{"checkup"};
    Findings findings_;
    CheckUp out_;
};

}  // namespace

std::vector<Finding> unacceptable(const CheckUp& found, const std::vector<std::string>& accepted) {
    std::vector<Finding> out;
    for (const Finding& finding : found.findings)
        if (finding.verdict == Verdict::no &&
            std::find(accepted.begin(), accepted.end(), finding.name) == accepted.end())
            out.push_back(finding);
    return out;
}

CheckUp check_up(const Spawner& spawner, const Without& without) {
    return Examination(spawner, without).run();
}

}  // namespace oauth3::jail
