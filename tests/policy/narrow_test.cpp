#include "policy/narrow.h"

#include "policy/choices.h"
#include "support/catch.h"

using namespace oauth3::test;

namespace {

/// A narrowing of which the parts often are narrower, and often are not.
Narrowing any_narrowing(Choices& choose, const Session& session) {
    const SessionPolicy& p = session.policy;
    Narrowing out;
    if (choose.coin()) out.secrets = choose.some_of(choose.below(4) == 0 ? kSecrets : p.secrets);
    if (choose.coin()) {
        out.networks = choose.some_of(p.networks);
        // Narrower ones than those in the list, and others.
        if (choose.coin())
            for (const Network& network : choose.networks())
                if (choose.below(4) == 0 || all_covered({network}, p.networks))
                    out.networks->push_back(network);
    }
    if (choose.coin()) {
        out.code_hashes = choose.some_of(p.code_hashes);
        if (choose.below(6) == 0) out.code_hashes->push_back(choose.hash());
    }
    if (choose.coin()) {
        out.rules.emplace();
        for (const Rule& rule : choose.some_of(p.rules)) {
            Rule less = rule;
            if (choose.coin() && rule.methods.has("GET")) less.methods = Methods::only({"GET"});
            if (choose.coin()) less.paths.resize(less.paths.size() / 2);
            out.rules->push_back(less);
        }
        if (choose.below(4) == 0) out.rules->push_back(choose.rule());
    }
    if (choose.below(4) == 0) {
        out.args = p.args;
        if (choose.coin()) out.args->push_back(choose.arg());
        if (choose.below(4) == 0 && !out.args->empty()) out.args->erase(out.args->begin());
    }
    out.known_code_only = choose.below(4) == 0;
    if (choose.coin()) out.max_runs = 1 + choose.below(5);
    if (choose.coin()) out.max_timeout = choose.timeout();
    if (choose.coin()) out.expires_in = Seconds(1 + choose.below(1000) * 100);
    return out;
}

std::vector<Network> hosts_of(const SessionPolicy& policy, const std::string& secret) {
    return policy.secret_hosts.at(secret);
}

/// What `inner` allows, `outer` allows.
void require_covered(const Session& inner, const Session& outer) {
    const SessionPolicy &i = inner.policy, &o = outer.policy;
    RC_ASSERT(subset(i.secrets, o.secrets));
    RC_ASSERT(all_covered(i.networks, o.networks));
    RC_ASSERT(subset(i.code_hashes, o.code_hashes));
    RC_ASSERT(i.max_timeout <= o.max_timeout);
    RC_ASSERT(!o.max_runs || (i.max_runs && *i.max_runs <= *o.max_runs));
    RC_ASSERT(inner.expires_at <= outer.expires_at);
    RC_ASSERT(session_end(inner) <= session_end(outer));
    RC_ASSERT(i.constraints.size() == o.constraints.size());
    RC_ASSERT(subset(o.args, i.args));
    RC_ASSERT(any_code(o) || !any_code(i));
    for (const auto& [secret, hosts] : i.secret_hosts) {
        RC_ASSERT(subset({secret}, i.secrets));
        RC_ASSERT(all_covered(hosts, hosts_of(o, secret)));
        RC_ASSERT(all_covered(hosts, i.networks));
    }
    for (const auto* list : {&i.secrets, &i.code_hashes}) {
        RC_ASSERT(std::is_sorted(list->begin(), list->end()));
        RC_ASSERT(std::adjacent_find(list->begin(), list->end()) == list->end());
    }
    RC_ASSERT(std::is_sorted(i.networks.begin(), i.networks.end()));
}

/// Said once more, from wire 6.3: the first part that the session does not cover.
std::string first_wider(const Session& s, const Narrowing& to, Time now) {
    const SessionPolicy& p = s.policy;
    if (to.secrets && !subset(*to.secrets, p.secrets)) return "secrets";
    if (to.networks && !all_covered(*to.networks, p.networks)) return "networks";
    if (to.rules)
        for (const Rule& rule : *to.rules)
            if (!covered(p.rules, rule)) return "rules";
    if (to.args && !subset(p.args, *to.args)) return "args";
    if (to.code_hashes && !subset(*to.code_hashes, p.code_hashes)) return "code_hashes";
    if (to.max_runs && p.max_runs && *to.max_runs > *p.max_runs) return "max_runs";
    if (to.max_timeout && *to.max_timeout > p.max_timeout) return "max_timeout";
    if (to.expires_in && now + *to.expires_in > s.expires_at) return "expires_in";
    return "";
}

}  // namespace

