#include "jail/watch.h"

#include "jail/cgroup.h"
#include "jail/cgroup_files.h"

#include <dirent.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

namespace oauth3::jail {
namespace {

using cgroups::read_file;
using std::chrono::microseconds;
using std::chrono::milliseconds;

/// More than four times a second, but not more than a fifth of a processor for a jail of which a
/// look takes long: well within the second that is promised.
constexpr milliseconds kShortPause{200};
constexpr milliseconds kLongPause{500};
constexpr int kPausePerLook = 4;
/// No jail has as many processes: its own limit is far below.
constexpr std::size_t kMostProcesses = 32768;

std::string folder_of(pid_t pid) {
    return "/proc/" + std::to_string(pid);
}

template <typename Use>
void for_each_number(std::string_view text, const Use& use) {
    while (!text.empty()) {
        const std::size_t start = text.find_first_of("0123456789");
        if (start == std::string_view::npos) return;
        text.remove_prefix(start);
        pid_t number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error == std::errc()) use(number);
        text.remove_prefix(std::max<std::size_t>(1, static_cast<std::size_t>(end - text.data())));
    }
}

/// Own time and that of reaped children, fields 14 to 17 of /proc/<pid>/stat (proc(5)).
void add_cpu(Sight& sight, pid_t pid) {
    const std::string text = read_file(folder_of(pid) + "/stat").value_or("");
    // The second field is the name in brackets, which may hold anything.
    std::size_t at = text.rfind(')');
    for (int field = 2; field < 14 && at != std::string::npos; ++field) at = text.find(' ', at + 1);
    if (at == std::string::npos) return;
    static const long per_second = ::sysconf(_SC_CLK_TCK);
    int field = 0;
    for_each_number(std::string_view(text).substr(at), [&](pid_t ticks) {
        const microseconds time(std::int64_t{ticks} * 1'000'000 / per_second);
        // utime, stime, cutime, cstime
        if (field < 4) (field % 2 == 0 ? sight.cpu_user : sight.cpu_system) += time;
        ++field;
    });
}

/// Where a process can be looked at: a program whose first thread has ended lives on in the others,
/// and only these have its memory and its root.
std::string living_part(pid_t pid) {
    const std::string folder = folder_of(pid);
    const auto has_memory = [](const std::string& part) {
        const auto text = read_file(part + "/status");
        return text && text->find("\nRssAnon:") != std::string::npos;
    };
    if (has_memory(folder)) return folder;
    const std::string tasks = folder + "/task";
    const std::unique_ptr<DIR, int (*)(DIR*)> threads(::opendir(tasks.c_str()), ::closedir);
    if (!threads) return folder;
    while (const dirent* thread = ::readdir(threads.get()))
        if (thread->d_name[0] != '.')
            if (const std::string part = tasks + "/" + thread->d_name; has_memory(part))
                return part;
    return folder;
}

/// What is in the places that the jail can write to, if a process lets its root be looked into.
std::uint64_t files_of(const std::vector<std::string>& folders) {
    constexpr std::size_t kTries = 8;
    for (std::size_t i = 0; i < std::min(folders.size(), kTries); ++i) {
        std::uint64_t used = 0;
        bool seen = false;
        for (const char* place : {"/root/tmp", "/root/dev/shm"}) {
            struct statfs about {};
            if (::statfs((folders[i] + place).c_str(), &about) != 0) continue;
            used += (about.f_blocks - about.f_bfree) * static_cast<std::uint64_t>(about.f_bsize);
            seen = true;
        }
        if (seen) return used;
    }
    return 0;
}

/// Each page counted once, its share for each process that has it; nothing if that is not told.
std::optional<std::uint64_t> exact_memory(const std::string& folder) {
    const auto text = read_file(folder + "/smaps_rollup");
    if (!text || text->empty()) return std::nullopt;
    return status_number(*text, "Pss_Anon") + status_number(*text, "Pss_Shmem") +
           status_number(*text, "SwapPss");
}

}  // namespace

std::uint64_t status_number(std::string_view text, std::string_view name) {
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == ':') {
            line.remove_prefix(name.size() + 1);
            line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
            std::uint64_t value = 0;
            std::from_chars(line.data(), line.data() + line.size(), value);
            return line.ends_with(" kB") ? value * 1024 : value;
        }
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return 0;
}

