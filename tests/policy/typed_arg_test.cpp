#include "policy/typed_arg.h"

#include "policy/choices.h"
#include "support/any_json.h"
#include "support/catch.h"

#include <string>

using namespace oauth3::test;

namespace {

Json json(const char* text) {
    return oauth3::base::parse_json(text);
}

bool holds(const char* constraint, const char* args) {
    return !typed(json(constraint)).violation(json(args)).has_value();
}

std::string problem_of(const char* constraint) {
    const auto result = TypedArg::parse(json(constraint));
    const auto* problem = std::get_if<std::string>(&result);
    return problem != nullptr ? *problem : "";
}

}  // namespace

TEST_CASE("conformance 28: a pattern matches the whole text of an argument, or not at all") {
    const char* repo = R"({"param":"REPO","pattern":"acme/[a-z]+"})";
    CHECK(holds(repo, R"({"REPO":"acme/app"})"));
    for (const char* bad :
         {R"({"REPO":"acme/app2"})", R"({"REPO":"xacme/app"})", R"({"REPO":"acme/"})",
          R"({"REPO":"acme/app\n"})", R"({"REPO":"acme/app\u0000"})", R"({"REPO":""})",
          R"({"REPO":"ACME/app"})", R"({})", R"({"REPO":null})", R"({"repo":"acme/app"})",
          R"({"REPO":["acme/app"]})", R"({"REPO":{"a":"acme/app"}})"}) {
        INFO(bad);
        CHECK_FALSE(holds(repo, bad));
    }
    // A dot is no end of line: what comes on a further line is not hidden from the human.
    CHECK_FALSE(holds(R"({"param":"A","pattern":"ok.*"})", R"({"A":"ok\nrm -rf /"})"));
    CHECK_FALSE(holds(R"({"param":"A","pattern":"^ok$"})", R"({"A":"ok\n"})"));
    CHECK(holds(R"({"param":"A","pattern":"a|ab"})", R"({"A":"ab"})"));
    // Other types as the program sees them.
    CHECK(holds(R"({"param":"A","pattern":"[0-9]+"})", R"({"A":12})"));
    CHECK(holds(R"({"param":"A","pattern":"true"})", R"({"A":true})"));
    CHECK(holds(R"({"param":"A","pattern":"\\[1,2\\]"})", R"({"A":[1, 2]})"));
    CHECK(holds(R"({"param":"A","pattern":"\u00e4."})", "{\"A\":\"\u00e4\u20ac\"}"));
}

TEST_CASE("conformance 28: a comparison takes no type for another") {
    struct Row {
        const char* op;
        const char* value;
        const char* arg;
        bool holds;
    };
    const Row rows[] = {
        {">=", "3", "5", true},
        {">=", "3", "\"5\"", false},
        {">=", "3", "3", true},
        {">=", "3", "2", false},
        {">=", "3", "true", false},
        {">=", "3", "[5]", false},
        {">", "3", "3", false},
        {">", "3", "3.0000001", true},
        {"<", "0", "-0.0", false},
        {"<", "0", "-1e-300", true},
        {"<=", "9007199254740992", "9007199254740993", false},
        {"<=", "9007199254740992.0", "9007199254740993", false},
        {"==", "9007199254740993", "9007199254740992.0", false},
        {"==", "18446744073709551615", "18446744073709551616", false},
        {"<", "18446744073709551616", "18446744073709551615", true},
        {"<", "-1", "18446744073709551615", false},
        {">", "-1", "18446744073709551615", true},
        {"==", "1", "1.0", true},
        {"==", "1", "\"1\"", false},
        {"==", "\"a\"", "\"a\"", true},
        {"==", "\"a\"", "\"A\"", false},
        {"==", "true", "true", true},
        {"==", "true", "1", false},
        {"==", "[1,2]", "[1.0,2]", true},
        {"==", "[1,2]", "[2,1]", false},
        {"==", "{\"a\":1}", "{\"a\":1}", true},
        {"==", "{\"a\":1}", "{\"a\":1,\"b\":2}", false},
        {"!=", "3", "4", true},
        {"!=", "3", "3", false},
        {"!=", "3", "\"4\"", false},
        {"in", "[1,\"b\"]", "1", true},
        {"in", "[1,\"b\"]", "\"1\"", false},
        {"in", "[1,\"b\"]", "\"b\"", true},
        {"in", "[[1]]", "[1]", true},
        {"in", "[1]", "[1]", false},
        {"prefix", "\"acme/\"", "\"acme/x\"", true},
        {"prefix", "\"acme/\"", "\"acme\"", false},
        {"prefix", "\"1\"", "12", false},
        {"suffix", "\".org\"", "\"h.org\"", true},
        {"suffix", "\".org\"", "\"h.org.evil\"", false},
    };
    for (const Row& row : rows) {
        INFO(row.arg << " " << row.op << " " << row.value);
        const Json constraint{{"param", "A"}, {"op", row.op}, {"value", json(row.value)}};
        const Json args{{"A", json(row.arg)}};
        CHECK(typed(constraint).violation(args).has_value() != row.holds);
        CHECK(typed(constraint).violation({}).has_value());
        CHECK(typed(constraint).violation({{"A", nullptr}}).has_value());
    }
}