TEST_CASE("a narrowed session is covered by the one before, and no other narrowing is made") {
    CHECK(rc::check([] {
        Choices choose;
        Session before = choose.session();
        before.runs_used = choose.below(4);
        const Time now = choose.coin() ? kNow : choose.moment();
        const Narrowing to = any_narrowing(choose, before);
        const auto result = narrow(before, to, now);
        const std::string wider = first_wider(before, to, now);
        RC_CLASSIFY(wider.empty(), "narrower");
        RC_ASSERT(std::holds_alternative<Session>(result) == wider.empty());
        if (!wider.empty()) {
            RC_ASSERT(std::get<NotNarrower>(result).field == wider);
            return;
        }
        const Session& after = std::get<Session>(result);
        require_covered(after, before);
        RC_ASSERT(after.created_at == before.created_at);
        RC_ASSERT(after.last_activity == before.last_activity);
        RC_ASSERT(after.runs_used == before.runs_used);
        RC_ASSERT(!after.ended);
        // Each part that was named is what was asked for; no other has changed.
        const SessionPolicy &a = after.policy, &b = before.policy;
        RC_ASSERT((to.secrets ? subset(*to.secrets, a.secrets) : a.secrets == b.secrets));
        RC_ASSERT((to.networks ? subset(*to.networks, a.networks) : a.networks == b.networks));
        RC_ASSERT((to.code_hashes ? subset(*to.code_hashes, a.code_hashes)
                                  : a.code_hashes == b.code_hashes));
        RC_ASSERT(a.max_runs == (to.max_runs ? to.max_runs : b.max_runs));
        RC_ASSERT(a.max_timeout == to.max_timeout.value_or(b.max_timeout));
        RC_ASSERT(after.expires_at == (to.expires_in ? now + *to.expires_in : before.expires_at));
        RC_ASSERT((to.rules ? subset(*to.rules, a.rules) : a.rules == b.rules));
        RC_ASSERT(any_code(a) == (any_code(b) && !to.known_code_only));
        if (!to.networks)
            for (const auto& [secret, hosts] : a.secret_hosts)
                RC_ASSERT(all_covered(hosts_of(b, secret), hosts));
    }));
}

TEST_CASE("what fits a narrowed session fits the one before") {
    CHECK(rc::check([] {
        Choices choose;
        Session before = choose.session();
        before.runs_used = choose.below(3);
        const auto result = narrow(before, any_narrowing(choose, before), kNow);
        RC_PRE(std::holds_alternative<Session>(result));
        const Session& after = std::get<Session>(result);
        const Time later = choose.coin() ? kNow : choose.moment();
        for (int left = 8; left > 0; --left) {
            const Ask ask = choose.ask_near(choose.coin() ? after : before);
            const auto now = fit(after, ask, later);
            if (!granted(now)) continue;
            const auto then = fit(before, ask, later);
            RC_ASSERT(granted(then));
            RC_ASSERT(within(std::get<Grant>(now), std::get<Grant>(then)));
            const Call call = choose.call();
            if (gate(std::get<Grant>(now), call) == Gate::allow)
                RC_ASSERT(gate(std::get<Grant>(then), call) == Gate::allow);
        }
    }));
}

TEST_CASE("what is cut from a request while it is approved never widens it") {
    CHECK(rc::check([] {
        Choices choose;
        const Ask ask = choose.ask();
        const Grant whole = grant_of(ask);
        const Narrowing to = any_narrowing(choose, approve_run(std::nullopt, whole, kNow));
        const auto cut = narrow(whole, to);
        if (const auto* left = std::get_if<Grant>(&cut)) {
            RC_ASSERT(within(*left, whole));
            const Call call = choose.call();
            if (gate(*left, call) == Gate::allow) RC_ASSERT(gate(whole, call) == Gate::allow);
        }
        // A scope that was cut allows no more than the scope, whatever the session held before.
        const Scope scope = choose.scope();
        const auto held = choose.coin() ? std::optional(choose.session()) : std::nullopt;
        const auto less =
            narrow(scope, any_narrowing(choose, approve_scope(std::nullopt, scope, kNow)));
        if (const auto* left = std::get_if<Scope>(&less)) {
            const Session after = approve_scope(held, *left, kNow);
            const Session most = approve_scope(held, scope, kNow);
            RC_ASSERT(subset(after.policy.secrets, most.policy.secrets));
            for (int tries = 4; tries > 0; --tries) {
                const Call call = choose.call();
                if (lets_pass(after, call)) RC_ASSERT(lets_pass(most, call));
                const Ask other = choose.ask_near(after);
                if (subset({other.code_hash}, after.policy.code_hashes) &&
                    granted(fit(after, other, kNow)))
                    RC_ASSERT(granted(fit(most, other, kNow)));
            }
        }
    }));
}

