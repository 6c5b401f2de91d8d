#include "jail/process.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace oauth3::jail {

Process::Process(base::Fd pidfd, base::Fd status, base::Fd out, base::Fd err,
                 std::chrono::steady_clock::time_point started)
    : pidfd_(std::move(pidfd)),
      status_(std::move(status)),
      out_(std::move(out)),
      err_(std::move(err)),
      started_(started) {}

Process::~Process() {
    if (!pidfd_) return;
    kill();
    wait_until_dead();
}

void Process::kill() noexcept {
    ::syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
}

void Process::wait_until_dead() noexcept {
    pollfd death{pidfd_.get(), POLLIN, 0};
    while (::poll(&death, 1, -1) < 0 && errno == EINTR) {
    }
}

}  // namespace oauth3::jail