TEST_CASE("what is broken is told in the words of the wire") {
    const auto told = [](const char* constraint, const char* args) {
        return *typed(json(constraint)).violation(json(args));
    };
    CHECK(told(R"({"param":"REPO","pattern":"acme/.*"})", R"({"REPO":"x"})") ==
          "arg REPO: does not match acme/.*");
    CHECK(told(R"({"param":"REPO","pattern":"x"})", "{}") == "arg REPO: missing");
    CHECK(told(R"({"param":"N","op":">=","value":3})", R"({"N":"5"})") == "arg N: is not >= 3");
}

TEST_CASE("a malformed typed constraint is refused with a reason") {
    for (const char* bad : {
             "{}",
             "[]",
             "1",
             R"j({"param":"A"})j",
             R"j({"pattern":"x"})j",
             R"j({"param":"1A","pattern":"x"})j",
             R"j({"param":"A","pattern":"("})j",
             R"j({"param":"A","pattern":"(?=x)"})j",
             R"j({"param":"A","pattern":"(a)\\1"})j",
             R"j({"param":"A","pattern":"(?<!x)y"})j",
             R"j({"param":"A","pattern":"((a{100}){100}){100}"})j",
             R"j({"param":"A","pattern":7})j",
             R"j({"param":"A","pattern":"x","op":"==","value":1})j",
             R"j({"param":"A","pattern":"x","value":1})j",
             R"j({"param":"A","op":"~","value":1})j",
             R"j({"param":"A","op":"=="})j",
             R"j({"param":"A","op":"==","value":null})j",
             R"j({"param":"A","op":"<","value":"1"})j",
             R"j({"param":"A","op":"in","value":1})j",
             R"j({"param":"A","op":"in","value":[]})j",
             R"j({"param":"A","op":"prefix","value":1})j",
             R"j({"param":"A","pattern":"x","also":1})j",
             R"j({"type":"predicate","param":"A","pattern":"x"})j",
             R"j({"type":"regex","param":"A","op":"==","value":1})j",
         }) {
        INFO(bad);
        CHECK_FALSE(problem_of(bad).empty());
    }
    CHECK_FALSE(std::holds_alternative<TypedArg>(
        TypedArg::parse({{"param", "A"}, {"pattern", std::string(201, 'x')}})));
    // Characters, not bytes.
    std::string wide;
    for (int i = 0; i < 200; ++i) wide += "\u00e4";
    CHECK(std::holds_alternative<TypedArg>(TypedArg::parse({{"param", "A"}, {"pattern", wide}})));
    CHECK(problem_of(R"j({"type":"regex","param":"A","pattern":"x"})j").empty());
    CHECK(problem_of(R"j({"type":"predicate","param":"A","op":"==","value":1})j").empty());
}

TEST_CASE("a typed constraint reads back as itself, and never throws on any argument") {
    CHECK(rc::check([] {
        Choices choose;
        const TypedArg arg = choose.arg();
        RC_ASSERT(typed(arg.json()) == arg);
        const Json args{{"n", oauth3::test::any_json(0)}, {"m", 1}};
        const bool one = arg.violation(args).has_value();
        RC_ASSERT(typed(arg.json()).violation(args).has_value() == one);
    }));
}

TEST_CASE("a pattern takes linear time on the text that is worst for others") {
    // With a backtracking matcher this would not end.
    const TypedArg arg = typed({{"param", "A"}, {"pattern", "(a*)*b"}});
    CHECK(arg.violation({{"A", std::string(90'000, 'a')}}).has_value());
}
