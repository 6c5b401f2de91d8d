#include "policy/rule.h"

#include "base/error.h"
#include "policy/choices.h"
#include "support/catch.h"

using namespace oauth3::test;

namespace {

Methods any_methods(Choices& choose) {
    const Texts kNames{"GET", "POST", "PUT", "DELETE"};
    const auto some = choose.some_of(kNames);
    return choose.coin() ? Methods::only(some) : Methods::but(some);
}

}  // namespace

TEST_CASE("a set of methods has those that it names, or all others") {
    CHECK(Methods::all().has("BREW"));
    CHECK(Methods::all().is_all());
    CHECK(Methods::only({"GET", "GET", "HEAD"}).names == Texts{"GET", "HEAD"});
    CHECK_FALSE(Methods::only({}).has("GET"));
    CHECK_FALSE(Methods::only({"GET"}).has("get"));
    CHECK_FALSE(Methods::but({"DELETE"}).has("DELETE"));
    CHECK(Methods::but({"DELETE"}).has("GET"));
    CHECK(rc::check([] {
        Choices choose;
        const Methods a = any_methods(choose), b = any_methods(choose);
        bool all = true;
        // BREW stands for all that nobody names.
        for (const char* name : {"GET", "POST", "PUT", "DELETE", "BREW"})
            all = all && (a.has(name) || !b.has(name));
        RC_ASSERT(a.covers(b) == all);
    }));
}

TEST_CASE("names of methods are capital letters") {
    for (const char* good : {"GET", "PATCH", "M-SEARCH"}) CHECK(is_method_name(good));
    for (const std::string bad : {"", "get", "GET ", "-GET", "GET1", "*", "G\xC3\x84T"})
        CHECK_FALSE(is_method_name(bad));
    CHECK_FALSE(is_method_name(std::string(33, 'A')));
}

TEST_CASE("a rule that others cover lets no call pass that they do not") {
    CHECK(rc::check([] {
        Choices choose;
        const auto by = choose.rules(choose.coin());
        Rule rule = by.empty() || choose.coin() ? choose.rule() : choose.of(by);
        if (choose.below(3) == 0) rule.methods = choose.of(kMethods);
        if (choose.below(3) == 0) rule.paths.resize(rule.paths.size() / 2);
        const bool is = covered(by, rule);
        RC_CLASSIFY(is && !rule.paths.empty(), "covered");
        for (const Rule& one : by) RC_ASSERT(covered(by, one));
        if (!is) return;
        for (int left = 10; left > 0; --left) {
            const Call call = choose.call();
            if (!rule.matches(call)) continue;
            RC_ASSERT(std::any_of(by.begin(), by.end(),
                                  [&call](const Rule& wide) { return wide.matches(call); }));
        }
    }));
}

TEST_CASE("two rules cover together what one does not alone") {
    const auto rule = [](const char* host, Methods methods, const Texts& paths) {
        return Rule{networks_from({host})[0], std::move(methods), patterns(paths)};
    };
    const std::vector<Rule> both{rule("h.org", Methods::only({"GET"}), {"/a/**"}),
                                 rule("h.org", Methods::only({"POST"}), {"/a/b"})};
    CHECK(covered(both, rule("h.org", Methods::only({"GET", "POST"}), {"/a/b"})));
    CHECK_FALSE(covered(both, rule("h.org", Methods::only({"GET", "POST"}), {"/a/**"})));
    CHECK_FALSE(covered(both, rule("h.org", Methods::all(), {"/a/b"})));
    CHECK_FALSE(covered(both, rule("g.org", Methods::only({"GET"}), {"/a/b"})));
    CHECK_FALSE(covered(both, rule("*.h.org", Methods::only({"GET"}), {"/a/b"})));
    CHECK_FALSE(covered({}, rule("h.org", Methods::only({"GET"}), {"/a"})));
}

TEST_CASE("rules come back from the store as they went") {
    CHECK(rc::check([] {
        Choices choose;
        const auto rules = choose.rules(choose.coin());
        RC_ASSERT(rules_from_json(to_json(rules)) == rules);
    }));
    for (const char* bad :
         {R"([{"host":"a"}])", R"([{"host":"https://a","methods":["*"],"paths":[]}])",
          R"([{"methods":["*"],"paths":["a"]}])", R"([{"methods":"*","paths":[]}])", "[1]"}) {
        INFO(bad);
        CHECK_THROWS_AS(rules_from_json(oauth3::base::parse_json(bad)), oauth3::base::Error);
    }
}
