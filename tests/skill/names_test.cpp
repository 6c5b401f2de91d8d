#include "skill/names.h"

#include "skill/args.h"
#include "support/any_json.h"
#include "support/catch.h"

using namespace oauth3::skill;
using oauth3::base::Json;
using oauth3::base::parse_json;

namespace {

/// The code of the refusal, "" if there is none.
std::string refused(const Json& args, const std::vector<std::string>& secrets = {}) {
    const auto result = environment_of(args, secrets);
    const auto* problem = std::get_if<ArgsProblem>(&result);
    if (problem == nullptr) return "";
    CHECK_FALSE(problem->message.empty());
    return problem->code;
}

Environment environment(const Json& args) {
    auto result = environment_of(args, {});
    REQUIRE(std::holds_alternative<Environment>(result));
    return std::get<Environment>(std::move(result));
}

std::string value_of(const Environment& all, const std::string& name) {
    for (const auto& [key, value] : all)
        if (key == name) return value;
    return "(absent)";
}

}  // namespace

TEST_CASE("conformance 20: names that steer the loader, the runtime or a tool are reserved") {
    for (const char* name : {"PATH",          "HOME",
                             "PWD",           "TMPDIR",
                             "IFS",           "SKILL_ARGS",
                             "GCONV_PATH",    "GLIBC_TUNABLES",
                             "HOSTALIASES",   "RES_OPTIONS",
                             "LD_PRELOAD",    "LD_LIBRARY_PATH",
                             "LD_",           "DYLD_INSERT",
                             "DENO_DIR",      "DENO_CERT",
                             "NODE_OPTIONS",  "NODE_EXTRA_CA_CERTS",
                             "NPM_CONFIG_X",  "V8_FLAGS",
                             "SSL_CERT_FILE", "OAUTH3_API_KEY",
                             "PYTHONPATH",    "PYTHON",
                             "PYTHONSTARTUP", "BASH_ENV",
                             "BASH_FUNC_x",   "HTTP_PROXY",
                             "https_proxy",   "No_PrOxY",
                             "_PROXY",        "_proxy",
                             "ALL_PROXY"}) {
        CAPTURE(name);
        CHECK(is_reserved_name(name));
        CHECK(refused({{name, "x"}}) == "reserved_name");
        CHECK(refused({{name, nullptr}}) == "reserved_name");
    }
    for (const char* name : {"PATHS", "path", "MY_PATH", "HOME_DIR", "LD", "XLD_PRELOAD",
                             "ld_preload", "DENO", "NODE", "PROXY", "_PROXY_", "PROXY_URL", "BASH",
                             "SKILL_ARG", "GH_TOKEN", "_", "OAUTH", "MYPROXY"}) {
        CAPTURE(name);
        CHECK_FALSE(is_reserved_name(name));
        CHECK(refused({{name, "x"}}).empty());
    }
    CHECK(refused({{"TOKEN", "x"}}, {"OTHER", "TOKEN"}) == "arg_shadows_secret");
    CHECK(refused({{"TOKEN", nullptr}}, {"TOKEN"}) == "arg_shadows_secret");
    CHECK(refused({{"token", "x"}}, {"TOKEN"}).empty());
}

TEST_CASE("names have letters, digits and underscores, at most 64") {
    const std::string longest(64, 'A');
    for (const std::string& name :
         {std::string("A"), std::string("_"), std::string("A_1"), longest}) {
        CHECK(is_secret_name(name));
        CHECK(is_arg_name(name));
    }
    for (const std::string& name :
         {std::string(), std::string("1A"), longest + "A", std::string("A-B"), std::string("A B"),
          std::string("A="), std::string("\u00C4"), std::string("A\0", 2), std::string("A\n"),
          std::string("A.B"), std::string("$A")}) {
        CAPTURE(name);
        CHECK_FALSE(is_secret_name(name));
        CHECK_FALSE(is_arg_name(name));
        CHECK(refused({{name, "x"}}) == "invalid_arg");
        CHECK(refused({{name, nullptr}}) == "invalid_arg");
    }
    CHECK_FALSE(is_secret_name("Aa"));
    CHECK(is_arg_name("aZ_09"));
}

TEST_CASE("conformance 20: arguments become environment variables, SKILL_ARGS holds all") {
    const Json args = parse_json(
        R"({"s":"te\"xt","empty":"","i":-5,"big":18446744073709551615,"f":1.0,"e":1e-7,"t":true,
            "n":null,"o":{"b":[1,{"c":"\u0000"}],"a":"\u00fc"},"l":[],"line":"a\nb"})");
    const Environment all = environment(args);
    CHECK(value_of(all, "s") == "te\"xt");
    CHECK(value_of(all, "empty").empty());
    CHECK(value_of(all, "i") == "-5");
    CHECK(value_of(all, "big") == "18446744073709551615");
    CHECK(value_of(all, "f") == "1.0");
    CHECK(value_of(all, "e") == "1e-07");
    CHECK(value_of(all, "t") == "true");
    CHECK(value_of(all, "n") == "(absent)");
    CHECK(value_of(all, "o") == "{\"a\":\"\u00FC\",\"b\":[1,{\"c\":\"\\u0000\"}]}");
    CHECK(value_of(all, "l") == "[]");
    CHECK(value_of(all, "line") == "a\nb");
    CHECK(parse_json(value_of(all, "SKILL_ARGS")) == args);
    CHECK(all.size() == 11);
    CHECK(environment(Json::object()) == Environment{{"SKILL_ARGS", "{}"}});
}

TEST_CASE("a NUL would cut a variable, so it is refused") {
    CHECK(refused({{"a", std::string("x\0y", 3)}}) == "invalid_arg");
    CHECK(refused({{"a", std::string(1, '\0')}}) == "invalid_arg");
}

TEST_CASE("SKILL_ARGS has at most 96 KiB") {
    const auto sized = [](std::size_t size) { return Json{{"a", std::string(size - 8, 'x')}}; };
    CHECK(sized(kMaxSkillArgs).dump().size() == 98304);
    CHECK(refused(sized(kMaxSkillArgs)).empty());
    CHECK(refused(sized(kMaxSkillArgs + 1)) == "args_too_large");
    // Counted as it is sent to the program, where an escape is longer than what it stands for.
    CHECK(refused({{"a", std::string(20'000, '\x01')}}) == "args_too_large");
    CHECK(refused({{"a", std::string(49'200, '"')}}) == "args_too_large");
}

TEST_CASE("whatever the arguments are, the environment is one that execve can take") {
    CHECK(rc::check([] {
        Json args = Json::object();
        for (int left = *rc::gen::inRange(0, 5); left > 0; --left)
            args[*rc::gen::oneOf(rc::gen::element<std::string>("A", "b", "_c9", "PATH", "x_proxy"),
                                 rc::gen::arbitrary<std::string>())] = oauth3::test::any_json();
        const auto result = environment_of(args, {"B"});
        const auto* all = std::get_if<Environment>(&result);
        if (all == nullptr) return;
        std::set<std::string> names;
        for (const auto& [name, value] : *all) {
            RC_ASSERT(names.insert(name).second);
            RC_ASSERT(is_arg_name(name));
            RC_ASSERT(name == "SKILL_ARGS" || !is_reserved_name(name));
            RC_ASSERT(value.find('\0') == std::string::npos);
        }
        RC_ASSERT(parse_json(all->front().second) == args);
    }));
}
