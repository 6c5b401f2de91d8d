#pragma once

#include "base/crypto.h"

#include <algorithm>
#include <chrono>

namespace oauth3::client {

/// Delays between tries: twice as long each time, half of it random, so that many waiting clients
/// do not come back all at once.
class BackOff {
  public:
    std::chrono::milliseconds next() {
        const auto half = static_cast<std::size_t>(delay_.count() / 2);
        const auto ms = half + base::random_below(half + 1);
        delay_ = std::min(delay_ * 2, kLongest);
        return std::chrono::milliseconds(static_cast<std::int64_t>(ms));
    }
    void reset() { delay_ = kFirst; }

  private:
    static constexpr std::chrono::milliseconds kFirst{200};
    static constexpr std::chrono::milliseconds kLongest{5'000};
    std::chrono::milliseconds delay_ = kFirst;
};

}  // namespace oauth3::client
