#include "base/utf8.h"
#include "skill/declaration.h"
#include "skill/header.h"
#include "support/catch.h"
#include "support/property.h"

#include <set>
#include <string>

using namespace oauth3::skill;
using oauth3::base::Seconds;

namespace {

const oauth3::test::Cases kCases("max_success=1000");

using Texts = std::vector<std::string>;

Declaration good(const std::string& code) {
    INFO(code);
    auto result = parse(code);
    if (const auto* problem = std::get_if<MetadataProblem>(&result))
        FAIL("refused: " << problem->message << " at " << problem->line << ":" << problem->column);
    return std::get<Declaration>(std::move(result));
}

/// "line:column" of the problem, "none" if there is none.
std::string place(const std::string& code) {
    const auto result = parse(code);
    const auto* problem = std::get_if<MetadataProblem>(&result);
    if (problem == nullptr) return "none";
    CHECK_FALSE(problem->message.empty());
    return fmt::format("{}:{}", problem->line, problem->column);
}

Texts networks(const Declaration& declaration) {
    Texts out;
    for (const auto& network : declaration.networks) out.push_back(network.text());
    return out;
}

std::string many(const std::string& prefix, int from, int to, const std::string& end = "") {
    std::string out;
    for (int i = from; i < to; ++i) out += fmt::format(" {}{}{}", prefix, i, end);
    return out;
}

bool same_needs(const Declaration& a, const Declaration& b) {
    return a.skill == b.skill && a.description == b.description && a.secrets == b.secrets &&
           a.networks == b.networks && a.timeout == b.timeout;
}

}  // namespace

TEST_CASE(
    "conformance 17: directives after the first code line have no effect and give a warning") {
    const std::string late =
        GENERATE(as<std::string>{}, "// @secrets TOKEN", "/* @secrets TOKEN */",
                 "/** @secrets TOKEN */", "/*\n * @secrets TOKEN\n */", "/*\n@secrets TOKEN\n*/",
                 "/*\n  @secrets TOKEN\n*/", "\t//\t@secrets TOKEN", "//@secrets TOKEN\r");
    const std::string directive =
        GENERATE(as<std::string>{}, "@secrets TOKEN", "@network evil.example", "@skill other",
                 "@timeout 3600", "@description more");
    std::string after = late;
    after.replace(after.find("@secrets TOKEN"), 14, directive);
    const std::string before =
        GENERATE(as<std::string>{}, "// @skill mine\ncode();\n", "// @skill mine\n\n",
                 "/* @skill mine */\n", "/* @skill mine */ code();\n", "// @skill mine\r\n\r\n",
                 "#!/usr/bin/env deno\n// @skill mine\nx\n");
    const Declaration declaration = good(before + after);
    CHECK(declaration.skill == "mine");
    CHECK(declaration.secrets.empty());
    CHECK(declaration.networks.empty());
    CHECK(declaration.timeout == Seconds(30));
    CHECK(declaration.description.empty());
    REQUIRE(declaration.warnings.size() == 1);
    const std::string key = directive.substr(0, directive.find(' '));
    CHECK(declaration.warnings[0].find(key) != std::string::npos);
    const auto line =
        1 + std::count(before.begin(), before.end(), '\n') +
        std::count(after.begin(),
                   after.begin() + static_cast<std::ptrdiff_t>(after.find(directive)), '\n');
    CHECK(declaration.warnings[0].starts_with(fmt::format("line {}:", line)));
}

TEST_CASE("conformance 18: a remark ends a list; what is malformed is told with line and column") {
    CHECK(good("// @secrets A, B \u2014 why\n").secrets == Texts{"A", "B"});
    CHECK(place("// @timeout 0\n") == "1:13");
    CHECK(place("// @skill a\n// @timeout 5\n//   @skill b\n") == "3:7");
    CHECK(place("// @network https://h/\n") == "1:13");
}

