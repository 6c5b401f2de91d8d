#include "base/json.h"

#include <rapidcheck.h>

#include <cmath>
#include <cstring>

#include "support/catch.h"

using oauth3::base::canonical_json;
using oauth3::base::Json;
using oauth3::base::JsonError;
using oauth3::base::parse_json;

TEST_CASE("the strict reader takes what RFC 8259 allows") {
    CHECK(parse_json(R"({"a":[1,-2,3.5,true,null,"x"]})")["a"].size() == 6);
    CHECK(parse_json("\"\\ud83d\\ude00\"") == "\xF0\x9F\x98\x80");
    CHECK(parse_json(R"({"a":{"b":1},"c":{"b":2}})")["c"]["b"] == 2);
}

TEST_CASE("the strict reader refuses what is ambiguous or malformed") {
    const std::string text = GENERATE(as<std::string>{}, "", "{", "[1,]", "{\"a\":1,}", "nul", "01",
                                      "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\xff\"", "\"\xc0\xaf\"",
                                      "{\"a\":1,\"a\":2}", "{\"x\":{\"a\":1,\"\\u0061\":2}}", "1 2",
                                      "// c\n1", "NaN", "'a'", "\"\t\"", "\xEF\xBB\xBF" "1 1");
    CAPTURE(text);
    CHECK_THROWS_AS(parse_json(text), JsonError);
}

TEST_CASE("nesting is limited") {
    const auto nested = [](std::size_t n) { return std::string(n, '[') + std::string(n, ']'); };
    CHECK_NOTHROW(parse_json(nested(64)));
    CHECK_THROWS_AS(parse_json(nested(65)), JsonError);
    CHECK_THROWS_AS(parse_json(nested(1'000'000)), JsonError);
}

TEST_CASE("canonical JSON follows the examples of RFC 8785") {
    CHECK(canonical_json(parse_json(R"({"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]})")) ==
          "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
          "\"string\":\"\xE2\x82\xAC$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
    // Sorted by UTF-16 code units: the emoji (D83D...) stands before U+FB33.
    CHECK(canonical_json(parse_json("{\"\\ufb33\":1,\"\\ud83d\\ude00\":2,\"\\r\":3,\"1\":4}")) ==
          "{\"\\r\":3,\"1\":4,\"\xF0\x9F\x98\x80\":2,\"\xEF\xAC\xB3\":1}");
    CHECK(canonical_json(Json(-0.0)) == "0");
    CHECK(canonical_json(Json(1e21)) == "1e+21");
    CHECK(canonical_json(Json(1e20)) == "100000000000000000000");
    CHECK(canonical_json(Json(1e-7)) == "1e-7");
    CHECK(canonical_json(Json(1234567890123LL)) == "1234567890123");
    CHECK(canonical_json(Json(5e-324)) == "5e-324");
    CHECK_THROWS_AS(canonical_json(Json(std::nan(""))), JsonError);
}

TEST_CASE("canonical numbers read back as the same double") {
    CHECK(rc::check([](std::uint64_t bits) {
        double value = 0;
        std::memcpy(&value, &bits, sizeof value);
        RC_PRE(std::isfinite(value));
        RC_ASSERT(parse_json(canonical_json(Json(value))).get<double>() == value);
    }));
}
