#include "base/crypto.h"
#include "base/json.h"
#include "client/stand_in.h"
#include "program.h"
#include "support/catch.h"

#include <fmt/format.h>

// Commands of the human on sessions, agents, keys, invites and owners.

using namespace oauth3;
using namespace oauth3::test;
using base::Json;

namespace {

const RunOptions kOwner{.environment = {{"OAUTH3_OWNER_KEY", "oauth3_owner_k"}}};
const RunOptions kAgent{.environment = {{"OAUTH3_API_KEY", "oauth3_agent_k"}}};

Finished run(const Home& home, const StandIn& server, std::vector<std::string> words,
             RunOptions options) {
    words.insert(words.end(), {"--url", server.url()});
    return run_program(home, words, std::move(options));
}

/// As on a terminal: what stands on its screen when the program has ended.
std::string on_terminal(const Home& home, const StandIn& server, std::vector<std::string> words,
                        RunOptions options, const std::string& until) {
    PseudoTerminal terminal;
    options.terminal = terminal.name();
    options.terminal_out = true;
    options.environment["NO_COLOR"] = "1";
    const Finished done = run(home, server, std::move(words), std::move(options));
    INFO(done.err);
    CHECK(done.code == 0);
    return terminal.read_until(until);
}

StandIn::Handler always(const std::string& body) {
    return [=](const HttpRequest&) { return HttpReply{.body = body}; };
}

const std::string kSession = R"({"session_id":"s1","runs_used":2,"created_at":1767225600000,
    "last_activity":1767225600000,"expires_at":1767225600000,"policy":{"description":"Read",
    "allowedSecrets":["GH_TOKEN"],"allowedNetworks":["api.github.com"],"any_code":true,
    "constraints":[{"text":"Be nice","class":"advisory","compiled":""}],"max_timeout":60}})";

}  // namespace

TEST_CASE("each command of the human makes its call and prints the reply in a pipe") {
    const Home home;
    const std::string reply = R"({"sessions":[],"tenants":[],"keys":[],"invites":[],"owners":[],)"
                              R"("events":[],"deleted":true,"next":null,"session_id":"s1"})";
    struct Case {
        std::vector<std::string> words;
        const char* method;
        const char* target;
        Json body;
    };
    const std::string rules = home.file("rules.json", R"({"rules":[],"max_runs":3})");
    for (const Case& c : std::vector<Case>{
             {{"session", "list"}, "GET", "/sessions", {}},
             {{"session", "list", "--tenant", "t 1"}, "GET", "/sessions?tenant=t%201", {}},
             {{"session", "show", "a.b_c-1"}, "GET", "/sessions/a.b_c-1", {}},
             {{"session", "narrow", "s1", "--secrets", "A, B", "--networks", "", "--max-runs", "2",
               "--max-timeout", "9", "--expires-in", "60", "--known-code-only", "--file", rules},
              "POST",
              "/sessions/s1/narrow",
              {{"secrets", {"A", "B"}},
               {"networks", Json::array()},
               {"max_runs", 2},
               {"max_timeout", 9},
               {"expires_in", 60},
               {"any_code", false},
               {"rules", Json::array()}}},
             {{"session", "revoke", "s1"}, "DELETE", "/sessions/s1", {}},
             {{"tenant"}, "GET", "/tenants", {}},
             {{"tenant", "create", "Bot"}, "POST", "/tenants", {{"name", "Bot"}}},
             {{"key", "list", "--tenant", "t1"}, "GET", "/keys?tenant=t1", {}},
             {{"key", "create", "--tenant", "t1"}, "POST", "/keys", {{"tenant", "t1"}}},
             {{"key", "create", "--own"}, "POST", "/keys", {{"role", "owner"}}},
             {{"key", "revoke", "key_1"}, "DELETE", "/keys/key_1", {}},
             {{"invite"}, "GET", "/invites", {}},
             {{"invite", "create", "--max-uses", "3", "--expires-in", "1d"},
              "POST",
              "/invites",
              {{"max_uses", 3}, {"expires_in", 86400}}},
             {{"owner"}, "GET", "/owners", {}},
             {{"owner", "create", "Eva"}, "POST", "/owners", {{"name", "Eva"}}},
             {{"audit", "--limit", "5", "--before", "9"}, "GET", "/audit?limit=5&before=9", {}}}) {
        INFO(fmt::format("{}", fmt::join(c.words, " ")));
        StandIn server(always(reply));
        const Finished done = run(home, server, c.words, kOwner);
        CHECK(done.code == 0);
        CHECK(base::parse_json(done.out) == base::parse_json(reply));
        REQUIRE(server.requests().size() == 1);
        const HttpRequest request = server.requests()[0];
        CHECK(request.method == c.method);
        CHECK(request.target == c.target);
        CHECK(request.header("authorization") == "Bearer oauth3_owner_k");
        if (!c.body.is_null()) CHECK(base::parse_json(request.body) == c.body);
        CHECK(server.faults().empty());
    }
}

TEST_CASE("agents have no business with the human's commands, and an owner key is never made up") {
    const Home home;
    home.file(".oauth3/key", "oauth3_agent_k\n");
    StandIn server(always("{}"));
    for (const std::vector<std::string>& words : {std::vector<std::string>{"tenant"},
                                                  {"key"},
                                                  {"invite"},
                                                  {"owner"},
                                                  {"audit"},
                                                  {"audit", "verify"},
                                                  {"owner", "create", "x"},
                                                  {"key", "revoke", "key_1"}}) {
        const Finished done = run(home, server, words, {});
        CHECK(done.code == 4);
        CHECK(base::parse_json(done.out)["code"] == "authentication");
    }
    CHECK(server.requests().empty());
}

