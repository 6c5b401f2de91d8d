// What counts as an answer of the review command.
#include "notify/opinion.h"

#include "base/utf8.h"
#include "support/any_json.h"
#include "support/catch.h"
#include "support/property.h"

#include <regex>

using namespace oauth3;
using notify::Opinion;
using notify::read_opinion;
using notify::Verdict;
using namespace std::string_literals;

namespace {

const test::Cases kCases("max_success=2000");

const std::string kGood = R"({"verdict":"no_objection"})";

std::string with_reason(const std::string& verdict, const std::string& reason) {
    return base::dump_json({{"verdict", verdict}, {"reason", reason}});
}

/// No objection, in the plainest words: written without regard to how it is read.
bool says_no_objection(const std::string& text) {
    static const std::regex kWhole = [] {
        const std::string ws = "[ \\t\\r\\n]*";
        const std::string verdict = "\"verdict\"" + ws + ":" + ws + "\"no_objection\"";
        const std::string reason = "\"reason\"" + ws + ":" + ws + "\"[^\"\\\\]*\"";
        const std::string comma = ws + "," + ws;
        return std::regex(ws + "\\{" + ws + "(" + verdict + "|" + verdict + comma + reason + "|" +
                          reason + comma + verdict + ")" + ws + "\\}" + ws);
    }();
    return std::regex_match(text, kWhole);
}

void check_holds(const std::string& text) {
    const Opinion opinion = read_opinion(text);
    if (opinion.failed) {
        RC_ASSERT(opinion.verdict == Verdict::ask);
        RC_ASSERT(!opinion.reason.empty());
    }
    RC_ASSERT(base::is_valid_utf8(opinion.reason));
    if (opinion.verdict == Verdict::no_objection) RC_ASSERT(says_no_objection(text));
}

}  // namespace

TEST_CASE("each verdict is read, with and without a reason") {
    const std::pair<const char*, Verdict> all[] = {
        {"no_objection", Verdict::no_objection}, {"ask", Verdict::ask}, {"deny", Verdict::deny}};
    for (const auto& [name, verdict] : all) {
        const Opinion opinion = read_opinion(with_reason(name, "It is \"odd\"."));
        CHECK(opinion.verdict == verdict);
        CHECK(opinion.reason == "It is \"odd\".");
        CHECK_FALSE(opinion.failed);
        const Opinion plain = read_opinion(base::dump_json({{"verdict", name}}));
        CHECK(plain.verdict == verdict);
        CHECK_FALSE(plain.failed);
        CHECK(plain.reason.empty() == (verdict != Verdict::deny));
        CHECK(read_opinion(with_reason(name, "")).reason == plain.reason);
    }
    CHECK(read_opinion(" \r\n\t" + kGood + "\n\n").verdict == Verdict::no_objection);
    CHECK(read_opinion("{\"reason\":\"\\u0041\", \"\\u0076erdict\" : \"den\\u0079\"}").reason ==
          "A");
}

TEST_CASE("a reason has up to 500 characters, not bytes") {
    std::string longest;
    for (int i = 0; i < 500; ++i) longest += "\U0001F600";
    CHECK(read_opinion(with_reason("deny", longest)).verdict == Verdict::deny);
    CHECK(read_opinion(with_reason("deny", longest)).reason == longest);
    const Opinion longer = read_opinion(with_reason("deny", longest + "x"));
    CHECK(longer.failed);
    CHECK(longer.verdict == Verdict::ask);
}

TEST_CASE("an answer has up to 64 KiB") {
    const std::string full = kGood + std::string(notify::kMaxAnswerBytes - kGood.size(), ' ');
    CHECK(read_opinion(full).verdict == Verdict::no_objection);
    CHECK(read_opinion(full + " ").failed);
}

