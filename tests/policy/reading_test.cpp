#include "policy/reading.h"

#include "policy/choices.h"
#include "support/any_json.h"
#include "support/catch.h"

using namespace oauth3::test;
using oauth3::base::Malformed;
using oauth3::base::Members;

namespace {

/// A scope with these members beside its description.
Json with(const char* members) {
    Json out = oauth3::base::parse_json(members);
    out["description"] = "d";
    return out;
}

Scope read(const Json& json, Texts* warnings = nullptr) {
    Texts ignored;
    return read_scope(Members(json), nullptr, warnings != nullptr ? *warnings : ignored);
}

/// "code field index" of what a scope is refused for; "" if it is not.
std::string refused(const Json& json) {
    try {
        read(json);
        return "";
    } catch (const Malformed& e) {
        const auto index = e.index() ? std::to_string(*e.index()) : "-";
        return e.code() + " " + e.field() + " " + index;
    }
}

}  // namespace

TEST_CASE("a scope is read with all its parts") {
    const Scope scope = read(with(R"({
        "constraints": ["Read only", {"type": "natural_language", "rule": "be nice"},
                        {"type": "regex", "param": "REPO", "pattern": "acme/.*"}],
        "args": [{"param": "N", "op": "<=", "value": 3}],
        "secrets": "GH_TOKEN", "networks": ["API.github.com", "api.github.com."],
        "rules": [{"host": "api.github.com", "methods": ["GET"], "paths": ["/repos/acme/**"]},
                  {"host": "x.org"}],
        "max_runs": 5, "expires_in": 3600, "max_timeout": 90,
        "budgets": {"requests": 100, "bytes": 1000, "secret_uses": {"GH_TOKEN": 7}}})"));
    REQUIRE(scope.constraints.size() == 2);
    CHECK(scope.constraints[0].kind == ConstraintClass::enforced);
    CHECK(scope.constraints[1].kind == ConstraintClass::advisory);
    REQUIRE(scope.args.size() == 2);
    CHECK(scope.args[0].text() == "REPO matches acme/.*");
    CHECK(scope.args[1].text() == "N <= 3");
    CHECK(scope.secrets == Texts{"GH_TOKEN"});
    CHECK(scope.networks[0].text() == "api.github.com");
    REQUIRE(scope.rules.size() == 2);
    CHECK(text_of(scope.rules[0]) == "GET api.github.com /repos/acme/**");
    CHECK(text_of(scope.rules[1]) == "all methods x.org /**");
    CHECK(scope.max_runs == 5);
    CHECK(scope.expires_in == Seconds(3600));
    CHECK(scope.max_timeout == Seconds(90));
    CHECK(scope.budgets == Budgets{100, 1000, {{"GH_TOKEN", 7}}});
}

TEST_CASE("older names, single texts and null are understood") {
    const Scope scope = read(with(R"({"allowedSecrets": ["A"], "allowedNetworks": "h.org",
        "constraints": "be nice", "allowMutating": false, "rules": null, "max_runs": null})"));
    CHECK(scope.secrets == Texts{"A"});
    CHECK(texts_of(scope.networks) == Texts{"h.org"});
    REQUIRE(scope.constraints.size() == 2);
    CHECK(describe(scope.constraints[1].limit) == "methods GET, HEAD");
    CHECK(read(with(R"({"allowMutating": true})")).constraints.empty());
    CHECK(read(with(R"({"rules": {"host": "h.org"}})")).rules.size() == 1);
    CHECK(read(with(R"({"expires_in": 999999999})")).expires_in == kSessionLife);
}

