// `scope check` says without a server exactly what the server says in a dry run.

#include "e2e/harness.h"
#include "support/catch.h"

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

struct Case {
    const char* scope;
    const char* code;
    Json args = Json::object();
    Json secrets = Json::array();
};

const char* const kRead =
    R"({"description":"d","secrets":["GH_TOKEN"],"networks":["a.org","*.b.org"],
    "constraints":["Only GET","Only access a.org and x.b.org"],"max_timeout":90,
    "args":[{"param":"REPO","pattern":"acme/.*"},{"param":"N","op":"<=","value":3}]})";

std::vector<Case> cases() {
    const Json good{{"REPO", "acme/x"}, {"N", 3}};
    return {
        {kRead, "// @secrets GH_TOKEN\n// @network a.org, x.b.org\n// @timeout 90\n", good},
        {kRead, "// @network y.b.org\n", good},
        {kRead, "// @secrets OTHER, GH_TOKEN\n// @network a.org:8443\n// @timeout 91\n", {}},
        {kRead, "1", {{"REPO", "acme/x\n"}, {"N", "3"}}, {"MORE"}},
        {kRead, "1", {{"REPO", nullptr}, {"N", 4}}},
        {R"({"description":"d","constraints":["No network access"]})", "console.log(1)"},
        {R"({"description":"d","constraints":["No network access","be nice"]})", "console.log(1)"},
        {R"({"description":"d"})", "console.log(1)"},
        {R"json({"description":"d","skill_code":"console.log(1)","constraints":["be nice"]})json",
         "console.log(1)"},
        {R"({"description":"d","constraints":["No secrets"],"secrets":["A"]})", "// @secrets A\n"},
        {R"({"description":"d","constraints":["no run longer than 20 seconds"]})", "1"},
        {R"({"description":"d","constraints":"read only","budgets":{"requests":0}})", "1"},
        {R"({"description":"d","allowMutating":false,"rules":[{"host":"a.org"}],
             "networks":["a.org"]})",
         "// @network a.org\n"},
    };
}

}  // namespace

TEST_CASE("scope check says what the server says in a dry run") {
    const Server server;
    const std::string key = server.sign_up();
    int number = 0;
    for (const Case& one : cases()) {
        CAPTURE(one.scope, one.code, one.args);
        const std::string name = "case" + std::to_string(number++);
        write_file(server.folder() / (name + ".json"), one.scope);
        write_file(server.folder() / (name + ".ts"), one.code);
        write_file(server.folder() / (name + ".args"), one.args.is_null() ? "{}" : one.args.dump());
        std::vector<std::string> words{"scope",   "check",
                                       "--scope", server.folder() / (name + ".json"),
                                       "--code",  server.folder() / (name + ".ts"),
                                       "--args",  server.folder() / (name + ".args")};
        if (!one.secrets.empty())
            words.insert(words.end(), {"--secrets", one.secrets[0].get<std::string>()});
        const Ended ended = server.cli(words)->wait();
        CAPTURE(ended.out, ended.err);
        const Json offline = base::parse_json(ended.out);

        Json body = base::parse_json(one.scope);
        body["session_id"] = name;
        const Submitted scope = server.submit_scope(key, body);
        REQUIRE(server.decide(scope.id, "approve").status == 200);
        Json ask{
            {"skill_id", "x"}, {"skill_code", one.code}, {"session_id", name}, {"dry_run", true}};
        if (!one.args.is_null()) ask["args"] = one.args;
        if (!one.secrets.empty()) ask["secrets"] = one.secrets;
        const Json online = server.post("/execute", key, ask).json();
        CAPTURE(online);
        REQUIRE(online.contains("would_auto_approve"));
        CHECK(offline["fits"] == online["would_auto_approve"]);
        CHECK(ended.exit_code == (offline["fits"] == true ? 0 : 1));
        CHECK(offline.value("policy_violations", Json()) ==
              online.value("policy_violations", Json()));
        if (online.contains("policy_gaps"))
            for (const char* gap : {"new_secrets", "new_networks"})
                CHECK(offline["policy_gaps"][gap] == online["policy_gaps"][gap]);
    }
}

TEST_CASE("approve with levels, trust and a narrower scope by the command line") {
    const Server server;
    const std::string key = server.sign_up();
    const auto owner = [&](std::vector<std::string> words) {
        return server.cli(words, {{"OAUTH3_OWNER_KEY", server.owner_key()}})->wait();
    };
    const char* const code = "// @skill trusted\nconsole.log(Deno.env.get('N'))\n";
    const Submitted first = server.submit(key, code, {{"args", {{"N", "1"}}}});
    REQUIRE(owner({"approve", first.id, "--yes", "--level", "24h", "--pin-args"}).exit_code == 0);
    CHECK(server.poll(key, first.id)["status"] == "completed");

    const Ended listed = owner({"trust", "list"});
    const Json row = base::parse_json(listed.out)["trust"][0];
    CHECK(row["level"] == "24h");
    CHECK(row["pin_args"] == true);
    const auto dry_run = [&](const char* n) {
        return server
            .post("/execute", key, {{"skill_code", code}, {"args", {{"N", n}}}, {"dry_run", true}})
            .json();
    };
    CHECK(dry_run("1")["reason"] == "trusted_code");
    CHECK(dry_run("2")["reason"] == "needs_approval");
    CHECK(owner({"trust", "revoke", row["id"]}).exit_code == 0);
    CHECK(dry_run("1")["reason"] == "needs_approval");
    CHECK(owner({"trust", "revoke", row["id"]}).exit_code == 1);

    const Submitted scope = server.submit_scope(
        key, {{"description", "d"}, {"networks", {"a.org", "b.org"}}, {"constraints", "Only GET"}});
    const Json shown = base::parse_json(owner({"show", scope.id}).out);
    CHECK(shown["scope_request"]["any_code"] == true);
    CHECK(shown["backtest"]["considered"] == 1);
    CHECK(shown["backtest"]["would_allow"].size() == 1);
    write_file(server.folder() / "cut.json", R"({"networks":["a.org"],"max_timeout":9})");
    const std::string cut = server.folder() / "cut.json";
    REQUIRE(owner({"approve", scope.id, "--yes", "--narrow", cut, "--known-code-only"}).exit_code ==
            0);
    const Json session = base::parse_json(owner({"session", "show", scope.session}).out)["policy"];
    CHECK(session["allowedNetworks"] == Json{"a.org"});
    CHECK(session["max_timeout"] == 9);
    CHECK(session["any_code"] == false);
}
