#include "jail/spawner.h"

#include "base/error.h"
#include "jail/advice.h"
#include "jail/helper.h"
#include "jail/job.h"
#include "jail/passing.h"
#include "jail/report.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

namespace oauth3::jail {
namespace {

[[noreturn]] void throw_gone() {
    throw base::Error("spawner_gone", "the helper process that starts jails has died",
                      "restart the server");
}

/// A fork copies only the calling thread: locks that others hold would stay locked for ever.
void check_single_threaded() {
    const std::filesystem::directory_iterator threads("/proc/self/task");
    if (std::distance(begin(threads), end(threads)) != 1)
        throw base::Error("not_single_threaded",
                          "the spawner must be started before the first thread");
}

[[noreturn]] void throw_failed(const Report& report) {
    switch (report.number) {
        case EBUSY:
            throw base::Error("jail_busy", "too many programs run at once", "try again");
        case EMFILE:
        case ENFILE:
        case ENOMEM:
        case EAGAIN:
            throw base::SystemError(report.number, "cannot start a jail");
        default:
            throw base::Error("jail_unavailable", "cannot start a jail: " + report.text,
                              advice_for(report.number));
    }
}

void make_non_blocking(const base::Fd& fd) {
    if (::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) base::throw_errno("O_NONBLOCK");
}

}  // namespace

Spawner Spawner::start() {
    check_single_threaded();
    base::SocketPair pair = base::make_seqpacket_pair();
    const pid_t pid = ::fork();
    if (pid < 0) base::throw_errno("start the spawner");
    if (pid == 0) {
        pair.first.reset();
        run_helper(std::move(pair.second));
    }
    pair.second.reset();
    Spawner spawner(std::move(pair.first), pid);
    // From here on no signal of the terminal can reach the helper.
    std::array<char, kMaxReady> ready;
    ssize_t size = -1;
    do size = ::recv(spawner.socket_.get(), ready.data(), ready.size(), 0);
    while (size < 0 && errno == EINTR);
    if (size < static_cast<ssize_t>(sizeof(Ready)))
        throw base::Error("spawner_gone", "the helper process that starts jails did not start",
                          "what it said stands above");
    std::memcpy(&spawner.ready_, ready.data(), sizeof(Ready));
    spawner.held_reasons_.assign(ready.data() + sizeof(Ready),
                                 static_cast<std::size_t>(size) - sizeof(Ready));
    return spawner;
}

Spawner::Spawner(Spawner&& other) noexcept
    : socket_(std::move(other.socket_)),
      pid_(std::exchange(other.pid_, -1)),
      ready_(other.ready_),
      held_reasons_(std::move(other.held_reasons_)) {}

Spawner::~Spawner() {
    if (pid_ < 0) return;
    socket_.reset();
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

Process Spawner::launch(const Spec& spec) const {
    const auto started = std::chrono::steady_clock::now();
    const std::string isolation = encode(static_cast<const Isolation&>(spec));
    const base::Fd job =
        base::make_sealed_memory("oauth3-job", encode(static_cast<const Job&>(spec)));
    base::Pipe out = base::make_pipe();
    base::Pipe err = base::make_pipe();
    base::SocketPair status = base::make_seqpacket_pair();
    make_non_blocking(out.read);
    make_non_blocking(err.read);

    const std::array<int, kMaxPassed> passed{status.second.get(), job.get(), out.write.get(),
                                             err.write.get()};
    if (!send_with_fds(socket_.get(), isolation, passed, 0)) {
        if (errno == EPIPE || errno == ECONNRESET) throw_gone();
        base::throw_errno("send a job to the spawner");
    }
    // The jail alone holds these now, so that the pipes end when it does.
    status.second.reset();
    out.write.reset();
    err.write.reset();

    std::optional<Report> report = receive_report(status.first.get(), true);
    if (!report) throw_gone();
    if (report->kind == Report::Kind::failed) throw_failed(*report);
    // A jail whose status socket closes is killed by the helper.
    if (!report->pidfd) throw base::SystemError(EMFILE, "cannot start a jail");
    Process::Parts parts;
    parts.pidfd = std::move(report->pidfd);
    parts.status = std::move(status.first);
    parts.out = std::move(out.read);
    parts.err = std::move(err.read);
    parts.account = std::move(report->account);
    parts.pid = report->number;
    parts.held = report->held;
    parts.limits = spec.limits;
    parts.cpu_seconds = spec.cpu_seconds;
    parts.started = started;
    return Process(std::move(parts));
}

}  // namespace oauth3::jail
