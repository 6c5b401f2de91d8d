// Items of the wire document's checklist; each case bears its number. Items 4, 7 and 8 are in
// authority_test.cpp, 12 to 14 in polls_test.cpp, 15 and 40 in crash_test.cpp, 33 in page_test.cpp.

#include "base/crypto.h"
#include "e2e/database.h"
#include "e2e/harness.h"
#include "e2e/socket.h"
#include "support/catch.h"

#include <barrier>
#include <fstream>
#include <future>
#include <sstream>

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

namespace fs = std::filesystem;

std::string slurp(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream out;
    out << file.rdbuf();
    return out.str();
}

}  // namespace

TEST_CASE("conformance 3: no key and no token stands in clear in the data folder or the log") {
    Server server;
    const std::string key = server.sign_up();
    const Submitted done = server.submit(key, "console.log('planted-output')\n");
    const Submitted scope = server.submit_scope(key, {{"description", "planted-description"}});
    const Submitted pending = server.submit(key, "0\n");
    CHECK(server.get("/approve/" + done.id + "?token=" + done.token).status == 200);
    CHECK(server.get("/approve/" + done.id + "?token=" + scope.token).status == 403);
    REQUIRE(server.decide(done.id, "approve").status == 200);
    REQUIRE(server.poll(key, done.id)["status"] == "completed");
    REQUIRE(server.decide(scope.id, "approve").status == 200);

    const auto scan = [&](const std::string& where, const std::string& text) {
        INFO(where);
        for (const std::string& secret :
             {key, server.owner_key(), done.token, scope.token, pending.token}) {
            CHECK(text.find(secret) == std::string::npos);
            // Nor its random part alone.
            CHECK(text.find(secret.substr(secret.rfind('_') + 1)) == std::string::npos);
        }
    };
    const auto scan_folder = [&] {
        std::size_t files = 0;
        bool saw_database = false;
        for (const auto& entry : fs::recursive_directory_iterator(server.data())) {
            if (!entry.is_regular_file()) continue;
            // Deno itself is no secret, and large.
            if (entry.path().filename() == "deno") continue;
            ++files;
            const std::string text = slurp(entry.path());
            saw_database = saw_database || text.find("planted-description") != std::string::npos;
            scan(entry.path().string(), text);
        }
        CHECK(files >= 3);
        CHECK(saw_database);
    };
    scan_folder();  // with the write-ahead log
    const Ended ended = server.stop();
    scan_folder();
    scan("log", ended.err + ended.out);
    CHECK(ended.err.find("token=") == std::string::npos);
}

TEST_CASE("conformance 6: a pending scope says pending, a completed one has its session") {
    const Server server;
    const std::string key = server.sign_up();
    for (const Json& body : {Json{{"description", "one"}},
                             Json{{"description", "two"}, {"session_id", "my-session"}}}) {
        const Submitted scope = server.submit_scope(key, body);
        CHECK(scope.reply["status"] == "pending_scope");
        CHECK(base::is_id(scope.id, "scope_"));
        const Json waiting = server.get("/execute/" + scope.id + "/status", key).json();
        CHECK(waiting["status"] == "pending");
        CHECK(waiting["session_id"] == scope.session);
        CHECK(waiting["approval_url"] == scope.reply["approval_url"]);
        const Reply decided = server.decide(scope.id, "approve");
        CHECK(decided.json() == Json{{"id", scope.id},
                                     {"status", "completed"},
                                     {"session_id", scope.session},
                                     {"expanded", false},
                                     {"constraints", 0}});
        const Json done = server.poll(key, scope.id);
        CHECK(done["status"] == "completed");
        CHECK(done["session_id"] == scope.session);
        CHECK_FALSE(done.contains("result"));
        CHECK_FALSE(done.contains("approved_at"));
        CHECK_FALSE(done.contains("approval_url"));
    }
}

