#include "jail/host_ids.h"

#include "base/error.h"
#include "base/files.h"
#include "jail/namespaces.h"
#include "jail/spawner.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace oauth3::jail {
namespace {

struct Range {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
};

/// Each line of an id map is "first outside-first count".
std::vector<Range> read_map(std::string_view text) {
    std::vector<std::uint64_t> numbers;
    while (!text.empty()) {
        const std::size_t start = text.find_first_of("0123456789");
        if (start == std::string_view::npos) break;
        text.remove_prefix(start);
        std::uint64_t number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc()) break;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        numbers.push_back(number);
    }
    std::vector<Range> ranges;
    for (std::size_t i = 0; i + 2 < numbers.size(); i += 3)
        ranges.push_back(Range{numbers[i], numbers[i + 2]});
    return ranges;
}

/// Where distributions put them (package uidmap or shadow-utils).
constexpr const char* kMapTools[] = {"/usr/bin/newuidmap", "/usr/bin/newgidmap"};

/// The fields of "a:b:c".
std::vector<std::string_view> fields_of(std::string_view line) {
    std::vector<std::string_view> fields;
    for (;;) {
        const std::size_t colon = line.find(':');
        fields.push_back(line.substr(0, colon));
        if (colon == std::string_view::npos) return fields;
        line.remove_prefix(colon + 1);
    }
}

/// Calls `use` with the fields of each line.
template <typename Use>
void each_line(std::string_view text, const Use& use) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        use(fields_of(text.substr(0, end)));
        text.remove_prefix(std::min(text.size(), end + 1));
    }
}

std::optional<std::uint64_t> number_in(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::string text_of(const char* path) {
    try {
        return base::read_file(path);
    } catch (const base::Error&) {
        return {};
    }
}

/// Ids of a container below this belong to its users and services.
constexpr std::uint64_t kUsualIds = 10'000;

/// A throw-away process shows whether the tools map these: they want the user to have a name, a
/// login.defs to be as they like, and more.
bool can_map(uid_t uid, gid_t gid) {
    base::Fd pidfd;
    pid_t child = -1;
    bool mapped = false;
    try {
        child = namespaces::clone_into_new(-1, pidfd);
        if (child == 0)
            for (;;) ::pause();
        namespaces::map_subordinate_ids(child, uid, gid);
        mapped = true;
    } catch (const base::Error&) {
        // Whoever asks for a jail is told what this machine forbids.
    }
    if (child < 0) return false;
    ::kill(child, SIGKILL);
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
    return mapped;
}

}  // namespace

HostIds choose_host_ids(uid_t uid, gid_t gid, std::string_view id_map) {
    const HostIds own{uid, gid};
    if (uid != 0) return own;
    Range largest;
    for (const Range& range : read_map(id_map)) {
        if (range.first <= kFirstHostId && range.first + range.count >= kFirstHostId + kMaxJails)
            return {kFirstHostId, kFirstHostId, true, false};
        if (range.count > largest.count) largest = range;
    }
    if (largest.first + largest.count < kUsualIds + kMaxJails || largest.count < kMaxJails)
        return own;
    const auto first = static_cast<uid_t>(largest.first + largest.count - kMaxJails);
    return {first, first, true, false};
}

std::optional<uid_t> subordinate_ids(std::string_view subids, std::string_view passwd, uid_t uid) {
    std::vector<std::string> names{std::to_string(uid)};
    each_line(passwd, [&](const auto& fields) {
        if (fields.size() > 2 && number_in(fields[2]) == uid) names.emplace_back(fields[0]);
    });
    std::optional<uid_t> found;
    each_line(subids, [&](const auto& fields) {
        if (found || fields.size() != 3) return;
        if (std::find(names.begin(), names.end(), fields[0]) == names.end()) return;
        const auto first = number_in(fields[1]);
        const auto count = number_in(fields[2]);
        constexpr std::uint64_t kLast = std::numeric_limits<uid_t>::max() - 1;
        if (first && count && *first > 0 && *count >= kMaxJails && *first <= kLast - kMaxJails)
            found = static_cast<uid_t>(*first);
    });
    return found;
}

HostIds usable_host_ids() {
    const HostIds ids =
        choose_host_ids(::geteuid(), ::getegid(), base::read_file("/proc/self/uid_map"));
    if (ids.separate || ids.uid == 0) return ids;
    for (const char* tool : kMapTools)
        if (::access(tool, X_OK) != 0) return ids;
    const std::string passwd = text_of("/etc/passwd");
    const auto uid = subordinate_ids(text_of("/etc/subuid"), passwd, ids.uid);
    const auto gid = subordinate_ids(text_of("/etc/subgid"), passwd, ids.uid);
    if (!uid || !gid) return ids;
    return can_map(*uid, *gid) ? HostIds{*uid, *gid, true, true} : ids;
}

}  // namespace oauth3::jail
