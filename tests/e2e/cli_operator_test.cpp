// The human's and the operator's commands against the real server.

#include "e2e/database.h"
#include "e2e/harness.h"
#include "support/catch.h"

#include <signal.h>
#include <sys/stat.h>

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

Ended owner(const Server& server, std::vector<std::string> words) {
    words.insert(words.end(), {"--owner-key-file", server.owner_key_file().string()});
    return server.cli(words)->wait();
}

Json document_of(const Ended& ended) {
    INFO("stdout: " << ended.out << "\nstderr: " << ended.err);
    CHECK(ended.exit_code == 0);
    return base::parse_json(ended.out);
}

Ended operate(const Server& server, std::vector<std::string> words,
              const std::filesystem::path& data) {
    words.insert(words.end(), {"--data-dir", data.string()});
    return server.cli(words)->wait();
}

}  // namespace

TEST_CASE("agents, keys, invites and owners are made, listed and ended on the command line") {
    const Server server({"--signup", "invite"});
    const Json bot = document_of(owner(server, {"tenant", "create", "Bot"}));
    CHECK(document_of(owner(server, {"tenant"}))["tenants"].size() == 1);
    const std::string file = (server.folder() / "bot.key").string();
    write_file(file, bot["api_key"].get<std::string>() + "\n");
    CHECK(document_of(server.cli({"me", "--key-file", file})->wait())["name"] == "Bot");

    const Json second = document_of(owner(server, {"key", "create"}));
    CHECK(second["tenant_id"] == bot["tenant_id"]);
    CHECK(
        document_of(owner(server, {"key", "list", "--tenant", bot["tenant_id"]}))["keys"].size() ==
        2);
    document_of(owner(server, {"key", "revoke", bot["key_id"]}));
    CHECK(server.cli({"me", "--key-file", file})->wait().exit_code == 4);

    const Json own = document_of(owner(server, {"key", "create", "--own"}));
    CHECK(server.get("/me", own["api_key"]).json()["role"] == "admin");

    CHECK(server.cli({"signup"})->wait().exit_code == 4);
    const Json invite = document_of(owner(server, {"invite", "create", "--max-uses", "1"}));
    CHECK(document_of(server.cli({"signup", "--name", "Guest", "--invite", invite["invite"]})
                          ->wait())["role"] == "agent");
    CHECK(document_of(server.cli({"me"})->wait())["name"] == "Guest");
    CHECK(document_of(owner(server, {"invite"}))["invites"][0]["uses"] == 1);

    const Json eva = document_of(owner(server, {"owner", "create", "Eva"}));
    const std::string eva_file = (server.folder() / "eva.key").string();
    write_file(eva_file, eva["api_key"].get<std::string>() + "\n");
    CHECK(document_of(owner(server, {"owner"}))["owners"].size() == 2);
    // Eva owns no agents, and may not look after owners.
    const auto as_eva = [&](std::vector<std::string> words) {
        words.insert(words.end(), {"--owner-key-file", eva_file});
        return server.cli(words)->wait();
    };
    CHECK(document_of(as_eva({"tenant"}))["tenants"].empty());
    CHECK(as_eva({"owner"}).exit_code == 4);
    CHECK(as_eva({"key", "revoke", second["id"]}).exit_code == 1);
}

TEST_CASE("sessions are narrowed and revoked with either key") {
    const Server server;
    const std::string scope = (server.folder() / "scope.json").string();
    write_file(scope, R"({"description":"d","session_id":"mine"})");
    const auto agent = server.cli({"scope", "--scope", scope});
    const std::string line = agent->wait_line("/approve/");
    const std::size_t at = line.find("scope_");
    document_of(owner(server, {"approve", line.substr(at, line.find('?') - at), "--yes"}));
    CHECK(document_of(agent->wait())["session_id"] == "mine");

    CHECK(document_of(owner(server, {"session", "list"}))["sessions"].size() == 1);
    const Json narrowed =
        document_of(server.cli({"session", "narrow", "mine", "--max-runs", "3"})->wait());
    CHECK(narrowed["policy"]["max_runs"] == 3);
    CHECK(document_of(owner(server, {"session", "show", "mine"}))["policy"]["max_runs"] == 3);
    // Never wider, whoever asks.
    const Ended wider = owner(server, {"session", "narrow", "mine", "--max-runs", "4"});
    CHECK(wider.exit_code == 1);
    CHECK(base::parse_json(wider.out)["code"] == "not_narrower");
    document_of(owner(server, {"session", "revoke", "mine", "--reason", "enough"}));
    CHECK(document_of(server.cli({"sessions"})->wait())["sessions"].empty());
    CHECK(server.cli({"session", "show", "mine"})->wait().exit_code == 1);
}

