#include "jail/stop_signal.h"

#include "base/error.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <cstdint>

namespace oauth3::jail {

StopSignal::StopSignal() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!event_) base::throw_errno("eventfd");
}

void StopSignal::request_stop() noexcept {
    const std::uint64_t one = 1;
    // Fails only when the counter is full, and then it is set already.
    [[maybe_unused]] const ssize_t written = ::write(event_.get(), &one, sizeof one);
}

bool StopSignal::stop_requested() const noexcept {
    pollfd wanted{event_.get(), POLLIN, 0};
    return ::poll(&wanted, 1, 0) == 1;
}

}  // namespace oauth3::jail