TEST_CASE("whatever is not exactly one answer means ask") {
    const std::string text = GENERATE(
        as<std::string>{},
        // Not one document.
        "", " ", "\n", "no_objection", "no objection", "OK", "0", "{", "}",
        R"({"verdict":"no_objection")", R"({"verdict":"no_objection"}})",
        R"({"verdict":"no_objection"} x)", R"({"verdict":"no_objection"},)",
        R"({"verdict":"no_objection"}{"verdict":"no_objection"})",
        "{\"verdict\":\"no_objection\"}\n{\"verdict\":\"deny\"}",
        "{\"verdict\":\"no_objection\"}\0"s, "\0{\"verdict\":\"no_objection\"}"s,
        "# fine\n{\"verdict\":\"no_objection\"}", R"({"verdict":"no_objection"}//)",
        R"({"verdict":"no_objection",})", R"({'verdict':'no_objection'})",
        R"({verdict:"no_objection"})", R"("verdict":"no_objection")",
        // Not in plain UTF-8.
        "\xEF\xBB\xBF{\"verdict\":\"no_objection\"}", "\xFF{\"verdict\":\"no_objection\"}",
        "{\"verdict\":\"no_objection\",\"reason\":\"\xFF\"}",
        "{\"verdict\":\"no_objection\",\"reason\":\"\xC0\xAF\"}",
        "{\"verdict\":\"no_objection\",\"reason\":\"\xED\xA0\x80\"}",
        R"({"verdict":"no_objection","reason":"\ud800"})",
        "{\"verdict\":\"no_objection\",\"reason\":\"a\nb\"}", "{\0\"\0v\0"s,
        "\xC2\xA0{\"verdict\":\"no_objection\"}", "\x0C{\"verdict\":\"no_objection\"}",
        // Not an object.
        R"("no_objection")", "null", "true", "[]", R"(["no_objection"])",
        R"([{"verdict":"no_objection"}])", R"(["verdict","no_objection"])",
        R"("{\"verdict\":\"no_objection\"}")",
        // Not a verdict.
        "{}", R"({"reason":"fine"})", R"({"verdict":null})", R"({"verdict":true})",
        R"({"verdict":false})", R"({"verdict":0})", R"({"verdict":1.5})", R"({"verdict":[]})",
        R"({"verdict":{}})", R"({"verdict":["no_objection"]})",
        R"({"verdict":{"verdict":"no_objection"}})", R"({"verdict":""})",
        R"({"verdict":"NO_OBJECTION"})", R"({"verdict":"No_objection"})", R"({"verdict":"DENY"})",
        R"({"verdict":"no objection"})", R"({"verdict":"no-objection"})",
        R"({"verdict":"noobjection"})", R"({"verdict":" no_objection"})",
        R"({"verdict":"no_objection "})", R"({"verdict":"no_objection\n"})",
        R"({"verdict":"no_objection\u0000"})", R"({"verdict":"no_objections"})",
        R"({"verdict":"no_objectio"})", R"({"verdict":"approve"})", R"({"verdict":"allow"})",
        R"({"verdict":"yes"})", "{\"verdict\":\"no_objecti\u043En\"}",
        // Members that are none, or stand twice.
        R"({"Verdict":"no_objection"})", R"({"verdict ":"no_objection"})",
        R"({"verdict":"no_objection","verdict":"no_objection"})",
        R"({"verdict":"deny","verdict":"no_objection"})",
        R"({"verdict":"no_objection","\u0076erdict":"deny"})",
        R"({"verdict":"no_objection","":""})", R"({"verdict":"no_objection","unless":"x"})",
        R"({"verdict":"no_objection","Reason":"x"})",
        R"({"verdict":"no_objection","reason":"x","reason":"y"})",
        R"({"opinion":{"verdict":"no_objection"}})",
        // Reasons that are none.
        R"({"verdict":"no_objection","reason":null})", R"({"verdict":"no_objection","reason":1})",
        R"({"verdict":"no_objection","reason":true})", R"({"verdict":"no_objection","reason":[]})",
        R"({"verdict":"no_objection","reason":["x"]})", R"({"verdict":"no_objection","reason":{}})",
        R"({"verdict":"no_objection","reason":1e999})");
    CAPTURE(text);
    const Opinion opinion = read_opinion(text);
    CHECK(opinion.failed);
    CHECK(opinion.verdict == Verdict::ask);
    CHECK(opinion.reason.starts_with("the review command gave no proper answer: "));
}

