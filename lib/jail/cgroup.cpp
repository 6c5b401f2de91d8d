#include "jail/cgroup.h"

#include "base/error.h"
#include "jail/cgroup_files.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <utility>

namespace oauth3::jail {
namespace {

using namespace cgroups;

std::uint64_t page_size() {
    static const auto size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    return size;
}

/// A machine without any swap needs no limit for it.
bool machine_has_swap() {
    const std::string table = read_file("/proc/swaps").value_or("");
    return std::count(table.begin(), table.end(), '\n') > 1;
}

/// False if memory could still flow out into swap.
bool switch_swap_off(const std::string& folder, bool unified, std::uint64_t bytes) {
    if (unified) {
        if (set_number(folder + "/memory.swap.max", 0, 0)) return true;
    } else {
        if (set_number(folder + "/memory.memsw.limit_in_bytes", bytes, bytes)) return true;
        if (set_number(folder + "/memory.swappiness", 0, 0)) return true;
    }
    return !machine_has_swap();
}

std::chrono::microseconds microseconds(std::uint64_t count) {
    return std::chrono::microseconds(static_cast<std::int64_t>(count));
}

}  // namespace

Cgroup::Cgroup(Cgroup&& other) noexcept
    : owner_(std::exchange(other.owner_, nullptr)),
      folders_(std::move(other.folders_)),
      entrances_(std::move(other.entrances_)),
      fd_(std::move(other.fd_)),
      oom_event_(std::move(other.oom_event_)),
      memory_(other.memory_),
      tasks_(other.tasks_),
      cpu_(other.cpu_) {}

Cgroup& Cgroup::operator=(Cgroup&& other) noexcept {
    if (this == &other) return *this;
    give_back();
    owner_ = std::exchange(other.owner_, nullptr);
    folders_ = std::move(other.folders_);
    entrances_ = std::move(other.entrances_);
    fd_ = std::move(other.fd_);
    oom_event_ = std::move(other.oom_event_);
    memory_ = other.memory_;
    tasks_ = other.tasks_;
    cpu_ = other.cpu_;
    return *this;
}

Cgroup::~Cgroup() {
    give_back();
}

void Cgroup::give_back() noexcept {
    if (owner_ == nullptr) return;
    started();
    for (auto& folder : folders_) owner_->remove(std::move(folder));
    owner_ = nullptr;
}

void Cgroup::enter() const {
    for (const base::Fd& entrance : entrances_)
        if (::write(entrance.get(), "0", 1) != 1) base::throw_errno("enter a cgroup");
}

void Cgroup::started() {
    entrances_.clear();
    fd_.reset();
}

bool Cgroup::limit_memory(const std::string& folder, bool unified, std::uint64_t bytes) {
    const std::uint64_t rounded = bytes / page_size() * page_size();
    if (!set_number(folder + (unified ? "/memory.max" : "/memory.limit_in_bytes"), rounded,
                    rounded) ||
        !switch_swap_off(folder, unified, rounded))
        return false;
    if (unified) return set_number(folder + "/memory.oom.group", 1, 1);
    return watch_for_oom(folder);
}

bool Cgroup::watch_for_oom(const std::string& folder) {
    base::Fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    const base::Fd control(::open((folder + "/memory.oom_control").c_str(), O_RDONLY | O_CLOEXEC));
    if (!event || !control) return false;
    const std::string order = std::to_string(event.get()) + " " + std::to_string(control.get());
    if (write_file(folder + "/cgroup.event_control", order) != 0) return false;
    oom_event_ = std::move(event);
    return true;
}

base::Fd Cgroup::open_account() const {
    for (std::size_t i = 0; i < folders_.size(); ++i) {
        const Branch& branch = owner_->branches_[i];
        if (folders_[i].empty() || !branch.account) continue;
        const std::string path = folders_[i] + (branch.unified ? "/cpu.stat" : "/cpuacct.usage");
        base::Fd account(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (account) return account;
    }
    return {};
}

bool Cgroup::kill() const noexcept {
    try {
        for (std::size_t i = 0; i < folders_.size(); ++i)
            if (owner_->branches_[i].unified && !folders_[i].empty() &&
                write_file(folders_[i] + "/cgroup.kill", "1") == 0)
                return true;
    } catch (const std::exception&) {
        // Out of memory: the caller has another way.
    }
    return false;
}

GroupUsage Cgroup::usage() const {
    GroupUsage used;
    std::uint64_t fired = 0;
    if (oom_event_ && ::read(oom_event_.get(), &fired, sizeof fired) == sizeof fired)
        used.oom = true;
    for (std::size_t i = 0; i < folders_.size(); ++i) {
        const Branch& branch = owner_->branches_[i];
        const std::string& folder = folders_[i];
        if (folder.empty()) continue;
        if (branch.memory) {
            used.peak_memory_bytes = read_number(
                folder + (branch.unified ? "/memory.peak" : "/memory.max_usage_in_bytes"));
            const char* events = branch.unified ? "/memory.events" : "/memory.oom_control";
            used.oom = used.oom || read_entry(folder + events, "oom_kill").value_or(0) > 0;
        }
        if (branch.tasks) used.peak_tasks = read_number(folder + "/pids.peak");
        if (branch.account && branch.unified) {
            const std::string text = read_file(folder + "/cpu.stat").value_or("");
            if (const auto user = entry_of(text, "user_usec")) used.cpu_user = microseconds(*user);
            if (const auto kernel = entry_of(text, "system_usec"))
                used.cpu_system = microseconds(*kernel);
        } else if (branch.account) {
            constexpr std::uint64_t kNanoseconds = 1000;
            if (const auto user = read_number(folder + "/cpuacct.usage_user"))
                used.cpu_user = microseconds(*user / kNanoseconds);
            if (const auto kernel = read_number(folder + "/cpuacct.usage_sys"))
                used.cpu_system = microseconds(*kernel / kNanoseconds);
        }
    }
    return used;
}

std::optional<std::chrono::microseconds> used_cpu(std::string_view text) {
    if (const auto count = entry_of(text, "usage_usec")) return microseconds(*count);
    std::uint64_t nanoseconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), nanoseconds);
    if (error != std::errc() || end == text.data()) return std::nullopt;
    return microseconds(nanoseconds / 1000);
}

std::optional<std::chrono::microseconds> used_cpu(int account) {
    std::array<char, 4096> text;
    const ssize_t size = ::pread(account, text.data(), text.size(), 0);
    if (size <= 0) return std::nullopt;
    return used_cpu(std::string_view(text.data(), static_cast<std::size_t>(size)));
}

}  // namespace oauth3::jail
