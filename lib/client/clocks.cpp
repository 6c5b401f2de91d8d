#include "client/clocks.h"

#include <time.h>

namespace oauth3::client {
namespace {

std::chrono::nanoseconds read_clock(clockid_t which) {
    timespec now{};
    ::clock_gettime(which, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace

BootClock::time_point BootClock::now() {
    return time_point(read_clock(CLOCK_BOOTTIME));
}

std::chrono::nanoseconds Clocks::asleep() const {
    const std::chrono::nanoseconds awake = read_clock(CLOCK_MONOTONIC);
    return read_clock(CLOCK_BOOTTIME) - awake;
}

const Clocks& system_clocks() {
    static const Clocks clocks;
    return clocks;
}

}  // namespace oauth3::client