TEST_CASE("conformance 11: of two parallel decisions one wins, and the code runs once") {
    const Server server;
    const std::string key = server.sign_up();
    Database database(server.data());
    for (int round = 0; round < 20; ++round) {
        const bool by_page = round % 2 == 1;
        const bool both_approve = round % 4 < 2;
        const Submitted made = server.submit(key, "console.log('once')\n");
        const std::string path =
            by_page ? "/approve/" + made.id : "/requests/" + made.id + "/decision";
        std::barrier start(2);
        const auto decide = [&](const char* action) {
            return std::async(std::launch::async, [&, action] {
                start.arrive_and_wait();
                return server.post(path, server.owner_key(), {{"action", action}});
            });
        };
        auto first = decide("approve");
        auto second = decide(both_approve ? "approve" : "deny");
        const Reply replies[] = {first.get(), second.get()};
        int won = 0;
        for (const Reply& reply : replies) {
            INFO("round " << round << ": " << reply.status << " " << reply.body << reply.problem);
            const bool lost =
                by_page ? reply.text("message") == "Already processed" : reply.status == 409;
            if (!lost) {
                ++won;
                CHECK(reply.status == 200);
                continue;
            }
            CHECK(reply.status == (by_page ? 200 : 409));
            CHECK(reply.text("status") != "");
            CHECK(reply.text("status") != "pending");
            if (!by_page) CHECK(reply.text("code") == "already_decided");
        }
        CHECK(won == 1);
        const Json end = server.poll(key, made.id);
        CHECK(database.count("request.decided", made.id) == 1);
        CHECK(database.count("request.started", made.id) == (end["status"] == "completed" ? 1 : 0));
        if (both_approve) CHECK(end["status"] == "completed");
    }
    CHECK(ledger::first_break(database.events()) == std::nullopt);
}

TEST_CASE("conformance 17: a directive after the first code line has no effect and warns") {
    const Server server;
    const std::string key = server.sign_up();
    const Submitted made = server.submit(
        key,
        "console.log('x')\n// @skill other\n// @secrets GH_TOKEN\n// @network a.example\n"
        "// @timeout 999\n");
    CHECK(made.reply["warnings"].size() == 4);
    const Json shown = server.get("/requests/" + made.id, server.owner_key()).json();
    CHECK(shown["skill_id"] == "test");
    CHECK(shown["secrets"].empty());
    CHECK(shown["networks"].empty());
    CHECK(shown["timeout"] == 30);
    CHECK(shown["warnings"] == made.reply["warnings"]);
    const std::string page = server.get("/approve/" + made.id + "?token=" + made.token).body;
    CHECK(page.find("has no effect") != std::string::npos);
    REQUIRE(server.decide(made.id, "approve").status == 200);
    CHECK(server.poll(key, made.id)["result"]["stdout"] == "x");
}

TEST_CASE("conformance 18: lists with remarks, and refusals with line and column") {
    const Server server;
    const std::string key = server.sign_up();
    const Submitted made =
        server.submit(key, "// @skill a\n// @secrets A, B — to read issues\n0\n");
    CHECK(server.get("/requests/" + made.id, server.owner_key()).json()["secrets"] ==
          Json{"A", "B"});
    struct Bad {
        const char* code;
        int line;
        int column;
    };
    const Bad bad[] = {
        {"// @timeout 0\n", 1, 13},
        {"// @timeout 3601\n", 1, 13},
        {"// @skill a\n// @skill b\n", 2, 5},
        {"\n\n// text\n// @network https://h/\n", 4, 13},
        {"/**\n * @skill é\n * @network ok.example, http://x\n */\n", 3, 25},
        {"// @secrets lower\n", 1, 13},
        {"// @secrets PATH\n", 1, 13},
    };
    for (const Bad& item : bad) {
        const Reply reply =
            server.post("/execute", key, {{"skill_id", "x"}, {"skill_code", item.code}});
        INFO(item.code << reply.body);
        CHECK(reply.status == 400);
        CHECK(reply.text("code") == "invalid_metadata");
        CHECK(reply.json()["line"] == item.line);
        CHECK(reply.json()["column"] == item.column);
        // With a scope likewise.
        CHECK(
            server.post("/scope", key, {{"description", "d"}, {"skill_code", item.code}}).status ==
            400);
    }
}

TEST_CASE("conformance 19: code without a header runs under the request's skill_id") {
    const Server server;
    const Json done = server.run(server.sign_up(), R"(console.log("hi"))");
    CHECK(done["status"] == "completed");
    CHECK(done["result"]["stdout"] == "hi");
}

