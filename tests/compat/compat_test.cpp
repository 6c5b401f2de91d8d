// A client that knows only the wire document, in the language of the compatible clients and run by
// the pinned Deno. The programs check what they see; these tests are the human, and look into the
// database afterwards.

#include "e2e/database.h"
#include "e2e/harness.h"
#include "support/catch.h"

#include <filesystem>
#include <fstream>
#include <sstream>

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

namespace fs = std::filesystem;

const fs::path kSource = OAUTH3_SOURCE_DIR;

/// Starts a program of this folder; it may reach this server and nothing else.
std::unique_ptr<Process> start(const std::string& name, const Server& server,
                               const Folder& folder) {
    const std::string address = server.url().substr(std::string("http://").size());
    return std::make_unique<Process>(
        std::vector<std::string>{kSource / "scripts/deno/node_modules/@deno/linux-x64-glibc/deno",
                                 "run", "--check", "--no-prompt", "--no-config", "--no-lock",
                                 "--no-remote", "--no-npm", "--allow-net=" + address,
                                 kSource / "tests/compat" / name, server.url()},
        std::map<std::string, std::string>{{"DENO_DIR", folder.path()},
                                           {"NO_COLOR", "1"},
                                           {"HTTP_PROXY", ""},
                                           {"http_proxy", ""}});
}

/// The request that the program asks the human for under this name.
std::string asked(Process& client, const std::string& name) {
    const std::string line = client.wait_line("ask " + name + ": ");
    return line.substr(line.rfind(' ') + 1);
}

bool contains(const fs::path& file, const std::string& text) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream all;
    all << in.rdbuf();
    return all.str().find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("conformance 41: a client written from the wire document does its whole day") {
    Server server;
    const Folder folder;
    const auto client = start("owner_mode.ts", server, folder);
    const auto decide = [&](const std::string& name, const std::string& action, const Json& more) {
        const Reply reply = server.decide(asked(*client, name), action, more);
        INFO(name << reply.body);
        REQUIRE(reply.status == 200);
    };
    decide("first", "approve", {{"level", "session"}});
    decide("denied", "deny", {{"reason", "not today"}});
    decide("failing", "approve", {});
    decide("secret", "deny", {});
    decide("scope", "approve", {{"level", "scope"}});
    decide("both", "approve", {});
    decide("refused", "deny", {{"reason", "too much"}});
    const Ended ended = client->wait();
    INFO(ended.err << ended.out);
    REQUIRE(ended.exit_code == 0);
    const Json told = base::parse_json(ended.out);

    Database database(server.data());
    const auto count = [&](const std::string& condition) {
        return database.number("SELECT count(*) FROM requests WHERE tenant_id = ? AND " + condition,
                               {told["tenant"]});
    };
    CHECK(count("1") == told["requests"]);
    CHECK(count("1") == 10);
    CHECK(count("status = 'completed' AND kind = 'execute'") == 4);
    CHECK(count("status = 'completed' AND kind = 'scope'") == 2);
    CHECK(count("status = 'denied'") == 3);
    CHECK(count("status = 'failed'") == 1);
    CHECK(count("authority = 'session'") == 3);
    CHECK(count("executed_at IS NOT NULL") == 5);
    CHECK(count("skill_id = 'never'") == 0);
    CHECK(database.number("SELECT count(*) FROM results") == 5);
    CHECK(database.number("SELECT count(*) FROM ledger WHERE action = 'request.started'") == 5);
    // The value of a secret that a client sent along is thrown away.
    CHECK(count("secrets = '[\"GH_TOKEN\"]'") == 1);
    std::size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(server.data())) {
        if (!entry.is_regular_file() || entry.path().filename() == "deno") continue;
        ++files;
        INFO(entry.path());
        CHECK_FALSE(contains(entry.path(), "planted-secret-value"));
    }
    CHECK(files >= 3);
    CHECK(server.stop().err.find("planted-secret-value") == std::string::npos);
}

TEST_CASE("conformance 5: where the link decides, a scope is approved by it and its code runs") {
    const Server server({"--approval=link", "--no-auth"});
    const Folder folder;
    const Ended ended = start("link_mode.ts", server, folder)->wait();
    INFO(ended.err << ended.out);
    REQUIRE(ended.exit_code == 0);
    Database database(server.data());
    CHECK(database.number("SELECT count(*) FROM requests WHERE tenant_id = 'dev'") == 5);
    CHECK(database.number("SELECT count(*) FROM results WHERE success = 1") == 3);
    CHECK(database.number("SELECT count(*) FROM requests WHERE status = 'denied'") == 1);
}
