#include "policy/choices.h"
#include "support/catch.h"

#include <set>

using namespace oauth3::test;
using oauth3::base::from_millis;

namespace {

const oauth3::test::Cases kCases("max_success=5000 max_discard_ratio=100");

Session plain_session(Choices& choose) {
    return approve_scope(approve_run(std::nullopt, grant_of(choose.ask()), kNow),
                         choose.plain_scope(), kNow);
}

std::set<std::string> named(const std::vector<Network>& networks) {
    const Texts texts = texts_of(networks);
    return {texts.begin(), texts.end()};
}

/// Said once more, from wire 5.2: nothing that the request needs is used up.
bool budgets_are_left(const Session& session, const Ask& ask) {
    const Budgets& b = session.policy.budgets;
    if (b.requests && session.used.requests >= *b.requests) return false;
    if (b.bytes && session.used.bytes >= *b.bytes) return false;
    for (const auto& [secret, most] : b.secret_uses) {
        const auto used = session.used.secret_uses.find(secret);
        const std::int64_t uses = used == session.used.secret_uses.end() ? 0 : used->second;
        if (subset({secret}, ask.secrets) && uses >= most) return false;
    }
    return true;
}

}  // namespace

TEST_CASE("a request fits exactly when the seven conditions of the wire hold") {
    CHECK(rc::check([] {
        Choices choose;
        Session session = choose.session();
        session.ended = choose.below(6) == 0;
        session.runs_used = choose.below(4);
        session.used = {choose.below(4), choose.below(4), {{"A", choose.below(3)}}};
        const Time now = choose.coin() ? kNow : choose.moment();
        const Ask ask = choose.ask_near(session);
        // Said once more, from wire 6.3 and 6.4.
        const bool live = !session.ended && now < session.expires_at &&
                          now < session.last_activity + std::chrono::hours(2);
        const SessionPolicy& p = session.policy;
        const bool fits =
            live && subset(ask.secrets, p.secrets) && all_covered(ask.networks, p.networks) &&
            ask.timeout <= p.max_timeout && (!p.max_runs || session.runs_used < *p.max_runs) &&
            (subset({ask.code_hash}, p.code_hashes) || any_code(p)) &&
            std::none_of(
                p.args.begin(), p.args.end(),
                [&](const TypedArg& arg) { return arg.violation(ask.args).has_value(); }) &&
            budgets_are_left(session, ask);
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
        RC_ASSERT(subset({grant.code_hash}, session.policy.code_hashes) ||
                  any_code(session.policy));
        RC_ASSERT(grant.args == ask.args);
        // Each secret goes only where the session binds it to, and where the request goes.
        RC_ASSERT(grant.secret_hosts.size() == grant.secrets.size());
        for (const auto& [secret, hosts] : grant.secret_hosts) {
            RC_ASSERT(all_covered(hosts, ask.networks));
            RC_ASSERT(hosts.empty() || all_covered(hosts, session.policy.secret_hosts.at(secret)));
        }
        for (int left = 8; left > 0; --left) {
            const Call call = choose.call();
            const bool passes = gate(grant, call) == Gate::allow;
            const bool asked = all_covered({Network{call.host, false, call.port}}, ask.networks);
            // Exactly what both let pass, so neither more nor less.
            RC_ASSERT(passes == (asked && lets_pass(session, call)));
            if (!asked) RC_ASSERT(gate(grant, call) == Gate::deny_host);
        }
    }));
}

TEST_CASE("widening a session by what brings no limit never takes anything away") {
    CHECK(rc::check([] {
        Choices choose;
        const Session before = plain_session(choose);
        const Time later = kNow + Seconds(choose.below(7000));
        const bool by_scope = choose.coin();
        const Scope scope = choose.plain_scope();
        const Ask ask = choose.ask();
        const Session after = by_scope ? approve_scope(before, scope, later)
                                       : approve_run(before, grant_of(ask), later);
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
        Scope scope = choose.plain_scope();
        scope.expires_in = Seconds(3600);
        scope.max_runs = std::nullopt;
        RC_ASSERT(granted(fit(approve_scope(session, scope, kNow), ask, kNow)));
        // Once a run was approved, only code that was seen may run.
        if (subset({ask.code_hash}, session.policy.code_hashes))
            RC_ASSERT(granted(fit(approve_run(session, grant_of(choose.ask()), kNow), ask, kNow)));
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
        const Session session = approve_run(std::nullopt, grant_of(ask), kNow);
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
    CHECK(approve_run(first, grant_of(Ask{}), kNow + Seconds(30)).expires_at == kNow + Seconds(60));
}

TEST_CASE("each secret is bound to the networks it was approved together with") {
    CHECK(rc::check([] {
        Choices choose;
        std::map<std::string, std::set<std::string>> expected;
        std::optional<Session> session;
        for (int left = 1 + choose.below(4); left > 0; --left) {
            const Scope scope = choose.plain_scope();
            const Ask ask = choose.ask();
            const bool by_scope = choose.coin();
            session = by_scope ? approve_scope(session, scope, kNow)
                               : approve_run(session, grant_of(ask), kNow);
            for (const auto& secret : by_scope ? scope.secrets : ask.secrets) {
                auto& hosts = expected[secret];
                for (const auto& n : by_scope ? scope.networks : ask.networks)
                    hosts.insert(n.text());
            }
        }
        RC_ASSERT(session->policy.secret_hosts.size() == expected.size());
        for (const auto& [secret, hosts] : session->policy.secret_hosts)
            RC_ASSERT(named(hosts) == expected[secret]);
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
        again.policy = session_policy_from_json(stored(stored_json(session.policy)));
        RC_ASSERT(whole(again) == whole(session));
        RC_ASSERT(again.policy.networks == session.policy.networks);
        RC_ASSERT(again.policy.secret_hosts == session.policy.secret_hosts);
    }));
    CHECK_THROWS_AS(networks_from({"https://h"}), oauth3::base::Error);
    CHECK_THROWS(scope_from_json(Json::object()));
    CHECK_THROWS(session_policy_from_json(Json::array()));
}
