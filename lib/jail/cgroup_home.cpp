#include "jail/cgroup_home.h"

#include "base/error.h"
#include "jail/cgroup_files.h"

#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <memory>

namespace oauth3::jail::cgroups {
namespace {

constexpr std::string_view kPrefix = "oauth3-";
/// The group of the server itself, where it cannot stay where it was.
constexpr const char* kLeaf = "/server";
/// All jails together weigh half of what the server weighs (100 of version 2, 1024 of version 1).
constexpr std::uint64_t kTogether = 50;
constexpr std::uint64_t kTogetherV1 = 512;

bool contains(const std::vector<std::string>& all, std::string_view wanted) {
    return std::find(all.begin(), all.end(), wanted) != all.end();
}

std::vector<std::string> folders_in(const std::string& folder) {
    std::vector<std::string> names;
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(folder.c_str()), ::closedir);
    if (!entries) return names;
    while (const dirent* entry = ::readdir(entries.get()))
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.') names.emplace_back(entry->d_name);
    return names;
}

std::string pid_namespace() {
    struct stat about {};
    if (::stat("/proc/self/ns/pid", &about) != 0) return "0";
    return std::to_string(about.st_ino);
}

/// The time at which a process started, in ticks since boot (proc(5), field 22), or "".
std::string start_time(const std::string& pid) {
    const std::string text = read_file("/proc/" + pid + "/stat").value_or("");
    // The second field is the name in brackets, which may hold anything.
    std::size_t at = text.rfind(')');
    if (at == std::string::npos) return {};
    constexpr int kFieldsBefore = 20;
    for (int i = 0; i < kFieldsBefore && at != std::string::npos; ++i) at = text.find(' ', at + 1);
    if (at == std::string::npos) return {};
    return text.substr(at + 1, text.find(' ', at + 1) - at - 1);
}

void switch_off(const std::string& folder, const std::vector<std::string>& controllers) {
    for (const auto& name : controllers) write_file(folder + "/cgroup.subtree_control", "-" + name);
}

void move_all(const std::vector<pid_t>& pids, const std::string& folder) {
    for (const pid_t pid : pids) write_file(folder + "/cgroup.procs", std::to_string(pid));
}

/// False if others are in the group too.
bool make_way(const std::string& own, const std::vector<pid_t>& ours, const std::string& leaf) {
    for (const pid_t pid : processes_in(own))
        if (std::find(ours.begin(), ours.end(), pid) == ours.end()) return false;
    if (::mkdir(leaf.c_str(), 0755) != 0 && errno != EEXIST) return false;
    move_all(processes_in(own), leaf);
    if (processes_in(own).empty()) return true;
    move_all(processes_in(leaf), own);
    ::rmdir(leaf.c_str());
    return false;
}

void settle_unified(Branch& branch, std::vector<std::string>& reasons) {
    branch.account = true;  // of every group, whatever its controllers
    const std::vector<std::string> there = read_words(branch.own + "/cgroup.controllers");
    std::vector<std::string> wanted;
    for (const char* name : {"memory", "pids", "cpu"})
        if (contains(there, name)) wanted.emplace_back(name);
    const auto before = read_words(branch.own + "/cgroup.subtree_control");
    const auto on =
        enable(branch.own, wanted, {::getpid(), ::getppid()}, branch.folder + kLeaf, branch.moved);
    for (const auto& name : on)
        if (!contains(before, name)) branch.enabled.push_back(name);
    for (const auto& name : wanted)
        if (!contains(on, name))
            reasons.push_back("controller " + name + " cannot be switched on for groups below " +
                              branch.own);
    bool ignored = false;
    const auto below = enable(branch.folder, on, {}, {}, ignored);
    branch.memory = contains(below, "memory");
    branch.tasks = contains(below, "pids");
    branch.cpu = contains(below, "cpu");
    if (branch.cpu) write_file(branch.folder + "/cpu.weight", std::to_string(kTogether));
}

}  // namespace

std::string name_of_life() {
    const std::string pid = std::to_string(::getpid());
    return std::string(kPrefix) + pid_namespace() + "-" + pid + "-" + start_time(pid);
}