TEST_CASE("the header is where the wire says, in each of its forms") {
    const std::string code = GENERATE(
        as<std::string>{}, "// @secrets A\n", "//@secrets A", "//\t @secrets\tA\t\r\n",
        "  // @secrets A\n", "/* @secrets A */", "/** @secrets A */", "/**@secrets A*/code()",
        "/*\n@secrets A\n*/", "/*\n * @secrets A\n */", "/**\n *@secrets A\n **/",
        "/*\r\n\t* @secrets A\r\n*/\r\n", "\n\n \t\n// @secrets A", "\xEF\xBB\xBF// @secrets A",
        "#!/usr/bin/env -S deno run\n// @secrets A", "#!deno\r\n\r\n\r\n/* @secrets A */",
        "\xEF\xBB\xBF#!deno\n\n// @secrets A\n", "// prose\n// @secrets A\n// more prose\n",
        "/* prose @skill no\n   @secrets A\n*/", "/* @secrets A", "/*\n@secrets A\n",
        "//\n//\n// @secrets A");
    const Declaration declaration = good(code);
    CHECK(declaration.secrets == Texts{"A"});
    CHECK_FALSE(declaration.skill.has_value());
    CHECK(declaration.warnings.empty());
    CHECK(declaration.timeout == Seconds(30));
}

TEST_CASE("what is not in the header declares nothing") {
    const std::string code = GENERATE(
        as<std::string>{}, "", "\n\n", "console.log(\"hi\")", "x // @secrets A", ";\n// @secrets A",
        "/@secrets A", "# @secrets A", "@secrets A", "#!a\n#!b\n// @secrets A",
        "\xEF\xBB\xBF\xEF\xBB\xBF// @secrets A", "// a @secrets A", "//! @secrets A",
        "/// @secrets A", "/*** @secrets A */", "/*\n ** @secrets A\n*/", "/*/ @secrets A",
        "// @secrets: A", "// @secrets=A", "// @ secrets A", "// @secr\u00E9ts A",
        "// \u00A0@secrets A", "/**/ // @secrets A", "/* */\n/* @secrets A */",
        "// a\n/* @secrets A */", "/* a */ /* @secrets A */", " \u2028// @secrets A",
        "\"use strict\"; // @secrets A", "import \"x\"\n/* @secrets A */", "// a\n\n// @secrets A",
        "// @Secrets A", "// @SECRETS A", "// @secrets\u00A0A");
    CAPTURE(code);
    CHECK(good(code).secrets.empty());
}

TEST_CASE("lines end with LF or CRLF and nothing else") {
    // A lone CR does not begin a line, neither in the header nor after it.
    CHECK(good("// a\r// @secrets A\n").secrets.empty());
    CHECK(good("// a\u2028// @secrets A\n").secrets.empty());
    CHECK(good("// @description a\r\n// @skill s\r\n").description == "a");
    CHECK(good("/* @description a\r\n@skill s\r\n*/").skill == "s");
}

TEST_CASE("a block comment ends at its first closing mark, also inside a value") {
    CHECK(good("/* @secrets A */ B").secrets == Texts{"A"});
    CHECK(good("/* @secrets A*/B").secrets == Texts{"A"});
    CHECK(good("/* @description a */ b */").description == "a");
    CHECK(good("/*\n * @skill x*/ // @network h.example\n").skill == "x");
    CHECK(good("/*\n * @skill x*/ // @network h.example\n").networks.empty());
    CHECK(good("/**/code").warnings.empty());
    CHECK(place("/* @skill */") == "1:5");
    CHECK(place("/* @secrets A*B */") == "1:13");
}

TEST_CASE("lists are cut at commas and blanks, and end at a remark") {
    struct Case {
        std::string text;
        Texts secrets;
    };
    const std::vector<Case> table{
        {"A B", {"A", "B"}},      {"A,B", {"A", "B"}},
        {"A, B", {"A", "B"}},     {"A ,\tB,, ,C", {"A", "B", "C"}},
        {", A", {"A"}},           {"A,", {"A"}},
        {"A A, B A", {"A", "B"}}, {"B A", {"B", "A"}},
        {"A - why B", {"A"}},     {"A\t-\twhy", {"A"}},
        {"A -", {"A"}},           {"A \u2014 why", {"A"}},
        {"A\u2014why", {"A"}},    {"A # why", {"A"}},
        {"A#why", {"A"}},         {"A #", {"A"}},
        {"A, - why", {"A"}},      {"_A A_1 A1", {"_A", "A_1", "A1"}},
    };
    for (const Case& c : table) {
        CAPTURE(c.text);
        CHECK(good("// @secrets " + c.text).secrets == c.secrets);
        CHECK(good("/* @secrets " + c.text + " */").secrets == c.secrets);
    }
    CHECK(networks(good("// @network API.example.com, *.d.example:443 [::1]:80 - all of them")) ==
          Texts{"api.example.com", "*.d.example:443", "[::1]:80"});
    CHECK(networks(good("// @network a.example A.Example. a\uFF0Eexample")) == Texts{"a.example"});
    CHECK(good("// @secrets A B\n// prose\n// @secrets B, C\n").secrets == Texts{"A", "B", "C"});
    CHECK(networks(good("// @network a.example\n// @network b.example")) ==
          Texts{"a.example", "b.example"});
}

