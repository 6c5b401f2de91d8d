// What limits do to a session that grows, and when code that nobody has seen may run in it.
#include "policy/choices.h"
#include "support/catch.h"

using namespace oauth3::test;

namespace {

Constraint enforced(Limit limit) {
    return {"text", ConstraintClass::enforced, std::move(limit), {}, {}};
}

Limit only_get() {
    Limit out;
    out.calls = {{std::nullopt, Methods::only({"GET"}), patterns({"/**"})}};
    return out;
}

Limit only_at(const char* host) {
    Limit out;
    out.calls = {open_rule(networks_from({host})[0])};
    return out;
}

bool some_allows(const std::vector<Rule>& rules, const Call& call) {
    return std::any_of(rules.begin(), rules.end(),
                       [&call](const Rule& rule) { return rule.matches(call); });
}

}  // namespace

TEST_CASE("no approval widens a session beyond the limits of any other") {
    CHECK(rc::check([] {
        Choices choose;
        std::optional<Session> session;
        std::vector<Limit> limits;
        std::vector<Rule> rules;
        std::vector<Network> networks;
        for (int left = 1 + choose.below(4); left > 0; --left) {
            if (choose.below(4) == 0) {
                const Grant grant = grant_of(choose.ask());
                session = approve_run(session, grant, kNow);
                unite(rules, grant.rules);
                unite(networks, grant.networks);
                continue;
            }
            const Scope scope = choose.scope();
            session = approve_scope(session, scope, kNow);
            for (const Constraint& c : scope.constraints) limits.push_back(c.limit);
            unite(rules, with_open_rules(scope.rules, scope.networks));
            unite(networks, scope.networks);
        }
        const SessionPolicy& p = session->policy;
        for (const Limit& limit : limits) {
            RC_ASSERT(!limit.max_runs || (p.max_runs && *p.max_runs <= *limit.max_runs));
            RC_ASSERT(!limit.max_requests ||
                      (p.budgets.requests && *p.budgets.requests <= *limit.max_requests));
            RC_ASSERT(!limit.timeout || p.max_timeout <= *limit.timeout);
            RC_ASSERT(!limit.life || session->expires_at <= kNow + *limit.life);
            RC_ASSERT(!limit.secrets || subset(p.secrets, *limit.secrets));
            if (const auto hosts = limit.networks()) RC_ASSERT(all_covered(p.networks, *hosts));
        }
        for (int left = 8; left > 0; --left) {
            const Call call = choose.call();
            if (!lets_pass(*session, call)) continue;
            // Nothing that no approval has named, nothing that some limit forbids.
            RC_ASSERT(all_covered({Network{call.host, false, call.port}}, networks));
            RC_ASSERT(some_allows(rules, call));
            for (const Limit& limit : limits) RC_ASSERT(limit.allows(call));
        }
    }));
}

TEST_CASE("what fits a scope fits a wider one") {
    CHECK(rc::check([] {
        Choices choose;
        const Scope narrow = choose.scope();
        Scope wide = narrow;
        for (const auto& secret : choose.some_of(kSecrets)) wide.secrets.push_back(secret);
        // With the rules that they have: for a new network without one, everything is allowed.
        wide.rules = with_open_rules(narrow.rules, narrow.networks);
        for (const Rule& rule : choose.rules()) wide.rules.push_back(rule);
        for (const auto& network : choose.networks()) wide.networks.push_back(network);
        wide.max_timeout = std::max(narrow.max_timeout, choose.timeout());
        if (choose.coin()) wide.max_runs.reset();
        if (choose.coin()) wide.budgets = {};
        if (choose.coin() && !wide.args.empty()) wide.args.pop_back();
        // A constraint less is a limit less; but one that is left must not be the only compiled
        // one, or no other code could run.
        if (!wide.rules.empty() && !narrow.rules.empty() && choose.coin()) wide.constraints.clear();
        const Session small = approve_scope(std::nullopt, narrow, kNow);
        const Session large = approve_scope(std::nullopt, wide, kNow);
        for (int left = 8; left > 0; --left) {
            const Ask ask = choose.ask_near(small);
            const auto fitted = fit(small, ask, kNow);
            if (!granted(fitted)) continue;
            const auto also = fit(large, ask, kNow);
            RC_ASSERT(granted(also));
            const Call call = choose.call();
            if (gate(std::get<Grant>(fitted), call) == Gate::allow)
                RC_ASSERT(gate(std::get<Grant>(also), call) == Gate::allow);
        }
    }));
}

TEST_CASE("any code may run exactly where machines hold it to everything") {
    CHECK(rc::check([] {
        Choices choose;
        std::optional<Session> session;
        bool scopes_only = true, ticked = true, enforced_only = true, ruled = false;
        for (int left = 1 + choose.below(3); left > 0; --left) {
            if (choose.below(5) == 0) {
                session = approve_run(session, grant_of(choose.ask()), kNow);
                scopes_only = false;
                continue;
            }
            const Scope scope = choose.scope();
            const bool tick = choose.below(5) != 0;
            session = approve_scope(session, scope, kNow, {.any_code = tick});
            ticked = ticked && tick;
            ruled = ruled || !scope.rules.empty();
            for (const Constraint& c : scope.constraints) {
                enforced_only = enforced_only && c.kind == ConstraintClass::enforced;
                ruled = ruled || c.kind == ConstraintClass::enforced;
            }
        }
        const bool any = scopes_only && ticked && enforced_only && ruled;
        RC_CLASSIFY(any, "any code");
        RC_ASSERT(any_code(session->policy) == any);
        const auto stored = session_policy_from_json(stored_json(session->policy));
        RC_ASSERT(any_code(stored) == any);
        RC_ASSERT(to_json(session->policy).at("any_code") == any);
    }));
}