TEST_CASE("conformance 20: names that arguments may not have, and how the others arrive") {
    const Server server;
    const std::string key = server.sign_up();
    const auto refuse = [&](const Json& args, const char* code, const Json& secrets = Json()) {
        Json body{{"skill_id", "x"}, {"skill_code", "0"}, {"args", args}};
        if (!secrets.is_null()) body["secrets"] = secrets;
        const Reply reply = server.post("/execute", key, body);
        INFO(args.dump() << reply.body);
        CHECK(reply.status == 400);
        CHECK(reply.text("code") == code);
    };
    for (const char* name :
         {"PATH", "LD_PRELOAD", "https_proxy", "HTTPS_PROXY", "Https_Proxy", "ALL_PROXY",
          "DENO_DIR", "HOME", "TMPDIR", "SKILL_ARGS", "OAUTH3_X", "NODE_OPTIONS", "SSL_CERT_FILE",
          "PYTHONPATH", "BASH_ENV", "GLIBC_TUNABLES", "V8_FLAGS", "NPM_TOKEN", "IFS"})
        refuse({{name, "x"}}, "reserved_name");
    for (const char* name : {"", "1A", "a-b", "a b", "é", "A=B"})
        refuse({{name, "x"}}, "invalid_arg");
    refuse({{std::string(65, 'a'), "x"}}, "invalid_arg");
    refuse({{"A", std::string("a\0b", 3)}}, "invalid_arg");
    refuse({{"GH_TOKEN", "x"}}, "arg_shadows_secret", {"GH_TOKEN"});
    refuse({{"A", std::string(97 << 10, 'x')}}, "args_too_large");
    const Json args{{"A", "1"}, {"B", {{"k", {1, 2}}}}, {"C", nullptr}, {"lower_case", "é"}};
    const Json done =
        server.run(key, "console.log(Deno.env.get('B')); console.log(Deno.env.get('SKILL_ARGS'))\n",
                   {{"args", args}});
    REQUIRE(done["status"] == "completed");
    const auto out = done["result"]["stdout"].get<std::string>();
    const std::size_t line = out.find('\n');
    CHECK(base::parse_json(out.substr(0, line)) == args["B"]);
    CHECK(base::parse_json(out.substr(line + 1)) == args);
    // The largest that fits really starts.
    const std::string large(90 << 10, 'x');
    const Json big =
        server.run(key, "console.log(Deno.env.get('A')!.length)\n", {{"args", {{"A", large}}}});
    CHECK(big["status"] == "completed");
    CHECK(big["result"]["stdout"] == std::to_string(large.size()));
}

