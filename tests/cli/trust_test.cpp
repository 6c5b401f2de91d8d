#include "agent_support.h"

// Code that runs again without asking: list and revoke, with either key.

using namespace oauth3;
using namespace oauth3::test;

namespace {

const std::string kTrust = "trust_00000000000000c3";

HttpReply answer(const HttpRequest& request) {
    if (request.method == "DELETE") return {.body = R"({"deleted":true,"id":")" + kTrust + "\"}"};
    return {.body = Json{{"trust",
                          {{{"id", kTrust},
                            {"skill_id", "report\x1b[2K"},
                            {"level", "24h"},
                            {"pin_args", false},
                            {"secrets", {"GH_TOKEN"}},
                            {"networks", Json::array()},
                            {"code_hash", "9f"},
                            {"uses", 3},
                            {"expires_at", nullptr},
                            {"last_used_at", 1767225600000}}}}}
                        .dump()};
}

}  // namespace

TEST_CASE("trust is listed and revoked with the agent's key or the owner's") {
    const Home home;
    StandIn server(&answer);
    const Finished mine = run_program(home, with_server(server, {"trust", "list"}), kKey);
    CHECK(mine.code == 0);
    CHECK(document_of(mine)["trust"][0]["id"] == kTrust);
    CHECK(server.requests().back().target == "/trust");
    CHECK(server.requests().back().header("authorization") == "Bearer oauth3_test_key");

    const RunOptions owner{.environment = {{"OAUTH3_OWNER_KEY", "owner_key"}}};
    // As with 'session': a group alone stands for its list.
    CHECK(run_program(home, with_server(server, {"trust", "--tenant", "t"}), owner).code == 0);
    CHECK(server.requests().back().target == "/trust?tenant=t");
    CHECK(server.requests().back().header("authorization") == "Bearer owner_key");

    const Finished revoked =
        run_program(home, with_server(server, {"trust", "revoke", kTrust}), owner);
    CHECK(revoked.code == 0);
    CHECK(document_of(revoked) == Json{{"deleted", true}, {"id", kTrust}});
    CHECK(server.requests().back().method == "DELETE");
    CHECK(server.requests().back().target == "/trust/" + kTrust);
    CHECK(server.faults().empty());
}

TEST_CASE("trust on a terminal is a table without what could deceive") {
    const Home home;
    StandIn server(&answer);
    PseudoTerminal terminal;
    RunOptions plain = kKey;
    plain.environment["NO_COLOR"] = "1";
    plain.terminal = terminal.name();
    plain.terminal_out = true;
    Program program(home, with_server(server, {"trust", "list"}), plain);
    CHECK(program.wait().code == 0);
    const std::string text = terminal.read_until("9f");
    for (const char* part : {"ARGS PINNED", "report<U+001B>[2K", "24h", "false", "GH_TOKEN"})
        CHECK(text.find(part) != std::string::npos);
    CHECK(text.find('\x1b') == std::string::npos);
}

TEST_CASE("a dry run prints its document and ends with 0, whatever it says") {
    const Home home;
    const std::string code = home.file("a.ts", "1");
    for (
        const char* body :
        {R"({"dry_run":true,"would_auto_approve":true,"reason":"trusted_code","session_id":"s","missing_secrets":[]})",
         R"({"dry_run":true,"would_auto_approve":false,"reason":"policy_violation","session_id":"s","session_exists":true,"policy_violations":["new secret: A"]})"}) {
        StandIn server([&](const HttpRequest&) { return HttpReply{.body = body}; });
        const Finished done =
            run_program(home, with_server(server, {"execute", "--code", code, "--dry-run"}), kKey);
        CHECK(done.code == 0);
        CHECK(document_of(done) == base::parse_json(body));
    }
}
