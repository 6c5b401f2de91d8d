#pragma once

#include "base/network.h"
#include "policy/session.h"
#include "support/property.h"

#include <rapidcheck.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

/// What the properties of this room are tried with.
namespace oauth3::test {

using namespace oauth3::policy;
using oauth3::base::Json;
using oauth3::base::Network;
using oauth3::base::Seconds;
using oauth3::base::Time;

using Texts = std::vector<std::string>;

inline const Time kNow = oauth3::base::from_millis(1'767'225'600'000);

// Few names, so that what is asked and what is allowed often meet.
inline const Texts kSecrets{"A", "B", "C", "D"};
inline const Texts kNetworks{"a.d.org",    "*.d.org",  "d.org", "*.a.d.org", "d.org:443",
                             "*.d.org:80", "x.org:22", "[::1]", "10.0.0.1"};

/// All the choices of one case, from one number that rapidcheck draws and, on a failure, shows.
/// Drawn one by one they would take minutes.
class Choices {
  public:
    Choices() : engine_(*rc::gen::arbitrary<std::uint32_t>() | 1U) {}

    int below(int bound) { return std::uniform_int_distribution<int>(0, bound - 1)(engine_); }
    bool coin() { return below(2) == 1; }
    template <typename T>
    const T& of(const std::vector<T>& list) {
        return list[static_cast<std::size_t>(below(static_cast<int>(list.size())))];
    }
    template <typename T>
    std::vector<T> some_of(const std::vector<T>& list, int most = 3) {
        std::vector<T> out;
        if (list.empty()) return out;
        for (int left = below(most + 1); left > 0; --left) out.push_back(of(list));
        return out;
    }

    std::vector<Network> networks() { return networks_from(some_of(kNetworks)); }
    std::string hash() { return std::string(64, static_cast<char>('1' + below(3))); }
    Seconds timeout() {
        return of(
            std::vector<Seconds>{Seconds(1), Seconds(30), Seconds(31), Seconds(60), Seconds(3600)});
    }
    Time moment() { return kNow + Seconds(below(900) * 100); }

    Ask ask() { return {hash(), {{"n", below(3)}}, some_of(kSecrets), networks(), timeout()}; }

    /// An ask that has a good chance to fit the session.
    Ask ask_near(const Session& session) {
        const SessionPolicy& p = session.policy;
        Ask out{p.code_hashes.empty() ? hash() : of(p.code_hashes),
                {{"n", below(3)}},
                some_of(p.secrets),
                some_of(p.networks),
                std::min(timeout(), p.max_timeout)};
        if (below(8) == 0) out.timeout = timeout();
        if (below(8) == 0) out.networks = networks();
        if (below(8) == 0) out.secrets = some_of(kSecrets);
        if (below(8) == 0) out.code_hash = hash();
        return out;
    }

    Scope scope() {
        Scope out;
        out.description = of(Texts{"", "d", "\u00FC\n\""});
        for (const auto& text : some_of(Texts{"No network access", "c\u00E9\n2"}))
            out.constraints.push_back(compile_constraint(text));
        out.secrets = some_of(kSecrets);
        out.networks = networks();
        if (coin()) out.code_hash = hash();
        out.max_timeout = timeout();
        if (coin()) out.expires_in = Seconds(60 + below(2000) * 100);
        if (below(3) == 0) out.max_runs = 1 + below(4);
        return out;
    }

    /// A session as it comes about: by one to four approvals.
    Session session() {
        std::optional<Session> out;
        for (int left = 1 + below(4); left > 0; --left)
            out = coin() ? approve_scope(out, scope(), kNow) : approve_run(out, ask(), kNow);
        return *out;
    }

  private:
    std::minstd_rand engine_;
};

template <typename T>
bool subset(const std::vector<T>& inner, const std::vector<T>& outer) {
    return std::all_of(inner.begin(), inner.end(), [&](const T& item) {
        return std::find(outer.begin(), outer.end(), item) != outer.end();
    });
}

inline bool all_covered(const std::vector<Network>& inner, const std::vector<Network>& outer) {
    return std::all_of(inner.begin(), inner.end(), [&](const Network& item) {
        return std::any_of(outer.begin(), outer.end(),
                           [&](const Network& by) { return by.covers(item); });
    });
}

inline bool granted(const std::variant<Grant, Violations>& result) {
    return std::holds_alternative<Grant>(result);
}

/// Everything of a session, to compare whole sessions.
inline Json whole(const Session& s) {
    return {to_json(s.policy),
            s.created_at.time_since_epoch().count(),
            s.last_activity.time_since_epoch().count(),
            s.expires_at.time_since_epoch().count(),
            s.ended,
            s.runs_used};
}

}  // namespace oauth3::test
