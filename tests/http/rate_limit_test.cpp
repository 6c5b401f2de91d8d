#include "http/rate_limit.h"

#include "support/catch.h"

#include <rapidcheck.h>

#include <deque>
#include <map>

using namespace oauth3;
using base::Millis;
using base::Time;
using http::RateLimit;

namespace {

Time at(std::int64_t millis) {
    return base::from_millis(1'700'000'000'000 + millis);
}

/// The limit as one would say it, without any bound on memory.
struct Model {
    std::size_t limit;
    Millis period;
    std::map<std::string, std::deque<Time>> events;

    bool may(const std::string& key, Time now) {
        auto& times = events[key];
        while (!times.empty() && times.front() <= now - period) times.pop_front();
        return times.size() < limit;
    }
};

}  // namespace

TEST_CASE("five in a minute, then a wait until the first is a minute old") {
    RateLimit limit(5, base::Seconds(60));
    for (int i = 0; i < 5; ++i) CHECK(limit.allow("a", at(i * 1000)));
    CHECK_FALSE(limit.allow("a", at(5000)));
    CHECK(limit.retry_after("a", at(5000)) == base::Seconds(55));
    CHECK(limit.retry_after("a", at(5001)) == base::Seconds(55));
    CHECK(limit.allow("b", at(5001)));
    // What was refused does not count.
    for (int i = 0; i < 100; ++i) CHECK_FALSE(limit.allow("a", at(59'999)));
    CHECK(limit.retry_after("a", at(59'999)) == base::Seconds(1));
    CHECK(limit.allow("a", at(60'000)));
    CHECK_FALSE(limit.allow("a", at(60'000)));
    CHECK(limit.retry_after("a", at(60'000)) == base::Seconds(1));
    CHECK(limit.retry_after("nobody", at(60'000)) == base::Seconds(0));
}

TEST_CASE("asking does not count, and counting does not ask") {
    RateLimit limit(2, base::Seconds(60));
    for (int i = 0; i < 100; ++i) CHECK(limit.may("a", at(0)));
    CHECK(limit.size() == 0);
    for (int i = 0; i < 5; ++i) limit.count("a", at(i));
    CHECK_FALSE(limit.may("a", at(4)));
    // Counted above the limit: the last two decide.
    CHECK_FALSE(limit.may("a", at(60'002)));
    CHECK(limit.may("a", at(60'003)));
}

TEST_CASE("it agrees with the plain rule for any calls") {
    CHECK(rc::check([] {
        const auto most = *rc::gen::inRange<std::size_t>(1, 5);
        const Millis period(*rc::gen::inRange(1, 200));
        RateLimit limit(most, period, 100);
        Model model{most, period, {}};
        std::int64_t now = 0;
        for (int step = 0; step < 200; ++step) {
            now +=
                *rc::gen::weightedOneOf<int>({{3, rc::gen::just(0)}, {2, rc::gen::inRange(0, 90)}});
            const std::string key(1, *rc::gen::elementOf(std::string("abc")));
            const bool expected = model.may(key, at(now));
            RC_ASSERT(limit.may(key, at(now)) == expected);
            const auto wait = limit.retry_after(key, at(now));
            RC_ASSERT((wait.count() == 0) == expected);
            if (!expected) {
                // Then it may, and a second earlier it may not.
                Model later = model;
                RC_ASSERT(later.may(key, at(now) + wait));
                later = model;
                RC_ASSERT(!later.may(key, at(now) + wait - Millis(1000)));
            }
            if (*rc::gen::arbitrary<bool>()) {
                RC_ASSERT(limit.allow(key, at(now)) == expected);
                if (expected) model.events[key].push_back(at(now));
            }
        }
    }));
}

TEST_CASE("a million addresses take no more memory and wipe no count") {
    constexpr std::size_t kKeys = 1000;
    RateLimit limit(5, base::Seconds(60), kKeys);
    for (int i = 0; i < 5; ++i) CHECK(limit.allow("blocked", at(0)));
    CHECK(limit.allow("used once", at(0)));
    int allowed = 0;
    for (int i = 0; i < 1'000'000; ++i) {
        const std::string key =
            http::rate_key("2001:db8:" + fmt::format("{:x}:{:x}", i >> 16, i & 0xFFFF) + "::1");
        if (limit.allow(key, at(1 + i / 100'000))) ++allowed;
    }
    CHECK(limit.size() == kKeys);
    // The table, and the few common windows.
    CHECK(allowed <= static_cast<int>(kKeys) + 64 * 5);
    CHECK_FALSE(limit.may("blocked", at(20)));
    for (int i = 0; i < 4; ++i) CHECK(limit.allow("used once", at(20)));
    CHECK_FALSE(limit.allow("used once", at(20)));
    // When the flood is over, all is as before.
    CHECK(limit.allow("somebody new", at(60'020)));
    CHECK(limit.size() <= 3);
    for (int i = 0; i < 4; ++i) CHECK(limit.allow("somebody new", at(60'020)));
    CHECK_FALSE(limit.allow("somebody new", at(60'020)));
}

TEST_CASE("no key gets more than its limit, however full the table is") {
    CHECK(rc::check([] {
        const auto most = *rc::gen::inRange<std::size_t>(1, 4);
        const Millis period(*rc::gen::inRange(1, 100));
        RateLimit limit(most, period, *rc::gen::inRange<std::size_t>(1, 4));
        Model model{most, period, {}};
        std::int64_t now = 0;
        for (int step = 0; step < 200; ++step) {
            now += *rc::gen::inRange(0, 12);
            const std::string key(1, *rc::gen::elementOf(std::string("abcdefgh")));
            const bool fits = model.may(key, at(now));
            if (!limit.allow(key, at(now))) continue;
            RC_ASSERT(fits);
            model.events[key].push_back(at(now));
        }
    }));
}

TEST_CASE("a clock that jumps locks nobody out and lets nobody in") {
    RateLimit limit(2, base::Seconds(60));
    CHECK(limit.allow("a", at(0)));
    CHECK(limit.allow("a", at(10)));
    constexpr std::int64_t kDay = 86'400'000;
    // Back: as if it had stood still, then it goes on.
    CHECK_FALSE(limit.may("a", at(-kDay)));
    CHECK(limit.retry_after("a", at(-kDay)) == base::Seconds(60));
    CHECK_FALSE(limit.may("a", at(-kDay + 59'989)));
    CHECK(limit.may("a", at(-kDay + 59'990)));
    CHECK(limit.allow("a", at(-kDay + 59'990)));
    // Forward: everything is old.
    CHECK(limit.allow("a", at(kDay)));
    CHECK(limit.allow("a", at(kDay)));
    CHECK_FALSE(limit.allow("a", at(kDay)));
}

TEST_CASE("addresses of one subscriber count as one") {
    CHECK(http::rate_key("192.0.2.7") == "192.0.2.7");
    CHECK(http::rate_key("::ffff:192.0.2.7") == "192.0.2.7");
    CHECK(http::rate_key("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64");
    CHECK(http::rate_key("2001:db8:1:2:ffff::") == "2001:db8:1:2::/64");
    CHECK(http::rate_key("2001:db8:1:3::") == "2001:db8:1:3::/64");
    CHECK(http::rate_key("::1") == "::/64");
    CHECK(http::rate_key("") == "unix");
    CHECK(http::rate_key("what is this") == "what is this");
}