TEST_CASE("sessions are reached with the owner's key or the agent's, by a plain rule") {
    const Home home;
    home.file(".oauth3/key", "stored\n");
    const std::string owner = home.file("owner.key", "named_owner\n");
    const std::string agent = home.file("agent.key", "named_agent\n");
    const std::map<std::string, std::string> both{{"OAUTH3_OWNER_KEY", "env_owner"},
                                                  {"OAUTH3_API_KEY", "env_agent"}};
    StandIn server(always(kSession));
    struct Case {
        std::vector<std::string> more;
        std::map<std::string, std::string> environment;
        const char* key;
    };
    for (const Case& c : std::vector<Case>{{{}, {}, "stored"},
                                           {{}, {{"OAUTH3_API_KEY", "env_agent"}}, "env_agent"},
                                           {{}, both, "env_owner"},
                                           {{"--key-file", agent}, both, "named_agent"},
                                           {{"--key", "argv"}, both, "argv"},
                                           {{"--owner-key-file", owner}, both, "named_owner"},
                                           {{"--tenant", "t"}, both, "env_owner"}}) {
        for (const char* verb : {"show", "revoke", "narrow"}) {
            std::vector<std::string> words{"session", verb, "s1"};
            if (std::string_view(verb) == "narrow") words.insert(words.end(), {"--max-runs", "1"});
            words.insert(words.end(), c.more.begin(), c.more.end());
            CHECK(run(home, server, words, {.environment = c.environment}).code == 0);
            CHECK(server.requests().back().header("authorization") ==
                  "Bearer " + std::string(c.key));
        }
    }
    const std::size_t before = server.requests().size();
    CHECK(run(home, server,
              {"session", "show", "s1", "--key-file", agent, "--owner-key-file", owner}, {})
              .code == 2);
    CHECK(run(home, server, {"session", "show", "s1", "--tenant", "t"}, {}).code == 2);
    // Looking does not make an agent.
    const Home empty;
    CHECK(run(empty, server, {"session", "show", "s1"}, {}).code == 4);
    CHECK(server.requests().size() == before);
}

TEST_CASE("on a terminal the human reads text") {
    const Home home;
    {
        StandIn server(always(kSession));
        const std::string seen =
            on_terminal(home, server, {"session", "show", "s1"}, kOwner, "at most 60 s");
        for (const char* part : {"Session s1", "2026-01-01 00:00:00 UTC", "GH_TOKEN",
                                 "api.github.com", "ADVISORY", "any code that keeps to the rules"})
            CHECK(seen.find(part) != std::string::npos);
        CHECK(seen.find('{') == std::string::npos);
    }
    {
        StandIn server(always(R"({"keys":[{"id":"key_1","role":"agent","revoked_at":null}]})"));
        const std::string seen = on_terminal(home, server, {"key"}, kOwner, "key_1");
        CHECK(seen.find("REVOKED") != std::string::npos);
        CHECK(on_terminal(home, server, {"key", "--json"}, kOwner, "key_1").find('{') !=
              std::string::npos);
    }
    {
        StandIn server(always(R"({"tenant_id":"t1","name":"Bot","api_key":"oauth3_x"})"));
        const std::string seen =
            on_terminal(home, server, {"tenant", "create", "Bot"}, kOwner, "shown once");
        CHECK(seen.find("oauth3_x") != std::string::npos);
    }
    {
        StandIn server(always(R"({"events":[{"seq":51,"action":"login.ok"}],"next":"51"})"));
        CHECK(on_terminal(home, server, {"audit"}, kOwner, "--before 51").find("login.ok") !=
              std::string::npos);
        on_terminal(home, server, {"audit", "--request", "exec_1"}, kOwner, "a higher --limit");
    }
    StandIn empty(always(R"({"owners":[]})"));
    on_terminal(home, empty, {"owner"}, kOwner, "There are no owners.");
}

TEST_CASE("odd replies are one sentence, and nothing of them reaches a terminal raw") {
    const Home home;
    const std::string evil = "\\u001b]0;x\\u0007\\u009b31m\\u202e";
    for (const std::string& body :
         {std::string("{}"), std::string(R"({"keys":5})"), std::string(R"({"keys":{}})"),
          std::string("[]"), std::string("<html>"), std::string("\xff")}) {
        StandIn server(always(body));
        PseudoTerminal terminal;
        RunOptions options = kOwner;
        options.terminal = terminal.name();
        options.terminal_out = true;
        CHECK(run(home, server, {"key"}, options).code == 1);
    }
    const std::string text = fmt::format(
        R"({{"{0}":[{{"{0}":"{0}"}},5,null,[[]],{{"id":"{0}","session_id":"{0}","name":["{0}"],"created_at":"{0}",)"
        R"("action":"{0}","detail":{{"{0}":"{0}"}},"seq":{{}},"at":1e308}}],"x":1}})",
        evil);
    for (const auto& [name, words] : std::vector<std::pair<std::string, std::vector<std::string>>>{
             {"keys", {"key"}},
             {"tenants", {"tenant"}},
             {"sessions", {"session"}},
             {"events", {"audit"}},
             {"api_key", {"tenant", "create", "x"}},
             {"policy", {"session", "show", "s"}}}) {
        std::string body = text;
        body.replace(body.find(evil), evil.size(), name);
        StandIn server(always(body));
        const std::string seen = on_terminal(home, server, words, kOwner, "U+");
        for (const char* raw : {"\x1b", "\a", "\u009b", "\u202e"})
            CHECK(seen.find(raw) == std::string::npos);
    }
}