TEST_CASE("typed arguments, networks and approved code alone let no other code run") {
    Scope scope;
    CHECK_FALSE(any_code(approve_scope(std::nullopt, scope, kNow).policy));
    scope.networks = networks_from({"h.org"});
    scope.args = {typed({{"param", "N"}, {"pattern", "x"}})};
    scope.code_hash = std::string(64, 'a');
    CHECK_FALSE(any_code(approve_scope(std::nullopt, scope, kNow).policy));
    scope.constraints = {enforced(only_get())};
    CHECK(any_code(approve_scope(std::nullopt, scope, kNow).policy));
}

TEST_CASE("an approval that only names a host opens it, and a rule elsewhere does not close it") {
    Scope open;
    open.networks = networks_from({"h.org"});
    Session session = approve_scope(std::nullopt, open, kNow);
    const Call post{"h.org", 443, true, "POST", "/x"};
    CHECK(lets_pass(session, post));
    Scope ruled = open;
    ruled.rules = {{networks_from({"h.org"})[0], Methods::only({"GET"}), patterns({"/a"})}};
    CHECK_FALSE(lets_pass(approve_scope(std::nullopt, ruled, kNow), post));
    // Whatever the order: the union of both.
    CHECK(lets_pass(approve_scope(session, ruled, kNow), post));
    CHECK(lets_pass(approve_scope(approve_scope(std::nullopt, ruled, kNow), open, kNow), post));
    // A rule for a part of a network is a rule for it: the rest stays shut.
    Scope part;
    part.networks = networks_from({"*.h.org", "g.org:443"});
    part.rules = {{networks_from({"a.h.org:443"})[0], Methods::all(), patterns({"/a"})}};
    session = approve_scope(std::nullopt, part, kNow);
    CHECK_FALSE(lets_pass(session, {"b.h.org", 443, true, "GET", "/a"}));
    CHECK_FALSE(lets_pass(session, {"a.h.org", 80, false, "GET", "/a"}));
    CHECK(lets_pass(session, {"a.h.org", 443, true, "GET", "/a"}));
    CHECK(lets_pass(session, {"g.org", 443, true, "PUT", "/z"}));
    CHECK_FALSE(lets_pass(session, {"g.org", 80, false, "PUT", "/z"}));
}

TEST_CASE("a contradiction resolves to the narrower side") {
    Scope scope;
    scope.networks = networks_from({"*.h.org", "g.org"});
    scope.secrets = {"A"};
    Limit nothing;
    nothing.calls = std::vector<Rule>{};
    scope.constraints = {enforced(nothing)};
    Session session = approve_scope(std::nullopt, scope, kNow);
    CHECK(session.policy.networks.empty());
    CHECK(session.policy.secret_hosts.at("A").empty());
    scope.constraints = {enforced(only_at("a.h.org:443")), enforced(only_get())};
    session = approve_scope(std::nullopt, scope, kNow);
    CHECK(texts_of(session.policy.networks) == Texts{"a.h.org:443"});
    // Also for what comes later, and what is approved for one run.
    Ask ask;
    ask.code_hash = std::string(64, 'a');
    ask.networks = networks_from({"g.org"});
    session = approve_run(session, grant_of(ask), kNow);
    CHECK(texts_of(session.policy.networks) == Texts{"a.h.org:443"});
    CHECK(std::get<Violations>(fit(session, ask, kNow)) == Violations{"new network: g.org"});
}

TEST_CASE("a limit of life counts from its own approval") {
    Scope scope;
    Limit hour;
    hour.life = Seconds(3600);
    scope.constraints = {enforced(hour)};
    const Session first = approve_scope(std::nullopt, scope, kNow);
    CHECK(first.expires_at == kNow + Seconds(3600));
    Scope later;
    later.expires_in = Seconds(24 * 3600);
    CHECK(approve_scope(first, later, kNow + Seconds(600)).expires_at == kNow + Seconds(3600));
}

TEST_CASE("a budget that is used up is a violation, for what needs it") {
    Scope scope;
    scope.secrets = {"A", "B"};
    scope.code_hash = std::string(64, 'a');
    scope.budgets = {10, 1000, {{"A", 2}}};
    Session session = approve_scope(std::nullopt, scope, kNow);
    Ask ask{*scope.code_hash, Json::object(), {"B"}, {}, Seconds(1)};
    session.used = {9, 999, {{"A", 2}}};
    CHECK(granted(fit(session, ask, kNow)));
    ask.secrets = {"A"};
    CHECK(std::get<Violations>(fit(session, ask, kNow)) ==
          Violations{"budget used up: uses of A (2/2)"});
    session.used = {10, 1000, {}};
    CHECK(std::get<Violations>(fit(session, ask, kNow)) ==
          Violations{"budget used up: requests (10/10)", "budget used up: bytes (1000/1000)"});
}