bool is_of_dead(std::string_view name) {
    if (!name.starts_with(kPrefix)) return false;
    name.remove_prefix(kPrefix.size());
    std::array<std::string, 3> parts;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const std::size_t end = i + 1 < parts.size() ? name.find('-') : name.size();
        if (end == std::string_view::npos) return false;
        parts[i] = name.substr(0, end);
        if (parts[i].empty() || parts[i].find_first_not_of("0123456789") != std::string::npos)
            return false;
        name.remove_prefix(std::min(end + 1, name.size()));
    }
    const auto& [space, pid, started] = parts;
    if (space != pid_namespace()) return false;
    pid_t number = 0;
    const auto [end, error] = std::from_chars(pid.data(), pid.data() + pid.size(), number);
    if (error != std::errc() || end != pid.data() + pid.size() || number <= 0) return false;
    if (::kill(number, 0) != 0 && errno == ESRCH) return true;
    const std::string now = start_time(pid);
    return !now.empty() && now != started;
}

void sweep(const std::string& own) {
    for (const auto& name : folders_in(own)) {
        if (!is_of_dead(name)) continue;
        const std::string folder = own + "/" + name;
        for (const auto& group : folders_in(folder)) {
            const std::string path = folder + "/" + group;
            // A server can outlive its helper, and is nothing to be killed.
            if (std::string_view(kLeaf).substr(1) != group) kill_all(path);
            // What was just killed may need a moment. The rest is left to the next start.
            constexpr int kTries = 200;
            constexpr useconds_t kPause = 1000;
            for (int i = 0; i < kTries && ::rmdir(path.c_str()) != 0 && errno == EBUSY; ++i) {
                if (group == std::string_view(kLeaf).substr(1)) break;
                ::usleep(kPause);
            }
        }
        ::rmdir(folder.c_str());
    }
}

std::vector<std::string> enable(const std::string& own, const std::vector<std::string>& wanted,
                                const std::vector<pid_t>& ours, const std::string& leaf,
                                bool& moved) {
    const std::string file = own + "/cgroup.subtree_control";
    for (const auto& name : wanted) {
        if (contains(read_words(file), name)) continue;
        const int error = write_file(file, "+" + name);
        if (error != EBUSY || moved || leaf.empty()) continue;
        if (!make_way(own, ours, leaf)) break;
        moved = true;
        write_file(file, "+" + name);
    }
    std::vector<std::string> on = read_words(file);
    std::erase_if(on, [&](const auto& name) { return !contains(wanted, name); });
    if (moved && on.empty()) {
        move_all(processes_in(leaf), own);
        ::rmdir(leaf.c_str());
        moved = false;
    }
    return on;
}

Branch settle(const Place& place, std::vector<std::string>& reasons) {
    Branch branch;
    branch.unified = place.unified;
    branch.own = place.folder;
    branch.memory = contains(place.controllers, "memory");
    branch.tasks = contains(place.controllers, "pids");
    branch.cpu = contains(place.controllers, "cpu");
    branch.account = contains(place.controllers, "cpuacct");
    if (!branch.unified && !branch.memory && !branch.tasks && !branch.cpu && !branch.account)
        return branch;
    sweep(branch.own);
    const std::string folder = branch.own + "/" + name_of_life();
    if (::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) {
        reasons.push_back("cannot make groups in " + branch.own + ": " + base::errno_text(errno));
        return branch;
    }
    branch.folder = folder;
    if (branch.unified)
        settle_unified(branch, reasons);
    else if (branch.cpu)
        set_number(folder + "/cpu.shares", kTogetherV1, kTogetherV1);
    return branch;
}

void unsettle(const Branch& branch) noexcept {
    try {
        if (branch.folder.empty()) return;
        if (branch.moved) {
            switch_off(branch.folder, read_words(branch.folder + "/cgroup.subtree_control"));
            switch_off(branch.own, branch.enabled);
            const std::string leaf = branch.folder + kLeaf;
            move_all(processes_in(leaf), branch.own);
            ::rmdir(leaf.c_str());
        }
        ::rmdir(branch.folder.c_str());
        if (!branch.moved) switch_off(branch.own, branch.enabled);
    } catch (const std::exception&) {
        // Out of memory at the very end. The next life sweeps.
    }
}

}  // namespace oauth3::jail::cgroups