TEST_CASE("a list has at most 32 entries in all, repeats not counted") {
    CHECK(good("// @secrets" + many("S", 0, 32)).secrets.size() == 32);
    CHECK(good("// @secrets" + many("S", 0, 32) + " S0 S31").secrets.size() == 32);
    CHECK(good("// @secrets" + many("S", 0, 16) + "\n// @secrets" + many("S", 8, 32))
              .secrets.size() == 32);
    CHECK(good("// @network" + many("h", 0, 32, ".example") + "\n// @secrets" + many("S", 0, 32))
              .networks.size() == 32);
    const std::string first = "// @secrets" + many("S", 0, 32);
    CHECK(place(first + " S32") == fmt::format("1:{}", first.size() + 2));
    CHECK(place(first + "\n// @secrets X") == "2:13");
    CHECK(place("// @network" + many("h", 0, 33, ".example")) != "none");
}

TEST_CASE("values of one line") {
    CHECK(good("// @skill a b - c # d").skill == "a b - c # d");
    CHECK(good("// @description   all \u2014 of it  \n").description == "all \u2014 of it");
    std::string hundred, five_hundred;
    for (int i = 0; i < 100; ++i) hundred += "\u00FC";
    for (int i = 0; i < 500; ++i) five_hundred += "\u4E2D";
    CHECK(good("// @skill " + hundred).skill == hundred);
    CHECK(place("// @skill " + hundred + "x") == "1:11");
    CHECK(good("// @description " + five_hundred).description == five_hundred);
    CHECK(place("// @description " + five_hundred + "x") == "1:17");
    for (const char* bad : {"a\tb", "a\u202Eb", "a\u200Bb",
                            "a\x7F"
                            "b",
                            "a\rb", "\u2028"})
        CHECK(place(std::string("// @skill ") + bad) == "1:11");
    for (const char* number : {"1", "3600", "30 - half a minute", "30\u2014why", "30#", "60 # why"})
        CHECK(good(std::string("// @timeout ") + number).timeout.count() == std::atoi(number));
    for (const char* number : {"0", "3601", "-1", "+5", "1.5", "5s", "5 s", "0x10", "1e3", "five",
                               "- 5", "# 5", "99999999999999999999", "\uFF15", "5,", "5 6"})
        CHECK(place(std::string("// @timeout ") + number) == "1:13");
}

TEST_CASE("errors stand at their exact line and column, counted in characters") {
    CHECK(place("// @skill") == "1:5");
    CHECK(place("// @description") == "1:5");
    CHECK(place("// @timeout") == "1:5");
    CHECK(place("// @secrets") == "1:5");
    CHECK(place("// @network   ") == "1:5");
    CHECK(place("// @secrets - none") == "1:13");
    CHECK(place("// @secrets , ,") == "1:13");
    CHECK(place("// @secrets lower") == "1:13");
    CHECK(place("// @secrets A, 1B") == "1:16");
    CHECK(place("// @secrets A, B-C") == "1:16");
    CHECK(place("// @secrets PATH") == "1:13");
    CHECK(place("// @secrets A, HTTP_PROXY") == "1:16");
    CHECK(place("// @secrets A \u00FC") == "1:15");
    CHECK(place("// @network a.example, \u00FC.example, b c/d") == "1:37");
    CHECK(place("// @network b\u00FCcher.example, *.com") == "1:29");
    CHECK(place("// @network \U00020000.example *.1.2.3.4") == "1:23");
    CHECK(place("\xEF\xBB\xBF// @timeout 0") == "1:13");
    CHECK(place("#! \u00FC\r\n\r\n\t// @timeout 0") == "3:14");
    CHECK(place("/*\n\u00FC\n * @timeout 0\n*/") == "3:13");
    CHECK(place("/**\n@timeout 0 */") == "2:10");
    CHECK(place("\n\n/* @timeout 0 */") == "3:13");
    CHECK(place("// @description a\n// @description b") == "2:5");
    CHECK(place("// @timeout 5\n// @timeout 5") == "2:5");
    CHECK(place("/* @skill a\n@skill b */") == "2:2");
    // Only the first problem is told, and one after the header is none.
    CHECK(place("// @timeout 0\n// @skill") == "1:13");
    CHECK(place("x\n// @timeout 0\n// @skill") == "none");
}