TEST_CASE("what is malformed in a scope is refused by field and index") {
    struct Row {
        const char* members;
        const char* refused;
    };
    const Row rows[] = {
        {R"({"constraints": [1]})", "bad_request constraints -"},
        {R"({"constraints": [""]})", "bad_request constraints -"},
        {R"({"constraints": ["ok", {"type": "regex", "param": "A", "pattern": "("}]})",
         "invalid_constraint constraints 1"},
        {R"({"constraints": [{"type": "natural_language", "rule": "x", "also": 1}]})",
         "invalid_constraint constraints 0"},
        {R"({"constraints": [{"type": "natural_language"}]})", "invalid_constraint constraints 0"},
        {R"({"constraints": [{"type": "other"}]})", "invalid_constraint constraints 0"},
        {R"({"args": [{"param": "A", "op": "==", "value": 1}, {"param": "A"}]})",
         "invalid_constraint args 1"},
        {R"({"args": ["x"]})", "invalid_constraint args 0"},
        {R"({"secrets": ["lower"]})", "bad_request secrets -"},
        {R"({"secrets": ["PATH"]})", "reserved_name secrets -"},
        {R"({"secrets": {"A": 1}})", "bad_request secrets -"},
        {R"({"networks": ["https://h.org"]})", "bad_request networks -"},
        {R"({"networks": [1]})", "bad_request networks -"},
        {R"({"rules": [{"host": "h.org"}, {"methods": ["GET"]}]})", "bad_request rules 1"},
        {R"({"rules": [{"host": "h.org", "methods": ["get"]}]})", "bad_request rules 0"},
        {R"({"rules": [{"host": "h.org", "methods": ["*", "GET"]}]})", "bad_request rules 0"},
        {R"({"rules": [{"host": "h.org", "paths": ["x"]}]})", "bad_request rules 0"},
        {R"({"rules": [{"host": "h.org", "paths": ["/a/../b"]}]})", "bad_request rules 0"},
        {R"({"rules": [{"host": "h.org", "paths": ["/a*"]}]})", "bad_request rules 0"},
        {R"({"rules": [{"host": "h.org", "query": "x"}]})", "bad_request rules 0"},
        {R"({"rules": ["h.org"]})", "bad_request rules 0"},
        {R"({"max_runs": 0})", "bad_request max_runs -"},
        {R"({"max_runs": 1.5})", "bad_request max_runs -"},
        {R"({"expires_in": 59})", "bad_request expires_in -"},
        {R"({"max_timeout": 59})", "bad_request max_timeout -"},
        {R"({"budgets": []})", "bad_request budgets -"},
        {R"({"budgets": {"request": 1}})", "bad_request budgets -"},
        {R"({"budgets": {"secret_uses": {"a": 1}}})", "bad_request budgets -"},
        {R"({"budgets": {"secret_uses": 1}})", "bad_request budgets -"},
    };
    for (const Row& row : rows) {
        INFO(row.members);
        CHECK(refused(with(row.members)) == row.refused);
    }
    CHECK(refused(Json::object()) == "missing_description description -");
    Json many = with("{}");
    for (int i = 0; i < 101; ++i) many["rules"].push_back({{"host", "h.org"}});
    CHECK(refused(many) == "bad_request rules -");
}

TEST_CASE("what a scope says to no effect is warned of") {
    Texts warnings;
    read(with(R"({"secrets": ["A"], "networks": ["h.org"], "rules": [{"host": "g.org"}],
                  "budgets": {"secret_uses": {"B": 1}}, "allowedNetwork": ["x"]})"),
         &warnings);
    CHECK(warnings == Texts{"there is a rule for g.org, which is none of the scope's networks",
                            "there is a budget for B, which is none of the scope's secrets",
                            "the member allowedNetwork is not known and was ignored"});
}

TEST_CASE("no document makes the readers do anything but read or refuse") {
    CHECK(rc::check([] {
        Choices choose;
        Json json = with("{}");
        for (const char* name : {"constraints", "secrets", "networks", "rules", "args", "max_runs",
                                 "expires_in", "max_timeout", "budgets", "any_code"})
            if (choose.below(4) == 0) json[name] = oauth3::test::any_json(2);
        try {
            const Scope scope = read(json);
            RC_ASSERT(to_json(scope_from_json(to_json(scope))) == to_json(scope));
        } catch (const Malformed& e) {
            RC_ASSERT(!e.field().empty());
        }
        try {
            read_narrowing(Members(json));
        } catch (const Malformed& e) {
            RC_ASSERT(!e.field().empty());
        }
    }));
}

TEST_CASE("a narrowing takes only what is part of a session, and any_code only away") {
    const auto refused_by = [](const char* text) {
        try {
            read_narrowing(Members(oauth3::base::parse_json(text)));
            return std::string();
        } catch (const Malformed& e) {
            return e.code() + " " + e.field();
        }
    };
    CHECK(refused_by(R"({"any_code": true})") == "not_narrower any_code");
    CHECK(refused_by(R"({"secret": ["A"]})") == "bad_request secret");
    CHECK(refused_by(R"({"code_hashes": ["AA"]})") == "bad_request code_hashes");
    const Narrowing all = read_narrowing(Members(oauth3::base::parse_json(
        R"({"secrets": [], "networks": ["h.org"], "rules": [], "args": [], "code_hashes": [],
            "max_runs": 1, "max_timeout": 1, "expires_in": 1, "any_code": false})")));
    CHECK((all.secrets && all.networks && all.rules && all.args && all.code_hashes));
    CHECK(all.known_code_only);
    CHECK_FALSE(read_narrowing(Members(Json::object())).known_code_only);
}
