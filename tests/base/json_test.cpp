#include "base/json.h"

#include "base/utf8.h"
#include "support/any_json.h"
#include "support/catch.h"

#include <cmath>
#include <cstring>

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
    const std::string text = GENERATE(
        as<std::string>{}, "", "{", "[1,]", "{\"a\":1,}", "nul", "01", "\"\\ud800\"",
        "\"\\udc00\\ud800\"", "\"\xff\"", "\"\xc0\xaf\"", "{\"a\":1,\"a\":2}", "1e999", "-1e999",
        "+1", ".5", "1.", "0x1", "1e", "--1", "-", "[1 2]", "[", "]", "{\"a\"}", "{a:1}", "{1:1}",
        "{\"a\":1 \"b\":2}", "\"", "\"\\\"", "\"\\x41\"", "\"\\u12\"", "\"\\ud83d\"",
        "\"\\ud83dx\"", "\"\\ud83d\\u0041\"", "\"a\nb\"", "\"\x7f", "True", "nulll", "[1],", "{}{}",
        "\xEF\xBB", "\xFE\xFF", "\"\xED\xA0\x80\"", "\"\xF4\x90\x80\x80\"", "\"\xE2\x82\"", "/**/1",
        "1;", "Infinity", "{\"\":1,\"\":2}", "[{\"a\":[{\"b\":1,\"b\":1}]}]",
        "\x0c"
        "1",
        "\xC2\xA0"
        "1",
        "{\"x\":{\"a\":1,\"\\u0061\":2}}", "1 2", "// c\n1", "NaN", "'a'", "\"\t\"",
        "\xEF\xBB\xBF"
        "1 1");
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
    CHECK(
        canonical_json(parse_json(
            R"({"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]})")) ==
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

TEST_CASE("a NUL does not hide what follows the document") {
    using namespace std::string_literals;
    for (const std::string& text :
         {"{}\0"s, "{}\0{\"a\":1}"s, "\0"s, "\0{}"s, "[1,\0 2]"s, "1\0"s, "\"a\0b\""s})
        CHECK_THROWS_AS(parse_json(text), JsonError);
    CHECK(parse_json("\"a\\u0000b\"").get<std::string>() == "a\0b"s);
}

TEST_CASE("no value is changed by writing and reading it") {
    CHECK(rc::check([] {
        const Json value = oauth3::test::any_json();
        const std::string text = oauth3::base::dump_json(value);
        const Json read = parse_json(text);
        RC_ASSERT(read == value);
        RC_ASSERT(oauth3::base::dump_json(read) == text);
        RC_ASSERT(text.find('\n') == std::string::npos);
    }));
}

TEST_CASE("the canonical form is one: of itself, and whatever the order of the members was") {
    CHECK(rc::check([] {
        const Json value = oauth3::test::any_json();
        const std::string canonical = canonical_json(value);
        RC_ASSERT(canonical_json(parse_json(canonical)) == canonical);
        RC_ASSERT(canonical_json(parse_json(value.dump(2))) == canonical);
    }));
}

TEST_CASE("no bytes make the reader fail otherwise than by refusing") {
    CHECK(rc::check([] {
        // Pieces of JSON in any order come further than any bytes would.
        std::string text;
        for (int left = *rc::gen::inRange(0, 20); left > 0; --left)
            text += *rc::gen::element<std::string>("{", "}", "[", "]", ",", ":", "\"", "\"a\"",
                                                   "\\", "\\u", "d800", "1", "-", ".", "e", "null",
                                                   "\xff", "\xE2\x82\xAC", std::string(1, '\0'),
                                                   " ", "\n", "9999999999999999999");
        try {
            parse_json(text);
        } catch (const JsonError& error) {
            RC_ASSERT(oauth3::base::is_valid_utf8(error.what()));
        }
    }));
}

TEST_CASE("an error never repeats hostile text as it came") {
    try {
        parse_json("{\"\\u001b[2J\\u202e\":1,\"\\u001b[2J\\u202e\":2}");
        FAIL("it was accepted");
    } catch (const JsonError& error) {
        const std::string_view text = error.what();
        CHECK(text.find('\x1b') == std::string_view::npos);
        CHECK(text.find("\u202e") == std::string_view::npos);
    }
}

TEST_CASE("writing a reply never throws, writing what is hashed does") {
    CHECK(oauth3::base::dump_json(Json("a\xff")) == "\"a\uFFFD\"");
    CHECK_THROWS_AS(canonical_json(Json("a\xff")), JsonError);
    CHECK_THROWS_AS(canonical_json(Json{{"a\xff", 1}}), JsonError);
    CHECK_THROWS_AS(canonical_json(Json(INFINITY)), JsonError);
}
