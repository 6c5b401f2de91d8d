#include "base/crypto.h"
#include "policy/choices.h"
#include "support/any_json.h"
#include "support/catch.h"

#include <set>

using namespace oauth3::test;
using oauth3::base::from_millis;

namespace {

const oauth3::test::Cases kCases("max_success=1000 max_discard_ratio=100");

}  // namespace

TEST_CASE("a request fits exactly when the seven conditions of the wire hold") {
    CHECK(rc::check([] {
        Choices choose;
        Session session = choose.session();
        session.ended = choose.below(6) == 0;
        session.runs_used = choose.below(4);
        const Time now = choose.coin() ? kNow : choose.moment();
        const Ask ask = choose.ask_near(session);
        // Said once more, from wire 6.3 and 6.4.
        const bool live = !session.ended && now < session.expires_at &&
                          now < session.last_activity + std::chrono::hours(2);
        const SessionPolicy& p = session.policy;
        const bool fits = live && subset(ask.secrets, p.secrets) &&
                          all_covered(ask.networks, p.networks) && ask.timeout <= p.max_timeout &&
                          (!p.max_runs || session.runs_used < *p.max_runs) &&
                          subset({ask.code_hash}, p.code_hashes);
        const auto result = fit(session, ask, now);
        RC_CLASSIFY(fits, "fits");
        RC_ASSERT(granted(result) == fits);
        // The run that was counted fits again at its start, unless something else has changed.
        if (fits) {
            ++session.runs_used;
            RC_ASSERT(granted(fit(session, ask, now, Counted::yes)));
        }
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
        scope.max_runs = std::nullopt;
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

TEST_CASE("a session with an advisory constraint has no any_code") {
    Scope scope;
    scope.constraints = {compile_constraint("No network access"), compile_constraint("be nice")};
    scope.code_hash = std::string(64, 'a');
    const Session session = approve_scope(std::nullopt, scope, kNow);
    const Json json = to_json(session.policy);
    CHECK(json["any_code"] == false);
    CHECK(json["rules"] == Json::array());
    CHECK(json["max_runs"].is_null());
    CHECK(json["constraints"][0]["class"] == "enforced");
    CHECK(json["constraints"][1]["class"] == "advisory");
    CHECK_FALSE(granted(fit(session, Ask{std::string(64, 'b'), {}, {}, {}, Seconds(1)}, kNow)));
}

TEST_CASE("there is a reason for people iff any_code is false") {
    for (int bits = 0; bits < 64; ++bits) {
        const auto is = [bits](int bit) { return (bits & (1 << bit)) != 0; };
        SessionPolicy policy;
        policy.only_scopes = is(0);
        policy.any_code_kept = is(1);
        policy.has_own_rules = is(2);
        if (is(3)) policy.constraints.push_back({"No network", ConstraintClass::enforced, {}, {}});
        if (is(4)) policy.constraints.push_back({"be nice", ConstraintClass::advisory, {}, {}});
        if (is(5)) policy.constraints.push_back({"only read x", ConstraintClass::partly, {}, {}});
        CAPTURE(bits);
        CHECK(any_code(policy) == why_not_any_code(policy).empty());
        if (is(4))
            CHECK(contains(why_not_any_code(policy), std::string("only advisory: \"be nice\"")));
    }
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
