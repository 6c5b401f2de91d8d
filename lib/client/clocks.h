#pragma once

#include <chrono>

// Time as a waiting client counts it: what a human's clock shows has passed, asleep or awake.

namespace oauth3::client {

/// The machine's clock that goes on while it sleeps, and that nobody can set. It is not
/// std::chrono::steady_clock, which on Linux stands still meanwhile: a deadline on that one would
/// be late by the time of the sleep.
struct BootClock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<BootClock>;
    static constexpr bool is_steady = true;
    static time_point now();
};

using Moment = BootClock::time_point;

/// Where waiting code gets its time from.
class Clocks {
  public:
    virtual ~Clocks() = default;
    virtual Moment now() const { return BootClock::now(); }
    /// How long the machine has slept since it was started.
    virtual std::chrono::nanoseconds asleep() const;
};

/// The clocks of this machine.
const Clocks& system_clocks();

/// After a sleep of this length a connection is given up: the other end may be gone for long, and
/// with a router between them nobody would tell.
inline constexpr std::chrono::seconds kLongSleep{5};

}  // namespace oauth3::client
