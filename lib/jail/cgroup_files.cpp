#include "jail/cgroup_files.h"

#include "base/fd.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

namespace oauth3::jail::cgroups {
namespace {

std::optional<std::uint64_t> number_at_front(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end == text.data()) return std::nullopt;
    return value;
}

}  // namespace

int write_file(const std::string& path, std::string_view text) noexcept {
    const base::Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd || ::write(fd.get(), text.data(), text.size()) < 0) return errno;
    return 0;
}

std::optional<std::string> read_file(const std::string& path) {
    const base::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return std::nullopt;
    constexpr std::size_t kLimit = 65536;
    std::string text;
    std::array<char, 4096> buffer;
    while (text.size() < kLimit) {
        const ssize_t size = ::read(fd.get(), buffer.data(), buffer.size());
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return std::nullopt;
        if (size == 0) break;
        text.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return text;
}

std::optional<std::uint64_t> read_number(const std::string& path) {
    const auto text = read_file(path);
    return text ? number_at_front(*text) : std::nullopt;
}

std::optional<std::uint64_t> entry_of(std::string_view text, std::string_view key) {
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ' ')
            return number_at_front(line.substr(key.size() + 1));
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return std::nullopt;
}

std::optional<std::uint64_t> read_entry(const std::string& path, std::string_view key) {
    const auto text = read_file(path);
    return text ? entry_of(*text, key) : std::nullopt;
}

bool set_number(const std::string& path, std::uint64_t value, std::uint64_t expected) {
    const base::Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    const std::string text = std::to_string(value);
    std::array<char, 32> back;
    if (!fd || ::write(fd.get(), text.data(), text.size()) < 0) return false;
    const ssize_t size = ::pread(fd.get(), back.data(), back.size(), 0);
    return size > 0 && number_at_front({back.data(), static_cast<std::size_t>(size)}) == expected;
}

std::vector<pid_t> processes_in(const std::string& folder) {
    std::vector<pid_t> pids;
    const std::string text = read_file(folder + "/cgroup.procs").value_or("");
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        if (const auto pid = number_at_front(std::string_view(text).substr(at, end - at)))
            pids.push_back(static_cast<pid_t>(*pid));
        at = end + 1;
    }
    return pids;
}

std::vector<std::string> read_words(const std::string& path) {
    std::vector<std::string> words;
    const std::string text = read_file(path).value_or("");
    for (std::size_t at = text.find_first_not_of(" \n"); at != std::string::npos;) {
        const std::size_t end = std::min(text.find_first_of(" \n", at), text.size());
        words.push_back(text.substr(at, end - at));
        at = text.find_first_not_of(" \n", end);
    }
    return words;
}

void kill_all(const std::string& folder) {
    if (write_file(folder + "/cgroup.kill", "1") == 0) return;
    for (const pid_t pid : processes_in(folder)) {
        const base::Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
        if (!pidfd) continue;
        // The number may have passed to another process before it was held on to.
        const auto now = processes_in(folder);
        if (std::find(now.begin(), now.end(), pid) != now.end())
            ::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0);
    }
}

}  // namespace oauth3::jail::cgroups