std::vector<pid_t> descend(pid_t root) {
    std::vector<pid_t> pids{root};
    for (std::size_t i = 0; i < pids.size() && pids.size() < kMostProcesses; ++i) {
        const std::string tasks = folder_of(pids[i]) + "/task";
        // Children belong to the thread that made them.
        const std::unique_ptr<DIR, int (*)(DIR*)> threads(::opendir(tasks.c_str()), ::closedir);
        if (!threads) continue;
        while (const dirent* thread = ::readdir(threads.get())) {
            if (thread->d_name[0] == '.') continue;
            const auto children = read_file(tasks + "/" + thread->d_name + "/children");
            for_each_number(children.value_or(""), [&](pid_t pid) { pids.push_back(pid); });
        }
    }
    return pids;
}

Sight look_at(pid_t init, std::uint64_t enough) {
    const std::vector<pid_t> pids = descend(init);
    Sight sight;
    std::vector<std::string> folders;
    std::vector<std::uint64_t> pages, tables;
    std::uint64_t memory = 0;
    for (const pid_t pid : pids) {
        const std::string folder = pid == init ? folder_of(pid) : living_part(pid);
        const auto text = read_file(folder + "/status");
        if (!text) continue;
        sight.tasks += status_number(*text, "Threads");
        add_cpu(sight, pid);
        if (pid == init) continue;
        folders.push_back(folder);
        pages.push_back(status_number(*text, "RssAnon") + status_number(*text, "RssShmem") +
                        status_number(*text, "VmSwap"));
        tables.push_back(status_number(*text, "VmPTE"));
        memory += pages.back() + tables.back();
    }
    const std::uint64_t files = files_of(folders);
    if (memory + files > enough) {
        // Pages that are shared, since fork or on purpose, were counted more than once.
        memory = 0;
        for (std::size_t i = 0; i < folders.size(); ++i)
            memory += exact_memory(folders[i]).value_or(pages[i]) + tables[i];
    }
    sight.memory_bytes = memory + files;
    return sight;
}

Watcher::Watcher(pid_t init, const Orders& orders) : init_(init), orders_(orders) {}

bool Watcher::walks() const {
    return orders_.memory_bytes > 0 || orders_.tasks > 0 ||
           (orders_.cpu.count() > 0 && orders_.account < 0);
}

Watcher::Finding Watcher::look() {
    if (walks()) {
        const auto start = std::chrono::steady_clock::now();
        const Sight sight = look_at(init_, orders_.memory_bytes);
        const auto taken = std::chrono::steady_clock::now() - start;
        pause_ = std::clamp(std::chrono::duration_cast<milliseconds>(taken * kPausePerLook),
                            kShortPause, kLongPause);
        peak_memory_ = std::max(peak_memory_, sight.memory_bytes);
        peak_tasks_ = std::max(peak_tasks_, sight.tasks);
        // It may shrink when a child's time is not passed on, as for ignored SIGCHLD.
        user_ = std::max(user_, sight.cpu_user);
        system_ = std::max(system_, sight.cpu_system);
        cpu_ = user_ + system_;
        if (orders_.memory_bytes > 0 && sight.memory_bytes > orders_.memory_bytes)
            return Finding::memory;
        if (orders_.tasks > 0 && sight.tasks > orders_.tasks) return Finding::tasks;
    }
    if (orders_.account >= 0) cpu_ = used_cpu(orders_.account).value_or(cpu_);
    if (orders_.cpu.count() > 0 && cpu_ >= orders_.cpu) return Finding::cpu;
    return Finding::good;
}

std::optional<milliseconds> Watcher::next() const {
    if (walks()) return pause_;
    if (orders_.cpu.count() == 0) return std::nullopt;
    // On all processors together it cannot be used up sooner.
    static const long processors = std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN));
    const auto left = std::chrono::duration_cast<milliseconds>(orders_.cpu - cpu_) / processors;
    constexpr milliseconds kAtLeast{20};
    constexpr milliseconds kAtMost{60'000};
    return std::clamp(left, kAtLeast, kAtMost);
}

}  // namespace oauth3::jail
