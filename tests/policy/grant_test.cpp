#include "policy/grant.h"

#include "base/crypto.h"
#include "base/error.h"
#include "policy/choices.h"
#include "support/any_json.h"
#include "support/catch.h"

using namespace oauth3::test;

namespace {

/// A grant as a session makes one, with rules and limits.
Grant any_grant(Choices& choose) {
    Grant out = grant_of(choose.ask());
    out.args = {{"v", oauth3::test::any_json(0)}};
    if (choose.coin()) out.rules = choose.rules();
    for (int left = choose.below(3); left > 0; --left) out.limits.push_back(choose.limit());
    return out;
}

/// Every member of the two is equal; the arguments as text, which is what the program gets.
bool same(const Grant& a, const Grant& b) {
    return a.code_hash == b.code_hash && a.args.dump() == b.args.dump() && a.secrets == b.secrets &&
           a.networks == b.networks && a.secret_hosts == b.secret_hosts && a.rules == b.rules &&
           a.limits == b.limits && a.timeout == b.timeout;
}

void take_member(Grant& into, const Grant& from, int which) {
    switch (which) {
        case 0:
            into.code_hash = from.code_hash;
            break;
        case 1:
            into.args = from.args;
            break;
        case 2:
            into.secrets = from.secrets;
            break;
        case 3:
            into.networks = from.networks;
            break;
        case 4:
            into.secret_hosts = from.secret_hosts;
            break;
        case 5:
            into.rules = from.rules;
            break;
        case 6:
            into.limits = from.limits;
            break;
        case 7:
            into.timeout = from.timeout;
            break;
        default:
            into = from;
    }
}

}  // namespace

TEST_CASE("the digest of a grant changes with every change of any member, and with nothing else") {
    CHECK(rc::check([] {
        Choices choose;
        const Grant a = any_grant(choose), b = choose.coin() ? any_grant(choose) : a;
        Grant c = a;
        take_member(c, b, choose.below(9));
        RC_CLASSIFY(same(a, c), "same");
        RC_ASSERT((digest(a) == digest(c)) == same(a, c));
        RC_ASSERT(differences(a, c).empty() == same(a, c));
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

TEST_CASE("a grant comes back from the store as it went, and its digest with it") {
    CHECK(rc::check([] {
        Choices choose;
        const Grant grant = any_grant(choose);
        const Grant read =
            grant_from_json(oauth3::base::parse_json(oauth3::base::dump_json(to_json(grant))));
        RC_ASSERT(same(read, grant));
        RC_ASSERT(digest(read) == digest(grant));
    }));
    for (const char* bad : {"{}", "[]", "null", R"({"code_hash":1})"}) {
        INFO(bad);
        CHECK_THROWS_AS(grant_from_json(oauth3::base::parse_json(bad)), oauth3::base::Error);
    }
}

TEST_CASE("what differs between two grants is named") {
    Grant a;
    a.timeout = Seconds(1);
    Grant b = a;
    CHECK(differences(a, b).empty());
    b.args = {{"n", 1}};
    CHECK(differences(a, b) == Texts{"args"});
    b.timeout = Seconds(2);
    b.secrets = {"A"};
    CHECK(differences(a, b) == Texts{"args", "secrets", "timeout"});
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

TEST_CASE("what a human approves for a run is all of its hosts, and no other") {
    CHECK(rc::check([] {
        Choices choose;
        const Ask ask = choose.ask();
        const Grant grant = grant_of(ask);
        const Call call = choose.call();
        const bool asked = all_covered({Network{call.host, false, call.port}}, ask.networks);
        RC_ASSERT(gate(grant, call) == (asked ? Gate::allow : Gate::deny_host));
    }));
}

TEST_CASE("a grant within another lets no call pass that the other does not") {
    CHECK(rc::check([] {
        Choices choose;
        const Grant wide = any_grant(choose);
        Grant narrow = wide;
        const Grant other = any_grant(choose);
        take_member(narrow, other, 2 + choose.below(6));
        RC_ASSERT(within(wide, wide));
        if (!within(narrow, wide)) return;
        RC_ASSERT(subset(narrow.secrets, wide.secrets));
        RC_ASSERT(narrow.timeout <= wide.timeout);
        for (int left = 8; left > 0; --left) {
            const Call call = choose.call();
            if (gate(narrow, call) == Gate::allow) RC_ASSERT(gate(wide, call) == Gate::allow);
        }
    }));
}
