#include "base/crypto.h"
#include "policy/session.h"
#include "support/any_json.h"
#include "support/catch.h"
#include "support/property.h"

#include <random>
#include <set>

using namespace oauth3::policy;
using oauth3::base::from_millis;
using oauth3::base::Json;
using oauth3::base::Network;
using oauth3::base::Seconds;
using oauth3::base::Time;

namespace {

const oauth3::test::Cases kCases("max_success=5000 max_discard_ratio=100");

using Texts = std::vector<std::string>;

const Time kNow = from_millis(1'767'225'600'000);

// Few names, so that what is asked and what is allowed often meet.
const Texts kSecrets{"A", "B", "C", "D"};
const Texts kNetworks{"a.d.org",    "*.d.org",  "d.org", "*.a.d.org", "d.org:443",
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

bool all_covered(const std::vector<Network>& inner, const std::vector<Network>& outer) {
    return std::all_of(inner.begin(), inner.end(), [&](const Network& item) {
        return std::any_of(outer.begin(), outer.end(),
                           [&](const Network& by) { return by.covers(item); });
    });
}

bool granted(const std::variant<Grant, Violations>& result) {
    return std::holds_alternative<Grant>(result);
}

/// Everything of a session, to compare whole sessions.
Json whole(const Session& s) {
    return {to_json(s.policy), s.created_at.time_since_epoch().count(),
            s.last_activity.time_since_epoch().count(), s.expires_at.time_since_epoch().count(),
            s.ended};
}

}  // namespace

TEST_CASE("a request fits exactly when the six conditions of the wire hold") {
    CHECK(rc::check([] {
        Choices choose;
        Session session = choose.session();
        session.ended = choose.below(6) == 0;
        const Time now = choose.coin() ? kNow : choose.moment();
        const Ask ask = choose.ask_near(session);
        // Said once more, from wire 6.3 and 6.4.
        const bool live = !session.ended && now < session.expires_at &&
                          now < session.last_activity + std::chrono::hours(2);
        const SessionPolicy& p = session.policy;
        const bool fits = live && subset(ask.secrets, p.secrets) &&
                          all_covered(ask.networks, p.networks) && ask.timeout <= p.max_timeout &&
                          subset({ask.code_hash}, p.code_hashes);
        const auto result = fit(session, ask, now);
        RC_CLASSIFY(fits, "fits");
        RC_ASSERT(granted(result) == fits);
        if (!fits) RC_ASSERT(!std::get<Violations>(result).empty());
    }));
}

TEST_CASE("a grant exceeds neither the session nor what was asked") {
    CHECK(rc::check([] {
        Choices choose;
        const Session session = choose.session();
        const Ask ask = choose.ask_near(session);
        const auto result = fit(session, ask, kNow);
        RC_PRE(granted(result));
        const Grant& grant = std::get<Grant>(result);
        RC_ASSERT(subset(grant.secrets, ask.secrets));
        RC_ASSERT(subset(grant.secrets, session.policy.secrets));
        RC_ASSERT(subset(grant.networks, ask.networks));
        RC_ASSERT(all_covered(grant.networks, session.policy.networks));
        RC_ASSERT(grant.timeout <= ask.timeout);
        RC_ASSERT(grant.timeout <= session.policy.max_timeout);
        RC_ASSERT(grant.code_hash == ask.code_hash);
        RC_ASSERT(subset({grant.code_hash}, session.policy.code_hashes));
        RC_ASSERT(grant.args == ask.args);
        RC_ASSERT(digest(grant) == digest(grant_of(ask)));
    }));
}

TEST_CASE("widening a session never takes anything away") {
    CHECK(rc::check([] {
        Choices choose;
        const Session before = choose.session();
        const Time later = kNow + Seconds(choose.below(7000));
        const bool by_scope = choose.coin();
        const Scope scope = choose.scope();
        const Ask ask = choose.ask();
        const Session after =
            by_scope ? approve_scope(before, scope, later) : approve_run(before, ask, later);
        const SessionPolicy &b = before.policy, &a = after.policy;
        RC_ASSERT(subset(b.secrets, a.secrets));
        RC_ASSERT(subset(b.networks, a.networks));
        RC_ASSERT(subset(b.code_hashes, a.code_hashes));
        RC_ASSERT(a.max_timeout >= b.max_timeout);
        RC_ASSERT(a.constraints.size() ==
                  b.constraints.size() + (by_scope ? scope.constraints.size() : 0));
        for (std::size_t i = 0; i < b.constraints.size(); ++i)
            RC_ASSERT(a.constraints[i].text == b.constraints[i].text);
        for (const auto& [secret, hosts] : b.secret_hosts)
            RC_ASSERT(subset(hosts, a.secret_hosts.at(secret)));
        // Nor does it add what was not approved.
        RC_ASSERT(a.max_timeout ==
                  std::max(b.max_timeout, by_scope ? scope.max_timeout : ask.timeout));
        for (const auto& secret : a.secrets)
            RC_ASSERT(subset({secret}, b.secrets) ||
                      subset({secret}, by_scope ? scope.secrets : ask.secrets));
        for (const auto& network : a.networks)
            RC_ASSERT(subset({network}, b.networks) ||
                      subset({network}, by_scope ? scope.networks : ask.networks));
        RC_ASSERT(after.created_at == before.created_at);
        RC_ASSERT(after.last_activity == later);
        if (!by_scope || !scope.expires_in) RC_ASSERT(after.expires_at == before.expires_at);
        // Lists are sorted, without repeats.
        RC_ASSERT(std::is_sorted(a.secrets.begin(), a.secrets.end()));
        RC_ASSERT(std::set<Network>(a.networks.begin(), a.networks.end()).size() ==
                  a.networks.size());
        RC_ASSERT(std::is_sorted(a.code_hashes.begin(), a.code_hashes.end()));
    }));
}

TEST_CASE("what fitted fits the widened session, and less than what fitted fits too") {
    CHECK(rc::check([] {
        Choices choose;
        const Session session = choose.session();
        const Ask ask = choose.ask_near(session);
        RC_PRE(granted(fit(session, ask, kNow)));
        Scope scope = choose.scope();
        scope.expires_in = Seconds(3600);
        RC_ASSERT(granted(fit(approve_scope(session, scope, kNow), ask, kNow)));
        RC_ASSERT(granted(fit(approve_run(session, choose.ask(), kNow), ask, kNow)));
        Ask less = ask;
        if (!less.secrets.empty()) less.secrets.pop_back();
        if (!less.networks.empty()) less.networks.pop_back();
        less.timeout = std::min(less.timeout, choose.timeout());
        RC_ASSERT(granted(fit(session, less, kNow)));
    }));
}

TEST_CASE(
    "a run that a human approved for a session fits it, one approved with other code does not") {
    CHECK(rc::check([] {
        Choices choose;
        const Ask ask = choose.ask();
        const Session session = approve_run(std::nullopt, ask, kNow);
        RC_ASSERT(granted(fit(session, ask, kNow)));
        Ask other = ask;
        other.args = {{"other", choose.below(9)}};
        RC_ASSERT(granted(fit(session, other, kNow)));
        other.code_hash = std::string(64, '9');
        const auto refused = fit(session, other, kNow);
        RC_ASSERT(std::get<Violations>(refused) == Violations{"code not approved in this session"});
        // Exactly what it asked for, and no constraint or further code.
        RC_ASSERT(session.policy.code_hashes == Texts{ask.code_hash});
        RC_ASSERT(session.policy.max_timeout == ask.timeout);
        RC_ASSERT(subset(session.policy.secrets, ask.secrets));
        RC_ASSERT(subset(session.policy.networks, ask.networks));
        RC_ASSERT(session.policy.constraints.empty());
    }));
}

TEST_CASE("an ended or expired session fits nothing") {
    CHECK(rc::check([] {
        Choices choose;
        Session session = choose.session();
        Ask ask = choose.ask();
        ask.secrets.clear();
        ask.networks.clear();
        ask.timeout = Seconds(1);
        ask.code_hash = session.policy.code_hashes.empty() ? "" : session.policy.code_hashes[0];
        const Time end = session_end(session);
        RC_ASSERT(end <= session.last_activity + kSessionIdle);
        RC_ASSERT(end <= session.created_at + kSessionLife || end <= session.expires_at);
        RC_ASSERT(!is_live(session, end));
        RC_ASSERT(is_live(session, end - oauth3::base::Millis(1)));
        const Time late = end + oauth3::base::Millis(choose.below(2'000'000'000));
        RC_ASSERT(!granted(fit(session, ask, late)));
        session.ended = true;
        RC_ASSERT(!granted(fit(session, ask, kNow)));
        RC_ASSERT(!granted(fit(session, ask, from_millis(0))));
    }));
}

TEST_CASE("a session ends after 2 idle hours and 24 hours, or earlier if the human said so") {
    Scope scope;
    scope.expires_in = std::nullopt;
    const Session plain = approve_scope(std::nullopt, scope, kNow);
    CHECK(session_end(plain) == kNow + std::chrono::hours(2));
    Session busy = plain;
    busy.last_activity = kNow + std::chrono::hours(23);
    CHECK(session_end(busy) == kNow + std::chrono::hours(24));
    scope.expires_in = Seconds(60);
    CHECK(session_end(approve_scope(std::nullopt, scope, kNow)) == kNow + Seconds(60));
    scope.expires_in = Seconds(1'000'000);
    CHECK(approve_scope(std::nullopt, scope, kNow).expires_at == kNow + std::chrono::hours(24));
    // A later approval without an expiry keeps the one that stands.
    scope.expires_in = Seconds(60);
    const Session first = approve_scope(std::nullopt, scope, kNow);
    CHECK(approve_run(first, Ask{}, kNow + Seconds(30)).expires_at == kNow + Seconds(60));
}

TEST_CASE("each secret is bound to the networks it was approved together with") {
    CHECK(rc::check([] {
        Choices choose;
        std::map<std::string, std::set<std::string>> expected;
        std::optional<Session> session;
        for (int left = 1 + choose.below(4); left > 0; --left) {
            const Scope scope = choose.scope();
            const Ask ask = choose.ask();
            const bool by_scope = choose.coin();
            session =
                by_scope ? approve_scope(session, scope, kNow) : approve_run(session, ask, kNow);
            for (const auto& secret : by_scope ? scope.secrets : ask.secrets) {
                auto& hosts = expected[secret];
                for (const auto& n : by_scope ? scope.networks : ask.networks)
                    hosts.insert(n.text());
            }
        }
        RC_ASSERT(session->policy.secret_hosts.size() == expected.size());
        for (const auto& [secret, hosts] : session->policy.secret_hosts)
            RC_ASSERT(std::set<std::string>(hosts.begin(), hosts.end()) == expected[secret]);
    }));
}

TEST_CASE("violations are told in the words of the wire, all of them") {
    Scope scope;
    scope.max_timeout = Seconds(60);
    Session session = approve_scope(std::nullopt, scope, kNow);
    const Ask ask{
        std::string(64, 'a'), Json::object(), {"X"}, networks_from({"h.example:22"}), Seconds(90)};
    CHECK(std::get<Violations>(fit(session, ask, kNow)) ==
          Violations{"new secret: X", "new network: h.example:22", "timeout 90 > 60",
                     "code not approved in this session"});
    session.ended = true;
    CHECK(std::get<Violations>(fit(session, ask, kNow)).size() == 5);
}

TEST_CASE("no session has any_code, and every constraint is advisory") {
    Scope scope;
    scope.constraints = {compile_constraint("No network access"), compile_constraint("be nice")};
    scope.code_hash = std::string(64, 'a');
    const Session session = approve_scope(std::nullopt, scope, kNow);
    const Json json = to_json(session.policy);
    CHECK(json["any_code"] == false);
    CHECK(json["rules"] == Json::array());
    CHECK(json["max_runs"].is_null());
    for (const Json& constraint : json["constraints"]) CHECK(constraint["class"] == "advisory");
    CHECK_FALSE(granted(fit(session, Ask{std::string(64, 'b'), {}, {}, {}, Seconds(1)}, kNow)));
}

TEST_CASE("the digest of a grant changes with every change of any member, and with nothing else") {
    CHECK(rc::check([] {
        Choices choose;
        const auto grant = [&choose] {
            Grant out = grant_of(choose.ask());
            out.args = {{"v", oauth3::test::any_json(0)}};
            return out;
        };
        const Grant a = grant(), b = choose.coin() ? grant() : a;
        Grant c = a;
        switch (choose.below(6)) {
            case 0:
                c.code_hash = b.code_hash;
                break;
            case 1:
                c.args = b.args;
                break;
            case 2:
                c.secrets = b.secrets;
                break;
            case 3:
                c.networks = b.networks;
                break;
            case 4:
                c.timeout = b.timeout;
                break;
            default:
                c = b;
        }
        // The text, not only the value, of the arguments reaches the program.
        const bool same = a.code_hash == c.code_hash && a.args.dump() == c.args.dump() &&
                          a.secrets == c.secrets && a.networks == c.networks &&
                          a.timeout == c.timeout;
        RC_ASSERT((digest(a) == digest(c)) == same);
        RC_ASSERT(oauth3::base::is_lower_hex(digest(a), 64));
    }));
    const auto with = [](const char* args) {
        Grant out;
        out.args = oauth3::base::parse_json(args);
        return digest(out);
    };
    CHECK(with(R"({"n":9007199254740992})") != with(R"({"n":9007199254740993})"));
    CHECK(with(R"({"n":1})") != with(R"({"n":1.0})"));
    CHECK(with(R"({"a":1,"b":2})") == with(R"({ "b": 2, "a": 1 })"));
    CHECK(with(R"({"a":"{}"})") != with(R"({"a":{}})"));
}

TEST_CASE("the order and repeats of what was asked do not change the digest") {
    CHECK(rc::check([] {
        Choices choose;
        Ask ask = choose.ask();
        const std::string before = digest(grant_of(ask));
        std::reverse(ask.secrets.begin(), ask.secrets.end());
        std::reverse(ask.networks.begin(), ask.networks.end());
        if (!ask.secrets.empty()) ask.secrets.push_back(ask.secrets[0]);
        if (!ask.networks.empty()) ask.networks.push_back(ask.networks[0]);
        RC_ASSERT(digest(grant_of(ask)) == before);
    }));
}

TEST_CASE("scopes and sessions come back from the store as they went") {
    CHECK(rc::check([] {
        Choices choose;
        const auto stored = [](const Json& json) {
            return oauth3::base::parse_json(oauth3::base::dump_json(json));
        };
        const Scope scope = choose.scope();
        const Scope read = scope_from_json(stored(to_json(scope)));
        RC_ASSERT(to_json(read) == to_json(scope));
        RC_ASSERT(read.description == scope.description);
        RC_ASSERT(read.secrets == scope.secrets);
        RC_ASSERT(read.networks == scope.networks);
        RC_ASSERT(read.code_hash == scope.code_hash);
        RC_ASSERT(read.max_timeout == scope.max_timeout);
        RC_ASSERT(read.expires_in == scope.expires_in);
        RC_ASSERT(read.constraints.size() == scope.constraints.size());

        Session session = choose.session();
        Session again = session;
        again.policy = session_policy_from_json(stored(to_json(session.policy)));
        RC_ASSERT(whole(again) == whole(session));
        RC_ASSERT(again.policy.networks == session.policy.networks);
        RC_ASSERT(again.policy.secret_hosts == session.policy.secret_hosts);
    }));
    CHECK_THROWS_AS(networks_from({"https://h"}), oauth3::base::Error);
    CHECK_THROWS(scope_from_json(Json::object()));
    CHECK_THROWS(session_policy_from_json(Json::array()));
}