TEST_CASE("a huge or deep answer means ask") {
    for (const std::string& text :
         {std::string(10'000'000, '['), std::string(10'000'000, ' '), std::string(60'000, '['),
          "{\"verdict\":" + std::string(30'000, '[') + std::string(30'000, ']') + "}",
          with_reason("no_objection", std::string(50'000, 'x')),
          with_reason("no_objection", std::string(1'000'000, 'x')),
          "{\"verdict\":\"" + std::string(60'000, 'x') + "\"}"}) {
        const Opinion opinion = read_opinion(text);
        CHECK(opinion.failed);
        CHECK(opinion.verdict == Verdict::ask);
        CHECK(opinion.reason.size() < 200);
    }
}

TEST_CASE("what is wrong is told without repeating hostile text") {
    const Opinion opinion = read_opinion("{\"\\u001b[2J\\u202e\":1,\"\\u001b[2J\\u202e\":2}");
    CHECK(opinion.failed);
    CHECK(base::make_visible(opinion.reason, false) == opinion.reason);
}

TEST_CASE("no bytes but a plain answer make a no objection") {
    CHECK(rc::check([] {
        // Pieces of answers in any order come further than any bytes would.
        std::string text;
        for (int left = *rc::gen::inRange(0, 12); left > 0; --left)
            text += *rc::gen::element<std::string>(
                "{", "}", "[", "]", ",", ":", "\"", "\\", " ", "\n", "\"verdict\"", "\"reason\"",
                "\"no_objection\"", "\"deny\"", "\"ask\"", "{\"verdict\":", "\"\"", "null", "1",
                "\xFF", "\xEF\xBB\xBF", std::string(1, '\0'), std::string(kGood));
        check_holds(text);
    }));
    CHECK(rc::check([] {
        const auto bytes = *rc::gen::arbitrary<std::vector<char>>();
        check_holds(std::string(bytes.begin(), bytes.end()));
    }));
}

TEST_CASE("no change of a good answer makes another no objection") {
    CHECK(rc::check([] {
        std::string text = *rc::gen::element<std::string>(
            std::string(kGood), R"({"verdict":"no_objection","reason":"fine"})",
            R"( { "reason" : "" , "verdict" : "no_objection" } )", R"({"verdict":"deny"})",
            R"({"verdict":"ask","reason":"no_objection"})");
        for (int left = *rc::gen::inRange(1, 4); left > 0 && !text.empty(); --left) {
            const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
            const char byte = *rc::gen::weightedOneOf<char>(
                {{1, rc::gen::arbitrary<char>()}, {2, rc::gen::elementOf(text)}});
            switch (*rc::gen::inRange(0, 4)) {
                case 0:
                    text[at] = byte;
                    break;
                case 1:
                    text.insert(at, 1, byte);
                    break;
                case 2:
                    text.erase(at, 1);
                    break;
                default:
                    text.resize(at);
            }
        }
        check_holds(text);
    }));
}

TEST_CASE("any JSON is read without failing otherwise than by refusing") {
    CHECK(rc::check([] {
        base::Json answer = test::any_json();
        const bool is_answer =
            answer.is_object() && answer.size() == 1 && answer.contains("verdict");
        RC_ASSERT(read_opinion(base::dump_json(answer)).failed || is_answer);
        answer = {{"verdict", "no_objection"}, {"reason", test::any_json()}};
        const Opinion opinion = read_opinion(base::dump_json(answer));
        RC_ASSERT(opinion.failed == !answer["reason"].is_string());
        if (!opinion.failed) RC_ASSERT(opinion.reason == answer["reason"].get<std::string>());
    }));
}
