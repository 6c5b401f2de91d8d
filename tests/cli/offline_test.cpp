#include "agent_support.h"

#include <algorithm>

// What needs no server: scopes explained, programs held against them, recorded cases.

using namespace oauth3;
using namespace oauth3::test;

namespace {

const std::string kCases = OAUTH3_SOURCE_DIR "/share/examples/policy";
const std::string kIssues = kCases + "/parts/issues.json";
const std::string kProgram = kCases + "/parts/issues.ts";

/// On a terminal without colours.
std::string on_terminal(const Home& home, const std::vector<std::string>& words,
                        const std::string& until, int code = 0) {
    PseudoTerminal terminal;
    Program program(
        home, words,
        {.environment = {{"NO_COLOR", "1"}}, .terminal = terminal.name(), .terminal_out = true});
    // Read first: a terminal holds little of what nobody reads.
    std::string text = terminal.read_until(until);
    CHECK(program.wait().code == code);
    return unwrapped(text);
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("scope explain tells what a scope compiles to") {
    const Home home;
    const Finished done = run_program(home, {"scope", "explain", kIssues});
    CHECK(done.code == 0);
    const Json document = document_of(done);
    const Json& policy = document["policy"];
    CHECK(policy["allowedNetworks"] == Json{"api.github.com"});
    CHECK(policy["constraints"][0]["class"] == "enforced");
    CHECK(policy["constraints"][0]["compiled"] == "methods GET, HEAD");
    CHECK_FALSE(policy["constraints"][0].contains("approved_at"));
    CHECK(policy["max_runs"] == 20);
    CHECK(document["lasts"] == 3600);
    CHECK(document["any_code"] == true);
    CHECK(document["why_not_any_code"].empty());
    CHECK(document["warnings"].empty());

    const std::string text =
        on_terminal(home, {"scope", "explain", kIssues}, "if it keeps to all this");
    for (const char* part : {"Only GET [ENFORCED: methods GET, HEAD]", "GET, HEAD api.github.com",
                             "REPO matches acme/[a-z0-9-]+", "at most 20", "at most 3600 s"}) {
        CAPTURE(part, text);
        CHECK(has(text, part));
    }
}

TEST_CASE("scope explain says what holds nothing, and why other code asks") {
    const Home home;
    const std::string scope =
        home.file("s.json", R"({"description":"d\u001b[2K","secrets":["GH_TOKEN"],
            "networks":["api.github.com","evil.example.org"],"mystery":1,
            "constraints":["Be nice\u202e","Only access api.github.com","No secrets",
                           "No destructive actions"]})");
    const Finished done =
        run_program(home, {"scope", "explain", "-"}, {.input = home.read("s.json")});
    CHECK(done.code == 0);
    const Json document = document_of(done);
    CHECK(document["policy"]["allowedNetworks"] == Json{"api.github.com"});
    CHECK(document["cut_away"] ==
          Json{{"networks", {"evil.example.org"}}, {"secrets", {"GH_TOKEN"}}});
    CHECK(document["any_code"] == false);
    CHECK(document["why_not_any_code"].size() == 2);
    CHECK(document["rules_in_force"].size() == 1);
    CHECK(document["warnings"].size() == 1);

    const std::string text = on_terminal(home, {"scope", "explain", scope}, "mystery");
    for (const char* part :
         {"d<U+001B>[2K", "Be nice<U+202E> [ADVISORY: oauth3 cannot check this]",
          "[PARTLY: no method DELETE]", "not checked: other methods may still destroy",
          "Cut away: evil.example.org", "Cut away: GH_TOKEN", "asks each time", "only partly",
          "only advisory"}) {
        CAPTURE(part, text);
        CHECK(has(text, part));
    }
    CHECK_FALSE(has(text, "\x1b"));
}

TEST_CASE("scope explain without a file is the table of phrases") {
    const Home home;
    const Finished done = run_program(home, {"scope", "explain"});
    CHECK(done.code == 0);
    const Json rows = document_of(done)["phrases"];
    REQUIRE(rows.size() > 10);
    CHECK(rows[0]["forms"][0] == "no network access");
    CHECK(rows[0]["class"] == "enforced");
    CHECK(run_program(home, {"scope", "explain", "--table"}).out == done.out);
    CHECK(run_program(home, {"scope", "explain", "--table", kIssues}).code == 2);
    const std::string text = on_terminal(home, {"scope", "explain", "--table"}, "nothing checks");
    CHECK(has(text, "- no network access"));
    CHECK(has(text, "not checked: other methods may still destroy"));
}

TEST_CASE("a scope that makes no sense is one sentence with its place, and 2") {
    const Home home;
    struct Case {
        const char* text;
        const char* says;
    };
    for (const Case& c : {Case{"{}", "description: A scope needs a description."},
                          Case{R"({"description":"d","constraints":["a",{"param":"X"}]})",
                               "constraints[1]: Constraint 2:"},
                          Case{R"({"description":"d","rules":[{"host":"a.org"},{}]})",
                               "rules[1]: Rule 2: it has no host."},
                          Case{R"({"description":"d","networks":["https://x"]})", "networks: "},
                          Case{R"({"description":"d","secrets":["PATH"]})", "secrets: "},
                          Case{R"({"description":"d","skill_code":"// @timeout 0\n"})",
                               "skill_code: Line 1, column"},
                          Case{"[]", "no JSON object"}, Case{"{", "s.json: "}}) {
        const std::string file = home.file("s.json", c.text);
        for (const std::vector<std::string>& words :
             {std::vector<std::string>{"scope", "explain", file},
              {"scope", "check", "--scope", file, "--code", kProgram}}) {
            const Finished done = run_program(home, words);
            CAPTURE(c.text, done.err);
            CHECK(done.code == 2);
            CHECK(done.out.empty());
            CHECK(has(done.err, c.says));
            CHECK(std::count(done.err.begin(), done.err.end(), '\n') == 1);
        }
    }
}

TEST_CASE("scope check says whether a program fits, and what it would get") {
    const Home home;
    const std::vector<std::string> words{"scope",  "check",  "--scope", kIssues,
                                         "--code", kProgram, "--arg",   "REPO=acme/site"};
    const Finished fits = run_program(home, words);
    CHECK(fits.code == 0);
    const Json document = document_of(fits);
    CHECK(document["fits"] == true);
    CHECK(document["grant"]["secrets"] == Json{"GH_TOKEN"});
    CHECK(document["grant"]["args"] == Json{{"REPO", "acme/site"}});
    CHECK(document["limits"].size() == 2);
    const std::string text = on_terminal(home, words, "Code hash");
    CHECK(has(text, "Fits: it would run without asking"));
    CHECK(has(text, "And only: methods GET, HEAD"));

    const std::string wider = home.file(
        "w.ts", "// @secrets GH_TOKEN, OTHER\n// @network api.github.com, b.org\n// @timeout 90\n");
    const std::vector<std::string> not_so{"scope", "check", "--scope", kIssues, "--code", wider};
    const Finished misfit = run_program(home, not_so);
    CHECK(misfit.code == 1);
    CHECK(document_of(misfit)["policy_violations"].size() == 4);
    CHECK(document_of(misfit)["policy_gaps"] ==
          Json{{"new_secrets", {"OTHER"}}, {"new_networks", {"b.org"}}});
    CHECK(has(on_terminal(home, not_so, "timeout 90 > 60", 1), "new secret: OTHER"));
    // The program from standard input, its secrets named.
    const Finished piped = run_program(home,
                                       {"scope", "check", "--scope", kIssues, "--code", "-",
                                        "--secrets", "OTHER", "--arg", "REPO=acme/x"},
                                       {.input = "console.log(1)"});
    CHECK(piped.code == 1);
    CHECK(document_of(piped)["policy_violations"] == Json{"new secret: OTHER"});

    for (const std::vector<std::string>& bad : {std::vector<std::string>{"--arg", "PATH=x"},
                                                {"--arg", "GH_TOKEN=x"},
                                                {"--secrets", "lower"},
                                                {"--args", kProgram}}) {
        auto all = words;
        all.insert(all.end(), bad.begin(), bad.end());
        const Finished done = run_program(home, all);
        CAPTURE(bad, done.err);
        CHECK(done.code == 2);
        CHECK(done.out.empty());
    }
}

TEST_CASE("the cases of the examples pass") {
    const Home home;
    const Finished done = run_program(home, {"policy", "test", kCases});
    CAPTURE(done.out, done.err);
    CHECK(done.code == 0);
    const Json document = document_of(done);
    CHECK(document["passed"] == 4);
    CHECK(document["failed"] == 0);
    CHECK(document["cases"][0]["file"] == "issues.json");
    CHECK(has(on_terminal(home, {"policy", "test", kCases}, "passed."), "4 of 4 cases passed."));
}

TEST_CASE("a case that fails says what is otherwise, and the whole ends with 1") {
    const Home home;
    const std::string scope =
        R"("scope":{"description":"d","networks":["a.org"],"constraints":["Only GET"]})";
    const std::string request = R"("request":{"code":"// @network a.org\n"})";
    const auto one = [&](const std::string& name, const std::string& rest) {
        home.file("cases/" + name, "{" + scope + "," + request + "," + rest + "}");
    };
    one("a.json", R"("expect":"violates")");
    one("b.json", R"("name":"\u001b[2K","expect":"fits","calls":[
        {"method":"POST","url":"https://a.org/","expect":"allow"},
        {"method":"GET","url":"https://a.org","expect":"allow"},
        {"method":"GET","url":"https://a.org:8443/","expect":"deny"},
        {"method":"GET","url":"https://a.org/x/%2e%2e/y","expect":"deny"},
        {"method":"GET","url":"http://A.ORG./?q#f","expect":"allow"},
        {"method":"GET","url":"https://[::1]:80/","expect":"deny"}])");
    home.file("cases/c.json", "{" + scope + R"(,"request":{"code":"// @secrets S\n"},
        "expect":"violates","violations":["new secret: T"]})");
    home.file("cases/d.json", "{" + scope + R"(,"request":{"code":"// @secrets S\n"},
        "expect":"fits"})");
    home.file("cases/not-a-case.txt", "x");
    home.file("cases/below/e.json", "x");
    const std::string folder = home.path() / "cases";
    const Finished done = run_program(home, {"policy", "test", folder});
    CHECK(done.code == 1);
    const Json cases = document_of(done)["cases"];
    REQUIRE(cases.size() == 4);
    CHECK(cases[0]["problems"] == Json{"fits"});
    CHECK(cases[1]["problems"] == Json{"POST https://a.org/: deny:rule"});
    CHECK(cases[2]["problems"] == Json{"other violations: new secret: S; expected: new secret: T"});
    CHECK(cases[3]["problems"] == Json{"does not fit: new secret: S"});
    CHECK(document_of(done)["failed"] == 4);
    const std::string text = on_terminal(home, {"policy", "test", folder}, "passed.", 1);
    CHECK(has(text, "FAIL b.json <U+001B>[2K"));
    CHECK(has(text, "0 of 4 cases passed."));
}

TEST_CASE("cases that make no sense are 2, and reach no other file") {
    const Home home;
    home.file("secret.json", R"({"description":"d"})");
    home.file("cases/sub/s.json", R"({"description":"d"})");
    const std::string folder = home.path() / "cases";
    CHECK(run_program(home, {"policy", "test", folder}).code == 2);  // none
    CHECK(run_program(home, {"policy", "test", home.path() / "nowhere"}).code == 2);
    std::filesystem::create_symlink(home.path() / "secret.json",
                                    home.path() / "cases/sub/link.json");
    const std::string code = R"("request":{"code":"1"},"expect":"violates")";
    CHECK(run_program(home, {"policy", "test", folder}).code == 2);
    home.file("cases/x.json", R"({"scope_file":"sub/s.json",)" + code + "}");
    CHECK(run_program(home, {"policy", "test", folder}).code == 0);
    for (const std::string& bad :
         {std::string("[]"), std::string("{"), std::string("{}"),
          R"({"scope_file":"../secret.json",)" + code + "}",
          R"({"scope_file":"sub/../../secret.json",)" + code + "}",
          R"({"scope_file":"sub/link.json",)" + code + "}",
          R"({"scope_file":")" + (home.path() / "secret.json").string() + "\"," + code + "}",
          R"({"scope_file":"none.json",)" + code + "}",
          R"({"scope":{"description":"d"},"scope_file":"sub/s.json",)" + code + "}",
          R"({"scope":{"description":"d"},"unknown":1,)" + code + "}",
          R"({"scope":{},)" + code + "}",
          std::string(R"({"scope":{"description":"d"},"request":{"code":"1"},"expect":"maybe"})"),
          std::string(R"({"scope":{"description":"d"},"request":{},"expect":"fits"})"),
          std::string(R"({"scope":{"description":"d"},"request":{"code":"1"},"expect":"fits",)"
                      R"("calls":[{"method":"GET","url":"ftp://a/","expect":"deny"}]})"),
          std::string(R"({"scope":{"description":"d"},"request":{"code":"1"},"expect":"fits",)"
                      R"("calls":[{"method":"get","url":"http://a/","expect":"deny"}]})"),
          std::string(R"({"scope":{"description":"d"},"request":{"code":"1"},"expect":"fits",)"
                      R"("violations":[]})")}) {
        home.file("cases/x.json", bad);
        const Finished done = run_program(home, {"policy", "test", folder});
        CAPTURE(bad, done.err);
        CHECK(done.code == 2);
        CHECK(done.out.empty());
        CHECK(has(done.err, "x.json: "));
    }
}
