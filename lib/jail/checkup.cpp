#include "jail/checkup.h"

#include "base/error.h"
#include "base/files.h"
#include "jail/landlock.h"
#include "jail/supervise.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <optional>

namespace oauth3::jail {
namespace {

namespace fs = std::filesystem;
using Seen = std::map<std::string, std::string, std::less<>>;

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
        if (!look_around()) return std::move(out_);
        check_user();
        check_files();
        check_processes();
        check_network();
        check_namespaces();
        check_rights();
        check_calls();
        check_landlock();
        check_memory();
        check_tasks();
        check_disk();
        check_cpu();
        check_deadline();
        return std::move(out_);
    }

  private:
    Spec spec(Probe probe) const {
        Spec made;
        made.root = root_.path();
        made.cwd = "/tmp";
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

    static Seen read(const std::string& text) {
        Seen seen;
        std::size_t begin = 0;
        while (begin < text.size()) {
            const std::size_t end = std::min(text.find('\n', begin), text.size());
            const std::string line = text.substr(begin, end - begin);
            const std::size_t blank = line.find(' ');
            if (blank != std::string::npos) seen[line.substr(0, blank)] = line.substr(blank + 1);
            begin = end + 1;
        }
        return seen;
    }

    void add(const char* name, Verdict verdict, std::string seen, std::string mend = {}) {
        out_.findings.push_back({name, verdict, std::move(seen), std::move(mend)});
    }
    void add(const char* name, bool good, std::string seen, std::string mend = {}) {
        add(name, good ? Verdict::yes : Verdict::no, std::move(seen),
            good ? std::string() : std::move(mend));
    }

    const std::string& value(std::string_view key) const {
        static const std::string kNone = "nothing";
        const auto found = seen_.find(key);
        return found == seen_.end() ? kNone : found->second;
    }
    /// True if it was tried and did not succeed.
    bool refused(std::string_view key) const {
        return seen_.find(key) != seen_.end() && value(key) != "ok";
    }
    std::string tried(std::initializer_list<std::string_view> keys) const {
        std::string out;
        for (const std::string_view key : keys) {
            out += out.empty() ? "" : ", ";
            out += key.substr(key.find('.') + 1);
            out += ": " + value(key);
        }
        return out;
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
                seen_ = read(exit.out);
                add("sandbox", true, "a jail was made and left again");
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
        add("sandbox", false, why, mend);
        return false;
    }

    void check_user() {
        const bool plain = value("uid") == "1000";
        if (!plain)
            return add("user", false, "the program is uid " + value("uid") + " in the jail");
        if (spawner_.has_separate_ids())
            return add("user", true, "each jail runs as a host user of its own, who owns nothing");
        add("user", Verdict::weaker,
            "jails run as this server's own user, so that only the other layers keep them apart",
            "run the server as root, or give its user subordinate ids (usermod --add-subuids "
            "200000-265535 --add-subgids 200000-265535 USER) and install newuidmap (uidmap)");
    }

    void check_files() {
        const bool good = refused("read./etc/passwd") && refused("read./home") &&
                          refused("read./proc/sys") && refused("read./proc/sysrq-trigger") &&
                          refused("write./") && refused("write./dev") &&
                          value("write./tmp") == "ok";
        add("files", good,
            "read " + tried({"read./etc/passwd", "read./home", "read./proc/sys"}) + "; write " +
                tried({"write./", "write./dev", "write./tmp"}));
    }

    void check_processes() {
        add("processes", value("pid") == "2" && refused("read./proc/1/environ"),
            "the program is pid " + value("pid") + " and sees no other's, " +
                tried({"read./proc/1/environ"}));
    }

    /// Any other answer, "in progress" above all, is a way out.
    void check_network() {
        const auto shut = [&](const char* key) {
            return value(key) == "ENETUNREACH" || value(key) == "EACCES";
        };
        add("network", shut("connect.loopback") && shut("connect.outside"),
            "connect " + tried({"connect.loopback", "connect.outside"}));
    }

    void check_namespaces() {
        std::string shared;
        for (const char* kind : {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"}) {
            std::array<char, 64> own{};
            const std::string path = std::string("/proc/self/ns/") + kind;
            const bool known = ::readlink(path.c_str(), own.data(), own.size() - 1) > 0;
            if (!known || value(std::string("ns.") + kind) == own.data())
                shared += std::string(shared.empty() ? "" : ", ") + kind;
        }
        if (!shared.empty()) return add("namespaces", false, "shared with the host: " + shared);
        std::array<char, 64> own{};
        const bool clock = ::readlink("/proc/self/ns/time", own.data(), own.size() - 1) > 0 &&
                           value("ns.time") != own.data();
        if (clock) return add("namespaces", true, "all eight kinds are the jail's own");
        add("namespaces", Verdict::weaker,
            "all but that of time: a program can tell how long the machine has been up",
            "a kernel with CONFIG_TIME_NS");
    }

    void check_rights() {
        bool none = value("NoNewPrivs") == "1";
        for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
            none = none && value(set) == "0000000000000000";
        add("privileges", none,
            "capabilities " + value("CapEff") + ", bounding set " + value("CapBnd") +
                ", no_new_privs " + value("NoNewPrivs"));
    }

    void check_calls() {
        const std::initializer_list<std::string_view> calls = {
            "call.mount",    "call.unshare", "call.ptrace",  "call.keyctl", "call.bpf",
            "call.io_uring", "call.perf",    "call.netlink", "call.unknown"};
        bool good = value("Seccomp") == "2" && value("call.unknown") == "ENOSYS";
        for (const std::string_view call : calls)
            if (call != "call.unknown") good = good && value(call) == "EPERM";
        add("system-calls", good, tried(calls), "a kernel with CONFIG_SECCOMP_FILTER");
    }

    /// Of all that is tried, only Landlock refuses this.
    void check_landlock() {
        const int abi = landlock::abi();
        const bool holds = value("link.shm") == "EACCES";
        std::string text = "version " + std::to_string(abi) +
                           " of Landlock, a link in /dev/shm: " + value("link.shm");
        if (!holds)
            return add(
                "landlock", false, std::move(text),
                "a kernel (5.13 or newer) with CONFIG_SECURITY_LANDLOCK, and \"landlock\" in "
                "its parameter lsm=");
        if (abi >= landlock::kTcp) return add("landlock", true, std::move(text));
        add("landlock", Verdict::weaker, std::move(text) + "; it does not know TCP yet",
            "Linux 6.7 or newer");
    }

    /// Why the kernel does not hold all limits, in one sentence; "" if it does.
    std::string why_not_the_kernel() const {
        const std::string& reasons = spawner_.held_reasons();
        return reasons.substr(0, reasons.find('\n'));
    }

    void add_limit(const char* name, Keeper keeper, bool held, std::string seen) {
        if (keeper != Keeper::kernel && !why_not_the_kernel().empty())
            seen += "; " + why_not_the_kernel();
        if (!held) return add(name, false, std::move(seen), kDelegate);
        switch (keeper) {
            case Keeper::kernel:
                return add(name, true, "by the kernel; " + seen);
            case Keeper::watch:
                return add(name, Verdict::watch, "by looking, up to 1 s late; " + seen, kDelegate);
            case Keeper::none:
                return add(name, false, "by nobody; " + seen, kDelegate);
        }
    }

    void check_memory() {
        Spec job = spec(Probe::memory);
        job.limits.memory_bytes = kProbeMemory;
        const Exit exit = try_it(job, kPatience);
        add_limit("memory", exit.held.memory, exit.ending == Ending::memory,
                  exit.ending == Ending::memory ? "a program that took more was ended"
                                                : "a program took twice its share");
    }

    void check_tasks() {
        Spec job = spec(Probe::tasks);
        job.limits.processes = kProbeTasks;
        const Exit exit = try_it(job, kPatience);
        const bool held = exit.out == "tasks EAGAIN\n" || exit.ending == Ending::tasks;
        add_limit("tasks", exit.held.tasks, held,
                  held ? "one process too many was refused" : "too many processes were made");
    }

    void check_disk() {
        Spec job = spec(Probe::disk);
        job.tmp_bytes = kProbeDisk;
        const Exit exit = try_it(job, kPatience);
        const bool held = exit.out == "disk ENOSPC\n";
        add_limit("disk", exit.held.disk, held,
                  held ? "a file that grew too large was refused" : "a file grew too large");
    }

    /// A share is a matter of fairness and not of safety, so nobody holding it is no reason to
    /// refuse.
    void check_cpu() {
        const bool kernel = spawner_.held().cpu == Keeper::kernel;
        add("cpu-share", kernel ? Verdict::yes : Verdict::weaker,
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
            return add("deadline", held,
                       held ? "a program without end was ended when its time was over"
                            : "a program without end was not seen to be ended in time");
        }
    }

    const Spawner& spawner_;
    base::TemporaryFolder root_{"checkup"};
    Seen seen_;
    CheckUp out_;
};

}  // namespace

std::string_view to_string(Verdict verdict) {
    switch (verdict) {
        case Verdict::yes:
            return "yes";
        case Verdict::weaker:
            return "weaker";
        case Verdict::watch:
            return "watch";
        case Verdict::no:
            return "no";
    }
    return "?";
}

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