TEST_CASE("conformance 21: a body of 1.5 MiB gets a JSON 413") {
    const Server server;
    const std::string key = server.sign_up();
    const std::string body(3 << 19, ' ');
    for (const char* path : {"/execute", "/scope", "/signup", "/nowhere"}) {
        const Reply reply = server.call({.method = "POST", .path = path, .key = key, .body = body});
        INFO(path << reply.problem << reply.body);
        CHECK(reply.status == 413);
        CHECK(reply.text("code") == "body_too_large");
        CHECK(reply.headers.at("content-type") == "application/json");
        CHECK(reply.headers.at("x-content-type-options") == "nosniff");
    }
    // In pieces, without a length.
    Socket socket(server.url());
    socket.send("POST /execute HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + key +
                "\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "10000\r\n" + std::string(0x10000, ' ') + "\r\n";
    for (int i = 0; i < 24; ++i)
        if (!socket.send(chunk)) break;
    const std::string reply = socket.receive("body_too_large");
    CHECK(reply.rfind("HTTP/1.1 413", 0) == 0);
    CHECK(reply.find("body_too_large") != std::string::npos);
    // The largest body that is allowed is read.
    std::string most = R"({"skill_id":"x","skill_code":"0"})";
    most.append((1 << 20) - most.size(), ' ');
    CHECK(server.call({.method = "POST", .path = "/execute", .key = key, .body = most}).status ==
          200);
    most += ' ';
    CHECK(server.call({.method = "POST", .path = "/execute", .key = key, .body = most}).status ==
          413);
}

TEST_CASE("conformance 23: a wrong skill_sha256 is 409, and page and run use the stored bytes") {
    const Server server;
    const std::string key = server.sign_up();
    const std::string code = "console.log('these bytes')\n";
    const std::string hash = base::sha256_hex(code);
    Json body{{"skill_id", "x"}, {"skill_code", code}, {"skill_sha256", std::string(64, '0')}};
    for (const char* path : {"/execute", "/scope"}) {
        body["description"] = "d";
        const Reply wrong = server.post(path, key, body);
        CHECK(wrong.status == 409);
        CHECK(wrong.text("code") == "skill_hash_mismatch");
        CHECK(wrong.text("got") == hash);
    }
    const Submitted made = server.submit(key, code, {{"skill_sha256", hash}});
    const std::string page = server.get("/approve/" + made.id + "?token=" + made.token).body;
    CHECK(page.find(hash) != std::string::npos);
    CHECK(page.find("these bytes") != std::string::npos);
    REQUIRE(server.decide(made.id, "approve").status == 200);
    CHECK(server.poll(key, made.id)["result"]["stdout"] == "these bytes");
}

TEST_CASE("conformance 35: the client library's version") {
    Server server;
    const std::string key = server.sign_up();
    const Submitted made = server.submit(key, "0\n");
    const auto with = [&](const std::string& version, const std::string& method,
                          const std::string& path) {
        return server.call({.method = method,
                            .path = path,
                            .key = key,
                            .body = method == "POST" ? R"({"skill_id":"x","skill_code":"0"})" : "",
                            .headers = {"X-OAuth3-SDK-Version: " + version}});
    };
    for (const char* version : {"banana", "0.9.0", "0.2.0", "1", "v1.0.0", "1.0.0-beta", "-1.0.0"})
        CHECK(with(version, "POST", "/execute").status == 200);
    for (const char* version : {"1.0.0", "2.3.4", "10.0"}) {
        const Reply reply = with(version, "POST", "/execute");
        CHECK(reply.status == 426);
        CHECK(reply.text("code") == "sdk_version_mismatch");
        CHECK(reply.text("got") == version);
        CHECK(reply.text("required") != "");
        CHECK(with(version, "GET", "/execute/" + made.id + "/status").status == 200);
    }
    // Said, and not again with every call.
    const std::string err = server.stop().err;
    const std::size_t said = err.find("a client's library has the version");
    INFO(err);
    REQUIRE(said != std::string::npos);
    CHECK(err.find("banana", said) != std::string::npos);
    CHECK(err.find("a client's library", said + 1) == std::string::npos);
}

TEST_CASE("wire 1.1 and 1.2: foreign hosts and origins are refused on every route") {
    const Server server;
    const std::string key = server.sign_up();
    const Submitted made = server.submit(key, "0\n");
    const std::string port = server.url().substr(server.url().rfind(':'));
    const auto with = [&](const std::string& header, const std::string& method,
                          const std::string& path, const std::string& who) {
        return server.call({.method = method,
                            .path = path,
                            .key = who,
                            .body = method == "POST" ? R"({"action":"approve"})" : "",
                            .headers = {header}});
    };
    for (const char* path : {"/health", "/requests", "/approve/x", "/execute/x/status"}) {
        for (const char* host : {"evil.example", "evil.example:80", "localhost.evil.example",
                                 "127.0.0.1.evil.example"}) {
            const Reply reply = with(std::string("Host: ") + host, "GET", path, key);
            INFO(host << " " << path << reply.body);
            CHECK(reply.status == 421);
            CHECK(reply.text("code") == "host_not_allowed");
        }
        for (const std::string& host : {"localhost" + port, "127.0.0.1" + port, "[::1]" + port,
                                        std::string("10.1.2.3"), std::string("LOCALHOST")})
            CHECK(with("Host: " + host, "GET", path, key).status != 421);
    }
    for (const char* origin : {"http://evil.example", "null", "https://127.0.0.1", "file://"}) {
        for (const std::string& path :
             {std::string("/signup"), std::string("/execute"), "/requests/" + made.id + "/decision",
              "/approve/" + made.id, "/execute/" + made.id + "/cancel"}) {
            const Reply reply =
                with(std::string("Origin: ") + origin, "POST", path, server.owner_key());
            INFO(origin << " " << path << reply.body);
            CHECK(reply.status == 403);
            CHECK(reply.text("code") == "origin_not_allowed");
        }
        CHECK(server.state(made.id) == "pending");
    }
    CHECK(with("Origin: http://evil.example", "GET", "/health", "").status == 200);
    CHECK(with("Origin: http://evil.example", "GET", "/health", "")
              .headers.count("access-control-allow-origin") == 0);
    const Reply preflight = with("Origin: http://evil.example", "OPTIONS", "/execute", "");
    CHECK(preflight.status == 204);
    CHECK(preflight.headers.count("access-control-allow-origin") == 0);
    CHECK(with("Origin: " + server.url(), "POST", "/requests/" + made.id + "/decision",
               server.owner_key())
              .status == 200);
}