TEST_CASE("narrowing to what stands changes nothing, and doing it twice is doing it once") {
    CHECK(rc::check([] {
        Choices choose;
        const Session session = choose.session();
        RC_ASSERT(whole(std::get<Session>(narrow(session, {}, kNow))) == whole(session));
        Narrowing same;
        same.secrets = session.policy.secrets;
        same.networks = session.policy.networks;
        same.code_hashes = session.policy.code_hashes;
        same.max_runs = session.policy.max_runs;
        same.max_timeout = session.policy.max_timeout;
        RC_ASSERT(whole(std::get<Session>(narrow(session, same, kNow))) == whole(session));
        const Narrowing to = any_narrowing(choose, session);
        const auto once = narrow(session, to, kNow);
        RC_PRE(std::holds_alternative<Session>(once));
        const Session& one = std::get<Session>(once);
        RC_ASSERT(whole(std::get<Session>(narrow(one, to, kNow))) == whole(one));
    }));
}

TEST_CASE("a secret stays bound to what is left of its hosts") {
    Scope scope;
    scope.secrets = {"A", "B"};
    scope.networks = networks_from({"*.d.org", "x.org"});
    Session session = approve_scope(std::nullopt, scope, kNow);
    Scope more;
    more.secrets = {"C"};
    more.networks = networks_from({"a.d.org"});
    session = approve_scope(session, more, kNow);
    Narrowing to;
    to.secrets = {"A", "C"};
    to.networks = networks_from({"b.d.org", "*.d.org"});
    const auto after = std::get<Session>(narrow(session, to, kNow)).policy;
    const auto hosts_after = [&session, &to](const char* secret) {
        return texts_of(hosts_of(std::get<Session>(narrow(session, to, kNow)).policy, secret));
    };
    CHECK(after.secret_hosts.size() == 2);
    CHECK(hosts_after("A") == Texts{"*.d.org"});
    CHECK(hosts_after("C") == Texts{"a.d.org"});
    to.networks = networks_from({"b.d.org"});
    CHECK(hosts_after("A") == Texts{"b.d.org"});
    CHECK(hosts_after("C").empty());
    to.networks = std::vector<Network>{};
    CHECK(hosts_after("A").empty());
    CHECK(hosts_after("C").empty());
}

TEST_CASE("runs are counted to the last one") {
    Scope scope;
    scope.code_hash = std::string(64, 'a');
    scope.max_runs = 2;
    Session session = approve_scope(std::nullopt, scope, kNow);
    const Ask ask{*scope.code_hash, {}, {}, {}, Seconds(1)};
    CHECK(granted(fit(session, ask, kNow)));
    session.runs_used = 1;
    CHECK(granted(fit(session, ask, kNow)));
    session.runs_used = 2;
    CHECK(std::get<Violations>(fit(session, ask, kNow)) == Violations{"no runs left (2/2)"});
    CHECK(granted(fit(session, ask, kNow, Counted::yes)));
    session.runs_used = 3;
    CHECK(std::get<Violations>(fit(session, ask, kNow, Counted::yes)) ==
          Violations{"no runs left (3/2)"});
    // A later approval without a number keeps the one that stands; another replaces it.
    scope.max_runs = std::nullopt;
    CHECK(approve_scope(session, scope, kNow).policy.max_runs == 2);
    CHECK(approve_run(session, grant_of(ask), kNow).policy.max_runs == 2);
    scope.max_runs = 5;
    session = approve_scope(session, scope, kNow);
    CHECK(session.policy.max_runs == 5);
    CHECK(session.runs_used == 3);
    CHECK(granted(fit(session, ask, kNow)));
}

TEST_CASE("numbers beyond all bounds do not wrap round") {
    Scope scope;
    const Session session = approve_scope(std::nullopt, scope, kNow);
    Narrowing to;
    to.expires_in = Seconds(std::int64_t{1} << 53);
    CHECK(std::get<NotNarrower>(narrow(session, to, kNow)).field == "expires_in");
    to = {};
    to.max_timeout = Seconds(std::int64_t{1} << 53);
    CHECK(std::get<NotNarrower>(narrow(session, to, kNow)).field == "max_timeout");
    to = {};
    to.max_runs = std::int64_t{1} << 53;
    CHECK(std::holds_alternative<Session>(narrow(session, to, kNow)));
}
