#include "base/crypto.h"
#include "base/json.h"
#include "client/stand_in.h"
#include "program.h"
#include "support/catch.h"

#include <fmt/format.h>
#include <signal.h>

#include <atomic>

// The commands of the human: what is shown before a decision, and that the decision is on that.

using namespace oauth3;
using namespace oauth3::test;
using base::Json;

namespace {

const std::string kId = "exec_00000000000000a1";
const std::string kCode = "// @skill hello\nconsole.log('\x1b[2K\xe2\x80\xae')\n";

Json request_document() {
    return {{"id", kId},
            {"kind", "execute"},
            {"status", "pending"},
            {"state", "pending"},
            {"tenant_id", "tenant_4b1f0c2d9e8a7f60"},
            {"agent", "friendly \x1b[31magent"},
            {"skill_id", "hello-skill"},
            {"description", "says hello"},
            {"session_id", "session_77"},
            {"secrets", {"GH_TOKEN", "OTHER_ONE"}},
            {"networks", {"api.example.org"}},
            {"timeout", 42},
            {"created_at", 1767225600000},
            {"expires_at", 1767312000000},
            {"code_hash", base::sha256_hex(kCode)},
            {"code", kCode},
            {"metadata", {{"skill", "hello"}, {"timeout", 30}}},
            {"args", {{"REPO", "o/r"}, {"N", 5}}},
            {"analysis", nullptr},
            {"policy_violations", {"new network: api.example.org"}},
            {"some_future_member", "future-value"}};
}

/// A server with one request that waits for a decision.
class OwnerServer {
  public:
    explicit OwnerServer(Json document = request_document())
        : document_(std::move(document)),
          server_([this](const HttpRequest& r) { return answer(r); }) {}
    std::string url() const { return server_.url(); }
    std::vector<std::string> words(std::vector<std::string> given) const {
        given.insert(given.end(), {"--url", url()});
        return given;
    }
    /// What POST /decision got.
    std::vector<std::string> decisions() const {
        std::vector<std::string> out;
        for (const HttpRequest& request : server_.requests())
            if (request.method == "POST") out.push_back(request.body);
        return out;
    }
    void change_after(int reads, Json document) {
        reads_left_ = reads;
        later_ = std::move(document);
    }

