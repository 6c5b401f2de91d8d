#include "jail/report.h"

#include "base/error.h"
#include "jail/passing.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace oauth3::jail {
namespace {

constexpr std::size_t kMaxText = 1024;

/// One packet: this, then `text_size` bytes.
struct Head {
    Report::Kind kind = Report::Kind::failed;
    std::int32_t number = 0;
    std::int64_t user = 0;
    std::int64_t system = 0;
    std::uint64_t peak_memory = 0;
    std::uint64_t largest_process = 0;
    std::uint64_t peak_tasks = 0;
    Held held = {};
    bool oom = false;
};

void send_packet(int socket, const Head& head, std::string_view text,
                 std::span<const int> fds = {}) noexcept {
    std::array<char, sizeof(Head) + kMaxText> bytes{};
    const std::size_t length = std::min(text.size(), kMaxText);
    std::memcpy(bytes.data(), &head, sizeof head);
    std::copy_n(text.begin(), length, bytes.begin() + sizeof head);
    const std::string_view packet(bytes.data(), sizeof head + length);
    // The peer may be gone: nobody to tell.
    [[maybe_unused]] const bool sent = send_with_fds(socket, packet, fds, MSG_DONTWAIT);
}

}  // namespace

std::chrono::microseconds from_timeval(const timeval& value) {
    return std::chrono::seconds(value.tv_sec) + std::chrono::microseconds(value.tv_usec);
}

void report_started(int socket, pid_t pid, int pidfd, int account, const Held& held) noexcept {
    Head head;
    head.kind = Report::Kind::started;
    head.number = pid;
    head.held = held;
    const std::array<int, 2> fds{pidfd, account};
    send_packet(socket, head, {}, std::span(fds).first(account >= 0 ? 2 : 1));
}

void report_failed(int socket, int number, std::string_view text) noexcept {
    Head head;
    head.kind = Report::Kind::failed;
    head.number = number;
    send_packet(socket, head, text);
}

void report_exited(int socket, int wait_status, const rusage& usage) noexcept {
    Head head;
    head.kind = Report::Kind::exited;
    head.number = wait_status;
    head.user = from_timeval(usage.ru_utime).count();
    head.system = from_timeval(usage.ru_stime).count();
    head.peak_memory = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
    head.largest_process = head.peak_memory;
    send_packet(socket, head, {});
}

void report_used(int socket, const Report& report) noexcept {
    Head head;
    head.kind = Report::Kind::used;
    head.user = report.cpu_user.count();
    head.system = report.cpu_system.count();
    head.peak_memory = report.peak_memory_bytes;
    head.largest_process = report.largest_process_bytes;
    head.peak_tasks = report.peak_tasks;
    head.oom = report.oom;
    send_packet(socket, head, {});
}

std::optional<Report> receive_report(int socket, bool wait) {
    std::array<char, sizeof(Head) + kMaxText> bytes{};
    std::array<base::Fd, 2> fds;
    const auto size = receive_with_fds(socket, bytes, fds, wait ? 0 : MSG_DONTWAIT);
    if (!size || *size < sizeof(Head)) return std::nullopt;
    Head head;
    std::memcpy(&head, bytes.data(), sizeof head);
    Report report;
    report.kind = head.kind;
    report.number = head.number;
    report.cpu_user = std::chrono::microseconds(head.user);
    report.cpu_system = std::chrono::microseconds(head.system);
    report.peak_memory_bytes = head.peak_memory;
    report.largest_process_bytes = head.largest_process;
    report.peak_tasks = head.peak_tasks;
    report.oom = head.oom;
    report.held = head.held;
    report.text.assign(bytes.data() + sizeof head, *size - sizeof head);
    report.pidfd = std::move(fds[0]);
    report.account = std::move(fds[1]);
    return report;
}

}  // namespace oauth3::jail
