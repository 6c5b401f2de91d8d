#pragma once

#include "base/clock.h"

#include <array>
#include <cstddef>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace oauth3::http {

/// What a limit per client address counts by: an IPv4 address (also one mapped into IPv6) as it
/// is, an IPv6 address cut to its /64, which is what one subscriber has, and "unix" for "".
/// Anything else is given back unchanged.
std::string rate_key(std::string_view remote_address);

/// At most `limit` events of one key in any `period` (a sliding window, exact). Not for several
/// threads at once.
///
/// It keeps at most `max_keys` keys, each with at most `limit` times. No key is forgotten before
/// its time: while the table is full, keys that are not in it share a few common windows, each with
/// the limit of one. So a flood of keys takes no more memory and wipes no count; what it can do is
/// make newcomers wait. A clock that jumps back counts as one that stood still.
class RateLimit {
  public:
    /// All of them > 0.
    RateLimit(std::size_t limit, base::Millis period, std::size_t max_keys = 10'000);
    RateLimit(const RateLimit&) = delete;
    RateLimit& operator=(const RateLimit&) = delete;

    /// True if one more event is within the limit; then it is counted, else not.
    bool allow(std::string_view key, base::Time now);

    /// As allow(), without counting.
    bool may(std::string_view key, base::Time now);

    /// Counts one event, also above the limit: then the oldest one is dropped for it.
    void count(std::string_view key, base::Time now);

    /// How long until may() becomes true if nothing more is counted, rounded up; 0 if it is true.
    base::Seconds retry_after(std::string_view key, base::Time now);

    /// Number of keys that are kept.
    std::size_t size() const { return entries_.size(); }

  private:
    using Times = std::vector<base::Time>;  ///< oldest first
    struct Entry {
        std::string key;
        Times times;
    };
    static constexpr std::size_t kShared = 64;

    base::Time advance(base::Time now);
    Times* find(std::string_view key, base::Time now);
    void add(std::string_view key, base::Time now);
    Times& shared(std::string_view key);
    void drop_old(Times& times, base::Time now) const;

    std::size_t limit_;
    base::Millis period_;
    std::size_t max_keys_;
    base::Millis lag_{0};       ///< what the clock has jumped back so far
    base::Time latest_{};       ///< the latest time so far, lag included
    std::list<Entry> entries_;  ///< the one counted last stands last
    std::map<std::string_view, std::list<Entry>::iterator> places_;
    std::array<Times, kShared> shared_;
};

}  // namespace oauth3::http
