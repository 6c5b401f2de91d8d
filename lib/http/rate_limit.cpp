#include "http/rate_limit.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

namespace oauth3::http {

std::string rate_key(std::string_view remote_address) {
    if (remote_address.empty()) return "unix";
    std::string key(remote_address);
    in6_addr v6{};
    if (::inet_pton(AF_INET6, key.c_str(), &v6) != 1) return key;
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (IN6_IS_ADDR_V4MAPPED(&v6)) {
        ::inet_ntop(AF_INET, &v6.s6_addr[12], text.data(), text.size());
        return text.data();
    }
    std::fill(std::begin(v6.s6_addr) + 8, std::end(v6.s6_addr), std::uint8_t{0});
    ::inet_ntop(AF_INET6, &v6, text.data(), text.size());
    return std::string(text.data()) + "/64";
}

RateLimit::RateLimit(std::size_t limit, base::Millis period, std::size_t max_keys)
    : limit_(std::max<std::size_t>(limit, 1)), period_(period), max_keys_(max_keys) {}

/// The time that the windows use: it never runs backwards, and goes on at once after a jump back.
base::Time RateLimit::advance(base::Time now) {
    if (now + lag_ < latest_) lag_ = latest_ - now;
    latest_ = now + lag_;
    return latest_;
}

void RateLimit::drop_old(Times& times, base::Time now) const {
    const auto fresh = std::find_if(times.begin(), times.end(),
                                    [&](base::Time time) { return time > now - period_; });
    times.erase(times.begin(), fresh);
}

RateLimit::Times& RateLimit::shared(std::string_view key) {
    return shared_[std::hash<std::string_view>()(key) % kShared];
}

/// The window that this key's next event falls into, without what is old; null if it is empty.
RateLimit::Times* RateLimit::find(std::string_view key, base::Time now) {
    // In the order of their last events: what is old stands first.
    while (!entries_.empty() && entries_.front().times.back() <= now - period_) {
        places_.erase(entries_.front().key);
        entries_.pop_front();
    }
    const auto place = places_.find(key);
    Times& times = place == places_.end() ? shared(key) : place->second->times;
    drop_old(times, now);
    return times.empty() ? nullptr : &times;
}

void RateLimit::add(std::string_view key, base::Time now) {
    Times* times = find(key, now);
    if (const auto place = places_.find(key); place != places_.end()) {
        entries_.splice(entries_.end(), entries_, place->second);
        times = &place->second->times;
    } else if (entries_.size() < max_keys_) {
        // What it may have counted in a common window goes with it: else it would begin anew.
        entries_.push_back({std::string(key), times == nullptr ? Times() : *times});
        const auto entry = std::prev(entries_.end());
        places_.emplace(entry->key, entry);
        times = &entry->times;
    } else {
        times = &shared(key);
    }
    if (times->size() >= limit_) times->erase(times->begin());
    times->push_back(now);
}

bool RateLimit::may(std::string_view key, base::Time now) {
    const Times* times = find(key, advance(now));
    return times == nullptr || times->size() < limit_;
}

void RateLimit::count(std::string_view key, base::Time now) {
    add(key, advance(now));
}

bool RateLimit::allow(std::string_view key, base::Time now) {
    if (!may(key, now)) return false;
    count(key, now);
    return true;
}

base::Seconds RateLimit::retry_after(std::string_view key, base::Time now) {
    const base::Time moment = advance(now);
    const Times* times = find(key, moment);
    if (times == nullptr || times->size() < limit_) return base::Seconds(0);
    return std::chrono::ceil<base::Seconds>(times->front() + period_ - moment);
}

}  // namespace oauth3::http