TEST_CASE("unknown keys and prose do no harm") {
    const Declaration declaration = good(
        "// @author somebody\n// @Skill x\n// mail me @home\n// @param {string} a - b\n"
        "// @license: MIT\n// @skill mine\n// @a-b_C9 z\n// @\n// @@skill x\n");
    CHECK(declaration.skill == "mine");
    REQUIRE(declaration.warnings.size() == 4);
    CHECK(declaration.warnings[0] == "line 1: @author is not known and was ignored");
    CHECK(declaration.warnings[1] == "line 2: @Skill is not known and was ignored");
    CHECK(declaration.warnings[2] == "line 4: @param is not known and was ignored");
    CHECK(declaration.warnings[3] == "line 7: @a-b_C9 is not known and was ignored");
}

TEST_CASE("warnings do not grow without end") {
    std::string code = "x\n";
    for (int i = 0; i < 10'000; ++i) code += "// @secrets A\n";
    CHECK(good(code).warnings.size() <= 20);
    std::string head;
    for (int i = 0; i < 10'000; ++i) head += "// @unknown A\n";
    CHECK(good(head).warnings.size() <= 20);
}

TEST_CASE("decorators and text that only resemble directives give no warning") {
    CHECK(good("x\n@timeout(5)\nclass A {}\nconst a = `@secrets A`;\nf() // @secrets A\n")
              .warnings.empty());
}

TEST_CASE("a program is UTF-8 without NUL") {
    CHECK(is_program(""));
    CHECK(is_program("// \u00FC"));
    CHECK_FALSE(is_program(std::string_view("a\0b", 3)));
    CHECK_FALSE(is_program("a\xFF"));
    CHECK_FALSE(is_program("\xED\xA0\x80"));
    CHECK(code_hash("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(code_hash("\xEF\xBB\xBF") != code_hash(""));
    CHECK(code_hash("a\n") != code_hash("a\r\n"));
}

namespace {

/// Text that is mostly made of what the grammar looks at.
std::string nearly_header() {
    std::string out;
    for (int left = *rc::gen::inRange(0, 24); left > 0; --left)
        out += *rc::gen::weightedOneOf<std::string>(
            {{12, rc::gen::element<std::string>(
                      "//", "/*", "*/", "/**", "*", "@secrets", "@network", "@timeout", "@skill",
                      "@description", "@other", " ", " ", "\t", "\n", "\n", "\r\n", "\r", "#!", "#",
                      "-", "\u2014", ",", "A", "B_1", "h.example", "*.d.example:443", "30", "x",
                      "\xEF\xBB\xBF", "\u2028")},
             {1, rc::gen::arbitrary<std::string>()}});
    return out;
}

}  // namespace

TEST_CASE("no bytes make the reader of metadata fail otherwise than by refusing") {
    CHECK(rc::check([] {
        const std::string code = nearly_header();
        // A view that ends with the memory, so that reading past it is seen.
        const std::vector<char> exact(code.begin(), code.end());
        const auto result = parse(std::string_view(exact.data(), exact.size()));
        if (const auto* problem = std::get_if<MetadataProblem>(&result)) {
            RC_ASSERT(problem->line >= 1u);
            RC_ASSERT(problem->column >= 1u);
            RC_ASSERT(problem->line <=
                      static_cast<std::size_t>(1 + std::count(code.begin(), code.end(), '\n')));
        } else {
            const auto& declaration = std::get<Declaration>(result);
            RC_ASSERT(declaration.secrets.size() <= 32u);
            RC_ASSERT(declaration.networks.size() <= 32u);
            RC_ASSERT(declaration.timeout >= Seconds(1) && declaration.timeout <= Seconds(3600));
        }
    }));
}

TEST_CASE("what stands behind the first code line never changes what is declared") {
    CHECK(rc::check([] {
        // A header that is over, whatever form it has: a line of code follows it.
        std::string head = nearly_header();
        const Header found = find_header(head);
        const bool open = head.find("/*") != std::string::npos && found.rest.empty();
        head += (open ? "*/" : "");
        head += "\ncode();\n";
        const auto before = parse(head);
        const auto after = parse(head + nearly_header());
        RC_ASSERT(before.index() == after.index());
        if (const auto* declaration = std::get_if<Declaration>(&before))
            RC_ASSERT(same_needs(*declaration, std::get<Declaration>(after)));
    }));
}