TEST_CASE("audit verify checks the whole chain of the server, and finds what was changed") {
    const Server server;
    const std::string key = server.sign_up();
    // More than one page.
    for (int i = 0; i < 260; ++i) {
        const Submitted made = server.submit(key, "0");
        server.post("/execute/" + made.id + "/cancel", key, Json::object());
    }
    const Json good = document_of(owner(server, {"audit", "verify"}));
    CHECK(good["valid"] == true);
    CHECK(good["events"].get<std::int64_t>() > 500);
    const auto events = Database(server.data()).events();
    CHECK(good["last_hash"] == events.back().hash);

    const std::string file = (server.folder() / "export.json").string();
    write_file(file, owner(server, {"audit", "--limit", "500"}).out);
    // An excerpt: its first event is not the first.
    CHECK(server.cli({"audit", "verify", "--file", file})->wait().exit_code == 1);

    CHECK(Database(server.data()).change("UPDATE ledger SET at = at + 1 WHERE seq = 333") == 1);
    const Ended bad = owner(server, {"audit", "verify"});
    CHECK(bad.exit_code == 1);
    CHECK(base::parse_json(bad.out)["broken_at"] == 333);
    CHECK(bad.err.find("Event 333 ") != std::string::npos);
    CHECK(Database(server.data()).change("DELETE FROM ledger WHERE seq = 2") == 1);
    CHECK(base::parse_json(owner(server, {"audit", "verify"}).out)["broken_at"] == 2);
}

TEST_CASE("a log-in link is printed where only its human reads it") {
    const Server server;
    const Ended refused = operate(server, {"login-link"}, server.data());
    CHECK(refused.exit_code == 2);
    CHECK(refused.out.empty());
    const Json link = document_of(operate(server, {"login-link", "--json"}, server.data()));
    const std::string url = link["url"];
    REQUIRE(url.rfind(server.url() + "/login?once=", 0) == 0);
    CHECK(server.get(url.substr(server.url().size())).status == 200);
    // The variable of the server serves as well; where no server is, it says so.
    CHECK(server.cli({"login-link", "--json"}, {{"OAUTH3_DATA_DIR", server.data().string()}})
              ->wait()
              .exit_code == 0);
    CHECK(operate(server, {"login-link", "--json"}, server.folder()).exit_code == 6);
}

TEST_CASE("a backup of a running server is a server again") {
    Server server;
    const std::string key = server.sign_up();
    const Json done = server.run(key, "// @skill kept\nconsole.log('kept');\n");
    const std::string file = (server.folder() / "backup").string();
    const Json backup = document_of(operate(server, {"backup", file}, server.data()));
    CHECK(backup["backup"] == file);
    struct stat info {};
    REQUIRE(::stat(file.c_str(), &info) == 0);
    CHECK((info.st_mode & 0777U) == 0600U);
    CHECK(backup["bytes"] == info.st_size);
    CHECK(operate(server, {"backup", file}, server.data()).exit_code == 1);
    const Json before = document_of(owner(server, {"audit", "verify"}));

    // Not over a server, nor over data.
    CHECK(operate(server, {"restore", file}, server.data()).exit_code == 1);
    server.stop();
    CHECK(operate(server, {"restore", file}, server.data()).exit_code == 1);
    std::filesystem::remove_all(server.data());
    document_of(operate(server, {"restore", file}, server.data()));
    server.start(true);  // the owner's key is bound to the URL
    CHECK(server.get("/execute/" + done["request_id"].get<std::string>() + "/status", key)
              .json()["result"]["stdout"] == "kept");
    CHECK(document_of(owner(server, {"audit", "verify"}))["last_hash"] == before["last_hash"]);
    write_file(file, "not a backup");
    CHECK(operate(server, {"restore", file}, server.folder() / "other").exit_code == 1);
}

TEST_CASE("serve takes its settings from the environment and a file") {
    const Folder folder;
    const std::string config = folder / "config.json";
    write_file(config, Json{{"listen", {"127.0.0.1:0"}},
                            {"data-dir", (folder / "data").string()},
                            {"owner-key-out", (folder / "owner.key").string()},
                            {"signup", "closed"},
                            {"log-format", "json"},
                            {"max-pending", 7}}
                           .dump());
    Process server({program(), "serve", "--log-level", "info"},
                   {{"OAUTH3_CONFIG", config}, {"OAUTH3_SIGNUP", "invite"}});
    const std::string line = server.wait_line("listening on ");
    const Json logged = base::parse_json(line);
    const std::string message = logged["message"].get<std::string>();
    const std::size_t at = message.find("http://");
    const std::string url = message.substr(at, message.find_first_of(", ", at) - at);
    CHECK(http(url, {.path = "/health"}).json()["signup"] == "invite");
    CHECK(std::filesystem::exists(folder / "data"));
    server.send_signal(SIGTERM);
    CHECK(server.wait().exit_code == 0);
}