  private:
    HttpReply answer(const HttpRequest& request) {
        if (request.header("authorization") != "Bearer owner_key")
            return {.status = 403, .body = R"({"error":"No.","code":"owner_required"})"};
        if (request.path() == "/requests")
            return {.body = Json{{"requests", {document_}}, {"next", nullptr}}.dump()};
        if (request.method == "POST")
            return {.body = R"({"id":")" + kId + R"(","status":"approved","executing":true})"};
        if (later_.is_object() && reads_left_-- <= 0) return {.body = later_.dump()};
        return {.body = document_.dump()};
    }
    Json document_;
    std::atomic<int> reads_left_{0};
    Json later_;
    StandIn server_;
};

RunOptions owner(const PseudoTerminal* terminal = nullptr, bool out = false) {
    return {.environment = {{"OAUTH3_OWNER_KEY", "owner_key"}},
            .terminal = terminal == nullptr ? "" : terminal->name(),
            .terminal_out = out};
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("approve shows everything before it asks, and y approves") {
    const Home home;
    const OwnerServer server;
    PseudoTerminal terminal;
    Program program(home, server.words({"approve", kId}), owner(&terminal, true));
    const std::string shown = terminal.read_until("[y/N] ");
    for (const char* part :
         {"exec_00000000000000a1", "friendly <U+001B>[31magent", "tenant_4b1f0c2d9e8a7f60",
          "hello-skill", "says hello", "session_77", "GH_TOKEN, OTHER_ONE", "api.example.org",
          "42 s", "REPO = \"o/r\"", "N = 5", "new network: api.example.org", "future-value",
          "2026-01-01", "once", "// @skill hello", "console.log('<U+001B>[2K<U+202E>')"}) {
        CAPTURE(part);
        CHECK(has(shown, part));
    }
    CHECK(has(shown, base::sha256_hex(kCode)));
    CHECK_FALSE(has(shown, "\x1b[2K"));
    CHECK_FALSE(has(shown,
                    "\x1b[31m"
                    "agent"));
    CHECK(server.decisions().empty());
    terminal.type("y\n");
    CHECK(program.wait().code == 0);
    CHECK(has(terminal.read_until("Approved"), kId));
    CHECK(server.decisions() == std::vector<std::string>{R"({"action":"approve","level":"once"})"});
}

TEST_CASE("any other answer decides nothing") {
    for (const char* answer : {"n\n", "\n", "yep\n", "\x04"}) {
        CAPTURE(answer);
        const Home home;
        const OwnerServer server;
        PseudoTerminal terminal;
        Program program(home, server.words({"approve", kId}), owner(&terminal));
        terminal.read_until("[y/N] ");
        terminal.type(answer);
        const Finished done = program.wait();
        CHECK(done.code == 1);
        CHECK(has(done.err, "Nothing was decided"));
        CHECK(base::parse_json(done.out).is_object());
        CHECK(server.decisions().empty());
    }
}

TEST_CASE("what was typed before the question is no answer") {
    const Home home;
    const OwnerServer server;
    PseudoTerminal terminal;
    terminal.type("y\n");
    Program program(home, server.words({"approve", kId}), owner(&terminal));
    terminal.read_until("[y/N] ");
    program.signal(SIGINT);
    CHECK(program.wait().code == 130);
    CHECK(server.decisions().empty());
}

TEST_CASE("a request that changes while it is read is not approved") {
    Json changed = request_document();
    SECTION("its args") {
        changed["args"]["REPO"] = "other/repo";
    }
    SECTION("its secrets") {
        changed["secrets"].push_back("MORE");
    }
    SECTION("its code and hash") {
        changed["code"] = "evil()";
        changed["code_hash"] = base::sha256_hex("evil()");
    }
    SECTION("its status") {
        changed["status"] = changed["state"] = "denied";
    }
    const Home home;
    OwnerServer server;
    server.change_after(1, changed);
    PseudoTerminal terminal;
    Program program(home, server.words({"approve", kId}), owner(&terminal));
    terminal.read_until("[y/N] ");
    terminal.type("y\n");
    CHECK(program.wait().code == 1);
    CHECK(server.decisions().empty());
}

TEST_CASE("code that is not the code of its hash is not approved, not even with --yes") {
    Json lie = request_document();
    lie["code_hash"] = base::sha256_hex("other");
    const Home home;
    const OwnerServer server(lie);
    const Finished done = run_program(home, server.words({"approve", kId, "--yes"}), owner());
    CHECK(done.code == 1);
    CHECK(base::parse_json(done.out)["code"] == "skill_hash_mismatch");
    CHECK(server.decisions().empty());
}

TEST_CASE("approve --yes and deny need no terminal and print the reply in a pipe") {
    const Home home;
    const OwnerServer server;
    const Finished approved =
        run_program(home, server.words({"approve", kId, "--yes", "--level", "session"}), owner());
    CHECK(approved.code == 0);
    CHECK(base::parse_json(approved.out)["status"] == "approved");
    const Finished denied =
        run_program(home, server.words({"deny", kId, "--reason", "not now"}), owner());
    CHECK(denied.code == 0);
    CHECK(server.decisions() ==
          std::vector<std::string>{R"({"action":"approve","level":"session"})",
                                   R"({"action":"deny","reason":"not now"})"});
}

TEST_CASE("a scope is shown with the class of each constraint") {
    Json scope = request_document();
    scope["kind"] = "scope";
    scope["policy_violations"] = nullptr;
    scope["scope_request"] = {
        {"session_id", "session_77"},
        {"description", "Read\nissues"},
        {"constraints", {"be nice", "Only GET"}},
        {"structured_constraints",
         {{{"text", "be nice"}, {"class", "advisory"}},
          {{"text", "Only GET"}, {"class", "enforced"}, {"compiled", "methods GET, HEAD"}}}},
        {"secrets", {"SCOPE_SECRET"}},
        {"networks", {"scope.example.org"}},
        {"rules", Json::array()},
        {"max_timeout", 77}};
    const Home home;
    const OwnerServer server(scope);
    PseudoTerminal terminal;
    Program program(home, server.words({"show", kId}), owner(&terminal, true));
    CHECK(program.wait().code == 0);
    const std::string shown = terminal.read_until("console.log");
    for (const char* part :
         {"Read<U+000A>issues", "ADVISORY: oauth3 cannot check this", "Only GET [ENFORCED: methods",
          "SCOPE_SECRET", "scope.example.org", "77 s"}) {
        CAPTURE(part);
        CHECK(has(shown, part));
    }
}

TEST_CASE("lists and shows are text on a terminal, a document in a pipe or with --json") {
    const Home home;
    const OwnerServer server;
    for (const char* verb : {"pending", "show"}) {
        std::vector<std::string> words{verb};
        if (verb == std::string("show")) words.push_back(kId);
        const Finished piped = run_program(home, server.words(words), owner());
        CHECK(piped.code == 0);
        CHECK(base::parse_json(piped.out).is_object());
        {
            PseudoTerminal terminal;
            Program program(home, server.words(words), owner(&terminal, true));
            CHECK(program.wait().code == 0);
            const std::string text = terminal.read_until("hello-skill");
            CHECK(has(text, "\x1b[1m"));
            CHECK_FALSE(has(text, "{\""));
        }
        {
            PseudoTerminal terminal;
            RunOptions plain = owner(&terminal, true);
            plain.environment["NO_COLOR"] = "1";
            Program program(home, server.words(words), plain);
            CHECK(program.wait().code == 0);
            CHECK_FALSE(has(terminal.read_until("hello-skill"), "\x1b"));
        }
        words.push_back("--json");
        PseudoTerminal terminal;
        Program program(home, server.words(words), owner(&terminal, true));
        CHECK(program.wait().code == 0);
        CHECK(has(terminal.read_until("hello-skill"), "{\""));
    }
}

TEST_CASE("the owner's key comes from its file or variable only, and agents' keys do not serve") {
    const Home home;
    const OwnerServer server;
    home.file(".oauth3/key", "agent_key\n");
    const Finished none = run_program(home, server.words({"pending"}),
                                      {.environment = {{"OAUTH3_API_KEY", "agent_key"}}});
    CHECK(none.code == 4);
    CHECK(has(none.err, "--owner-key-file"));
    const std::string file = home.file("owner", "owner_key\n", 0640);
    const Finished named =
        run_program(home, server.words({"pending", "--owner-key-file", file}), {});
    CHECK(named.code == 0);
    CHECK(has(named.err, "other users can read the key"));
    const std::string wrong = home.file("wrong", "agent_key\n");
    CHECK(run_program(home, server.words({"pending", "--owner-key-file", wrong}), {}).code == 4);
}
