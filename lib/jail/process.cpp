#include "jail/process.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace oauth3::jail {

Process::~Process() {
    if (!parts_.pidfd) return;
    kill();
    wait_until_dead();
}

void Process::kill() noexcept {
    ::syscall(SYS_pidfd_send_signal, pidfd(), SIGKILL, nullptr, 0);
}

void Process::wait_until_dead() noexcept {
    pollfd death{pidfd(), POLLIN, 0};
    while (::poll(&death, 1, -1) < 0 && errno == EINTR) {
    }
}

}  // namespace oauth3::jail
