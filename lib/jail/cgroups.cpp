// The groups of all jails: found once, made for each, removed later.
#include "base/error.h"
#include "jail/cgroup.h"
#include "jail/cgroup_files.h"
#include "jail/namespaces.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace oauth3::jail {
namespace {

using namespace cgroups;

/// How long a folder that could not be removed yet is left alone.
constexpr int kPatience = 100;

/// The processor's time is counted by version 2 without any controller; a group of version 1 only
/// for that would be for nothing.
void drop_needless(std::vector<Branch>& branches) {
    const bool counted = std::any_of(branches.begin(), branches.end(),
                                     [](const Branch& branch) { return branch.unified; });
    if (!counted) return;
    for (auto branch = branches.begin(); branch != branches.end();) {
        const bool needless = !branch->unified && branch->account && !branch->memory &&
                              !branch->tasks && !branch->cpu;
        if (!branch->unified) branch->account = false;
        if (needless) unsettle(*branch);
        branch = needless ? branches.erase(branch) : std::next(branch);
    }
}

/// What a process enters the group through; nothing if the group is gone.
base::Fd open_entrance(const Branch& branch, const std::string& folder) {
    if (folder.empty()) return {};
    const std::string path = branch.unified ? folder : folder + "/tasks";
    const int how = branch.unified ? O_PATH | O_DIRECTORY : O_WRONLY;
    base::Fd fd(::open(path.c_str(), how | O_CLOEXEC));
    if (!fd && errno != ENOENT && errno != ENODEV) base::throw_errno("open a cgroup");
    return fd;
}

/// True if a process that starts in the group is in it then.
bool can_be_entered(const Cgroup& group, const std::string& folder) {
    base::Pipe news = base::make_pipe();
    base::Pipe end = base::make_pipe();
    base::Fd pidfd;
    const pid_t pid = namespaces::clone_into(group.fd(), pidfd);
    if (pid == 0) {
        char byte = 'e';
        try {
            end.write.reset();
            group.enter();
            if (::write(news.write.get(), &byte, 1) == 1) [[maybe_unused]]
                const ssize_t size = ::read(end.read.get(), &byte, 1);
        } catch (const std::exception&) {
            // The parent sees the end of the pipe.
        }
        ::_exit(0);
    }
    news.write.reset();
    char byte = 0;
    ssize_t size = -1;
    do size = ::read(news.read.get(), &byte, 1);
    while (size < 0 && errno == EINTR);
    const auto pids = processes_in(folder);
    end.write.reset();
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return size == 1 && std::find(pids.begin(), pids.end(), pid) != pids.end();
}

}  // namespace

Cgroups Cgroups::find() {
    const auto text = [](const char* path) { return read_file(path).value_or(""); };
    return Cgroups(find_places(text("/proc/self/cgroup"), text("/proc/self/mountinfo"), tree_at));
}

Cgroups::Cgroups(const std::vector<Place>& places) {
    std::vector<std::string> reasons;
    for (const Place& place : places)
        if (Branch branch = settle(place, reasons); !branch.folder.empty())
            branches_.push_back(std::move(branch));
    if (places.empty()) reasons.emplace_back("no cgroup file system is mounted");
    drop_needless(branches_);
    try_out();
    for (const auto& reason : reasons) reasons_ += reason + "\n";
}

Cgroups::~Cgroups() {
    // The processes are reaped, but their groups may need a moment to be empty.
    constexpr int kTries = 500;
    constexpr useconds_t kPause = 1000;
    for (const auto& folder : old_)
        for (int i = 0; i < kTries && ::rmdir(folder.c_str()) != 0 && errno == EBUSY; ++i)
            ::usleep(kPause);
    for (const Branch& branch : branches_) unsettle(branch);
}

void Cgroups::try_out() {
    constexpr GroupLimits kSome{std::uint64_t{64} << 20, 16, 50};
    const std::vector<Branch> all = std::exchange(branches_, {});
    for (const Branch& branch : all) {
        branches_.push_back(branch);
        Folders folders(branches_.size());
        folders.back() = make_folder(branch);
        const std::string folder = folders.back();
        bool usable = false;
        try {
            const Cgroup trial = fill(std::move(folders), kSome);
            usable = !folder.empty() && can_be_entered(trial, folder);
            if (usable) {
                memory_ = memory_ || trial.holds_memory();
                tasks_ = tasks_ || trial.holds_tasks();
                cpu_ = cpu_ || trial.holds_cpu();
                account_ = account_ || trial.open_account();
                if (branch.memory && !trial.holds_memory())
                    reasons_ += "a memory limit does not hold in " + branch.own + "\n";
            }
        } catch (const base::Error&) {
            // As if it could not be entered.
        }
        if (usable) continue;
        reasons_ += "groups below " + branch.own + " cannot be entered\n";
        do_chore();
        unsettle(branch);
        branches_.pop_back();
    }
}

std::string Cgroups::make_folder(const Branch& branch) {
    std::string folder = branch.folder + "/" + std::to_string(++count_);
    return ::mkdir(folder.c_str(), 0755) == 0 ? folder : "";
}

Cgroup Cgroups::make(const GroupLimits& limits) {
    Folders folders;
    for (const Branch& branch : branches_) folders.push_back(make_folder(branch));
    return fill(std::move(folders), limits);
}

Cgroup Cgroups::fill(Folders folders, const GroupLimits& limits) {
    Cgroup group;
    group.owner_ = this;
    group.folders_ = std::move(folders);
    for (std::size_t i = 0; i < group.folders_.size(); ++i) {
        const Branch& branch = branches_[i];
        std::string& folder = group.folders_[i];
        if (folder.empty()) continue;
        base::Fd fd = open_entrance(branch, folder);
        if (!fd) {
            remove(std::exchange(folder, ""));  // somebody else removed it
            continue;
        }
        if (branch.unified)
            group.fd_ = std::move(fd);
        else
            group.entrances_.push_back(std::move(fd));
        if (branch.memory)
            group.memory_ = group.limit_memory(folder, branch.unified, limits.memory_bytes);
        if (branch.tasks)
            group.tasks_ = set_number(folder + "/pids.max", limits.tasks, limits.tasks);
        if (branch.cpu) {
            // 1 to 10,000 with a default of 100; in version 1, from 2 with a default of 1024.
            const auto weight = std::clamp<std::uint64_t>(limits.cpu_weight, 1, 10'000);
            const auto shares = std::max<std::uint64_t>(2, weight * 1024 / 100);
            group.cpu_ = branch.unified ? set_number(folder + "/cpu.weight", weight, weight)
                                        : set_number(folder + "/cpu.shares", shares, shares);
        }
    }
    return group;
}

int Cgroups::chore_due() const {
    return old_.empty() ? -1 : kPatience;
}

void Cgroups::remove(std::string folder) noexcept {
    if (folder.empty() || ::rmdir(folder.c_str()) == 0 || errno != EBUSY) return;
    old_.push_back(std::move(folder));
}

void Cgroups::do_chore() {
    for (auto& folder : std::exchange(old_, {})) remove(std::move(folder));
}

}  // namespace oauth3::jail
