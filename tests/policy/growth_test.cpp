#include "policy/growth.h"

#include "base/crypto.h"
#include "policy/choices.h"
#include "support/catch.h"

using namespace oauth3::test;

namespace {

/// True iff the session lets the secret go to the host.
bool bound(const Session& session, const Bond& bond) {
    const auto found = session.policy.secret_hosts.find(bond.secret);
    return found != session.policy.secret_hosts.end() &&
           all_covered(networks_from({bond.host}), found->second);
}

}  // namespace

TEST_CASE("growth names all that an approval adds, and nothing that the session has") {
    CHECK(rc::check([] {
        Choices choose;
        const Session before = approve_scope(
            approve_run(std::nullopt, grant_of(choose.ask()), kNow), choose.plain_scope(), kNow);
        const Time later = kNow + Seconds(choose.below(7000));
        const bool by_scope = choose.coin();
        const Scope scope = choose.plain_scope();
        const Ask ask = choose.ask();
        const Growth grown = by_scope ? growth(before, scope, later) : growth(before, ask, later);
        const Session after = by_scope ? approve_scope(before, scope, later)
                                       : approve_run(before, grant_of(ask), later);
        const SessionPolicy &b = before.policy, &a = after.policy;
        for (const auto& secret : by_scope ? scope.secrets : ask.secrets) {
            RC_ASSERT(subset({secret}, b.secrets) != subset({secret}, grown.secrets));
            for (const auto& network : by_scope ? scope.networks : ask.networks) {
                const Bond bond{secret, network.text()};
                RC_ASSERT(bound(before, bond) !=
                          subset(std::vector<Bond>{bond}, grown.secret_hosts));
            }
        }
        for (const auto& network : by_scope ? scope.networks : ask.networks)
            RC_ASSERT(all_covered({network}, b.networks) != subset({network}, grown.networks));
        for (const auto& hash : a.code_hashes)
            RC_ASSERT(subset({hash}, b.code_hashes) != subset({hash}, grown.code_hashes));
        RC_ASSERT(grown.max_timeout.value_or(b.max_timeout) == a.max_timeout);
        RC_ASSERT((grown.max_runs ? grown.max_runs : b.max_runs) == a.max_runs);
        RC_ASSERT(grown.expires_at.value_or(before.expires_at) == after.expires_at);
        // Once approved, the same adds nothing.
        const Growth again = by_scope ? growth(after, scope, later) : growth(after, ask, later);
        RC_ASSERT(again == Growth{});
    }));
}

TEST_CASE("nothing fits a session after an approval without growth that did not fit before") {
    CHECK(rc::check([] {
        Choices choose;
        const Session before = choose.session();
        const Ask ask = choose.ask_near(before);
        RC_PRE(growth(before, ask, kNow) == Growth{});
        const Session after = approve_run(before, grant_of(ask), kNow);
        for (int left = 8; left > 0; --left) {
            const Ask other = choose.ask_near(choose.coin() ? after : before);
            if (granted(fit(after, other, kNow))) RC_ASSERT(granted(fit(before, other, kNow)));
        }
    }));
}

TEST_CASE("a secret and a host that the session holds apart are new together") {
    Scope scope;
    scope.secrets = {"A"};
    scope.networks = networks_from({"*.d.org"});
    Session session = approve_scope(std::nullopt, scope, kNow);
    scope.secrets = {"B"};
    scope.networks = networks_from({"x.org"});
    session = approve_scope(session, scope, kNow);
    Ask ask{std::string(64, '1'),
            Json::object(),
            {"A", "B"},
            networks_from({"x.org", "a.d.org"}),
            Seconds(1)};
    const Growth grown = growth(session, ask, kNow);
    CHECK(grown.secrets.empty());
    CHECK(grown.networks.empty());
    CHECK(grown.secret_hosts == std::vector<Bond>{{"A", "x.org"}, {"B", "a.d.org"}});
    CHECK(grown.code_hashes == Texts{ask.code_hash});
    CHECK_FALSE(grown.max_timeout.has_value());
}

TEST_CASE("the digest of a session changes with what it allows, not with what is run in it") {
    CHECK(session_digest(std::nullopt) == "none");
    CHECK(rc::check([] {
        Choices choose;
        const Session session = choose.session();
        const std::string digest = session_digest(session);
        RC_ASSERT(oauth3::base::is_lower_hex(digest, 64));
        Session used = session;
        ++used.runs_used;
        used.last_activity += Seconds(60);
        RC_ASSERT(session_digest(used) == digest);
        const Scope scope = choose.scope();
        const Session after = approve_scope(session, scope, kNow);
        if (growth(session, scope, kNow) != Growth{}) RC_ASSERT(session_digest(after) != digest);
        Session shorter = session;
        shorter.expires_at -= Seconds(1);
        RC_ASSERT(session_digest(shorter) != digest);
    }));
}
