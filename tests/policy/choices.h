#pragma once

#include "base/network.h"
#include "policy/fit.h"
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

inline const Texts kPaths{"/**", "/a", "/a/", "/a/*", "/a/**", "/a/*/b", "/b/**"};
inline const std::vector<Methods> kMethods{Methods::all(), Methods::only({"GET"}),
                                           Methods::only({"GET", "POST"}),
                                           Methods::but({"DELETE"})};

inline std::vector<PathPattern> patterns(const Texts& texts) {
    std::vector<PathPattern> out;
    for (const auto& text : texts) out.push_back(std::get<PathPattern>(PathPattern::parse(text)));
    make_set(out);
    return out;
}

inline TypedArg typed(const Json& json) {
    return std::get<TypedArg>(TypedArg::parse(json));
}

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

    Rule rule(bool with_host = true) {
        Rule out;
        if (with_host) out.host = networks_from({of(kNetworks)})[0];
        out.methods = of(kMethods);
        out.paths = patterns(some_of(kPaths));
        return out;
    }
    std::vector<Rule> rules(bool with_host = true) {
        std::vector<Rule> out;
        for (int left = below(3); left > 0; --left) out.push_back(rule(with_host || coin()));
        make_set(out);
        return out;
    }

    Limit limit() {
        Limit out;
        if (coin()) out.calls = rules(below(3) == 0);
        if (below(4) == 0) out.tls_only = true;
        if (below(4) == 0) {
            out.secrets = some_of(kSecrets);
            make_set(*out.secrets);
        }
        if (below(4) == 0) out.max_runs = 1 + below(4);
        if (below(4) == 0) out.max_requests = below(4);
        if (below(4) == 0) out.life = Seconds(60 + below(100) * 100);
        if (below(4) == 0) out.timeout = timeout();
        return out;
    }
    Constraint constraint() {
        Constraint out;
        out.text = of(Texts{"one", "c\u00E9\n2"});
        out.limit = limit();
        out.kind = out.limit.empty() ? ConstraintClass::advisory
                   : below(4) == 0   ? ConstraintClass::partly
                                     : ConstraintClass::enforced;
        if (out.kind == ConstraintClass::partly) out.remark = "r";
        return out;
    }
    TypedArg arg() {
        return typed(of(std::vector<Json>{{{"param", "n"}, {"op", "<"}, {"value", 2}},
                                          {{"param", "n"}, {"op", "!="}, {"value", 1}},
                                          {{"param", "n"}, {"pattern", "[01]"}}}));
    }

    /// A request to one of the hosts, or beside them.
    Call call() {
        return {of(Texts{"a.d.org", "b.a.d.org", "d.org", "x.org", "y.org", "[::1]", "10.0.0.1"}),
                of(std::vector<std::uint16_t>{80, 443, 22}), coin(),
                of(Texts{"GET", "POST", "DELETE"}),
                of(Texts{"/", "/a", "/a/", "/a/x", "/a/x/b", "/b/c", "/c"})};
    }

    /// What only adds to a session.
    Scope plain_scope() {
        Scope out;
        out.description = of(Texts{"", "d", "\u00FC\n\""});
        out.secrets = some_of(kSecrets);
        out.networks = networks();
        out.rules = rules();
        if (coin()) out.code_hash = hash();
        out.max_timeout = timeout();
        if (coin()) out.expires_in = Seconds(60 + below(2000) * 100);
        if (below(3) == 0) out.max_runs = 1 + below(4);
        return out;
    }

    Scope scope() {
        Scope out = plain_scope();
        for (int left = below(3); left > 0; --left) out.constraints.push_back(constraint());
        if (below(4) == 0) out.args.push_back(arg());
        if (below(4) == 0) out.budgets.requests = below(5);
        if (below(4) == 0) out.budgets.bytes = below(5);
        if (below(4) == 0) out.budgets.secret_uses[of(kSecrets)] = below(3);
        return out;
    }

    /// A session as it comes about: by one to four approvals.
    Session session() {
        std::optional<Session> out;
        for (int left = 1 + below(4); left > 0; --left)
            out = below(4) != 0 ? approve_scope(out, scope(), kNow, {.any_code = below(4) != 0})
                                : approve_run(out, grant_of(ask()), kNow);
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

/// True iff the session would let the call pass, said once more from wire 6.5 and 6.6.
inline bool lets_pass(const Session& session, const Call& call) {
    const SessionPolicy& p = session.policy;
    return all_covered({Network{call.host, false, call.port}}, p.networks) &&
           std::any_of(p.rules.begin(), p.rules.end(),
                       [&](const Rule& rule) { return rule.matches(call); }) &&
           std::all_of(p.constraints.begin(), p.constraints.end(),
                       [&](const Constraint& c) { return c.limit.allows(call); });
}

inline bool granted(const std::variant<Grant, Violations>& result) {
    return std::holds_alternative<Grant>(result);
}

/// Everything of a session, to compare whole sessions.
inline Json whole(const Session& s) {
    return {stored_json(s.policy),
            s.created_at.time_since_epoch().count(),
            s.last_activity.time_since_epoch().count(),
            s.expires_at.time_since_epoch().count(),
            s.ended,
            s.runs_used,
            to_json(s.used)};
}

}  // namespace oauth3::test
