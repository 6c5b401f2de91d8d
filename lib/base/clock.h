#pragma once

#include <chrono>
#include <cstdint>

namespace oauth3::base {

using Millis = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

/// A moment, as the wire and the store count it: whole milliseconds since 1970, UTC.
using Time = std::chrono::sys_time<Millis>;

inline std::int64_t to_millis(Time t) {
    return t.time_since_epoch().count();
}
inline Time from_millis(std::int64_t ms) {
    return Time(Millis(ms));
}

/// Where "now" comes from. Rules never ask: they get the time as an argument.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual Time now() const = 0;
};

/// The machine's wall clock.
class SystemClock final : public Clock {
  public:
    Time now() const override {
        return std::chrono::floor<Millis>(std::chrono::system_clock::now());
    }
};

}  // namespace oauth3::base
