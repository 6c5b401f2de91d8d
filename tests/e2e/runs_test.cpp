// How programs end, through the whole server; and what they can reach.

#include "base/crypto.h"
#include "base/utf8.h"
#include "e2e/harness.h"
#include "support/catch.h"

#include <set>

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

bool holds(const Json& text, const std::string& part) {
    return text.is_string() && text.get<std::string>().find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a loop ends at its deadline") {
    const Server server;
    const Json done =
        server.run(server.sign_up(), "// @skill loop\n// @timeout 1\nwhile(true){}\n");
    CHECK(done["status"] == "failed");
    CHECK(done["state"] == "failed");
    CHECK(done["result"]["exitCode"] == 124);
    CHECK(done["result"]["timed_out"] == true);
    CHECK(done["result"]["success"] == false);
    CHECK(done["result"]["duration"] >= 1000);
    CHECK(holds(done["error"], "timed out"));
}

TEST_CASE("a thrown error, an exit code and a signal are told as they were") {
    const Server server;
    const std::string key = server.sign_up();
    const Json thrown = server.run(key, "console.log('before');\nthrow new Error('boom 42');\n");
    CHECK(thrown["status"] == "failed");
    CHECK(holds(thrown["error"], "boom 42"));
    CHECK(holds(thrown["result"]["stdout"], "before"));
    CHECK(thrown["result"]["exitCode"] == 1);
    CHECK(thrown["result"]["success"] == false);

    const Json exit = server.run(key, "console.log('out'); Deno.exit(3);\n");
    CHECK(exit["status"] == "failed");
    CHECK(exit["result"]["exitCode"] == 3);
    CHECK(holds(exit["result"]["stdout"], "out"));
    CHECK(exit["error"].get<std::string>() != "");

    const Json syntax = server.run(key, "const const = ;\n");
    CHECK(syntax["status"] == "failed");
    CHECK(syntax["error"].get<std::string>() != "");

    const Json rejected = server.run(key, "await Promise.reject(new Error('late'));\n");
    CHECK(rejected["status"] == "failed");
    CHECK(holds(rejected["error"], "late"));
}

TEST_CASE("a flood of output is cut and the run goes on") {
    const Server server;
    const std::string key = server.sign_up();
    for (const char* piece : {"x", "é", "😀"}) {
        const Json done = server.run(
            key, std::string("const s = new TextEncoder().encode('") + piece +
                     "'.repeat(1 << 16));\n"
                     "for (let sent = 0; sent < 5 << 20; ) sent += Deno.stdout.writeSync(s);\n"
                     "Deno.stderr.writeSync(new TextEncoder().encode('end'));\n");
        INFO(done["status"] << " " << done.value("error", ""));
        CHECK(done["status"] == "completed");
        CHECK(done["result"]["truncated"] == true);
        const auto out = done["result"]["stdout"].get<std::string>();
        CHECK(out.size() <= 1 << 20);
        CHECK(out.size() > (1 << 20) - 8);
        // Cut between characters, not inside one.
        CHECK(out.find("\xEF\xBF\xBD") == std::string::npos);
        CHECK(done["result"]["stderr"] == "end");
    }
}

TEST_CASE("output that is not UTF-8 arrives with U+FFFD in place of the bad bytes") {
    const Server server;
    const std::string key = server.sign_up();
    const Json done = server.run(
        key,
        "Deno.stdout.writeSync(new Uint8Array([0x61, 0xff, 0x62, 0xc3, 0x28, 0xed, 0xa0, "
        "0x80, 0, 0x63]));\n");
    CHECK(done["status"] == "completed");
    const auto out = done["result"]["stdout"].get<std::string>();
    CHECK(base::is_valid_utf8(out));
    CHECK(out.rfind("a\xEF\xBF\xBD"
                    "b\xEF\xBF\xBD(",
                    0) == 0);
    CHECK(out.back() == 'c');
    CHECK(out.find('\0') != std::string::npos);
}

TEST_CASE("files, network and other programs are out of reach") {
    const Server server;
    const Json done = server.run(server.sign_up(), R"ts(
const tried: Record<string, string> = {};
async function attempt(name: string, what: () => unknown) {
  try { tried[name] = "GOT " + JSON.stringify(await what()); }
  catch (e) { tried[name] = (e as Error).name + ": " + (e as Error).message; }
}
await attempt("passwd", () => Deno.readTextFileSync("/etc/passwd"));
await attempt("listing", () => [...Deno.readDirSync("/")].map((e) => e.name));
await attempt("write", () => Deno.writeTextFileSync("/tmp/work/x", "x"));
await attempt("fetch", async () => (await fetch("http://127.0.0.1:8080/")).status);
await attempt("connect", async () => { await Deno.connect({ hostname: "127.0.0.1", port: 1 }); });
await attempt("listen", () => { Deno.listen({ port: 0 }); });
await attempt("dns", () => Deno.resolveDns("example.org", "A"));
await attempt("spawn", () => new Deno.Command("/deno", { args: ["--version"] }).outputSync());
await attempt("ffi", () => { Deno.dlopen("libc.so.6", {}); });
await attempt("import", () => import("file:///etc/passwd"));
await attempt("environ", () => import("file:///proc/self/environ"));
await attempt("remote", () => import("https://example.org/x.ts"));
await attempt("worker", () => new Promise((yes, no) => {
  const w = new Worker("data:text/javascript,postMessage(Deno.readTextFileSync('/etc/passwd'))",
    { type: "module" });
  w.onmessage = (e) => yes(e.data);
  w.onerror = (e) => { e.preventDefault(); no(new Error(e.message)); };
}));
console.log(JSON.stringify(tried));
)ts");
    INFO(done.dump());
    REQUIRE(done["status"] == "completed");
    const Json tried = base::parse_json(done["result"]["stdout"].get<std::string>());
    CHECK(tried.size() == 13);
    for (const auto& [name, what] : tried.items()) {
        INFO(name << ": " << what);
        CHECK(what.get<std::string>().rfind("GOT", 0) != 0);
        CHECK_FALSE(holds(what, "root:"));
        CHECK_FALSE(holds(what, "OAUTH3"));
    }
    CHECK(holds(tried["passwd"], "NotCapable"));
    CHECK(holds(tried["fetch"], "NotCapable"));
    CHECK(holds(tried["spawn"], "NotCapable"));
}

TEST_CASE("the environment holds the arguments and what the runtime needs, no more") {
    const Server server;
    const Json args{{"text", "a b\n\"c\" é"}, {"number", 1.5},      {"yes", true},
                    {"none", nullptr},        {"list", {1, "two"}}, {"object", {{"k", "v"}}}};
    const Json done = server.run(
        server.sign_up(), "console.log(JSON.stringify(Deno.env.toObject()))\n", {{"args", args}});
    REQUIRE(done["status"] == "completed");
    const Json env = base::parse_json(done["result"]["stdout"].get<std::string>());
    std::set<std::string> names;
    for (const auto& [name, value] : env.items()) names.insert(name);
    // Deno adds these two itself, for Node programs that it is not allowed to start.
    if (names.erase("PATH") != 0) CHECK(env["PATH"] == "/tmp/.deno/node_compat_bin");
    if (names.erase("DENO_NODE_SHIM_ACTIVE") != 0) CHECK(env["DENO_NODE_SHIM_ACTIVE"] == "1");
    CHECK(names == std::set<std::string>{"DENO_DIR", "DENO_NO_UPDATE_CHECK", "HOME", "NO_COLOR",
                                         "SKILL_ARGS", "list", "number", "object", "text", "yes"});
    CHECK(env["text"] == args["text"]);
    CHECK(env["number"] == "1.5");
    CHECK(env["yes"] == "true");
    CHECK(base::parse_json(env["list"].get<std::string>()) == args["list"]);
    CHECK(base::parse_json(env["object"].get<std::string>()) == args["object"]);
    CHECK(base::parse_json(env["SKILL_ARGS"].get<std::string>()) == args);
}

TEST_CASE("two runs share no storage, and stdin is empty") {
    const Server server;
    const std::string key = server.sign_up();
    const std::string code = R"ts(
const before = localStorage.getItem("left");
localStorage.setItem("left", "behind");
let cached = "none";
try {
  const cache = await caches.open("c");
  cached = String(await cache.match("http://x/") !== undefined);
  await cache.put("http://x/", new Response("y"));
} catch { cached = "false"; }
const stdin = await new Response(Deno.stdin.readable).text();
console.log(JSON.stringify([before, cached, stdin]));
)ts";
    for (int i = 0; i < 2; ++i) {
        const Json done = server.run(key, code);
        INFO(done.dump());
        REQUIRE(done["status"] == "completed");
        CHECK(done["result"]["stdout"] == R"([null,"false",""])");
    }
}

TEST_CASE("the bytes that were sent are shown, hashed and run: CRLF, byte order mark, unicode") {
    const Server server;
    const std::string key = server.sign_up();
    const std::string codes[] = {
        "// @skill crlf\r\n// @timeout 7\r\nconsole.log('grüße 😀')\r\n",
        "\xEF\xBB\xBF// @skill bom\r\n\r\nconsole.log('grüße 😀')\r\n",
        "#!/usr/bin/env deno\n/** @skill block */\nconsole.log('grüße 😀')",
        "console.log('grüße \\u{1F600}') // \xE2\x80\xAE gnitsil",
    };
    for (const std::string& code : codes) {
        const Submitted made = server.submit(key, code);
        const Json shown = server.get("/requests/" + made.id, server.owner_key()).json();
        CHECK(shown["code"] == code);
        CHECK(shown["code_hash"] == base::sha256_hex(code));
        REQUIRE(server.decide(made.id, "approve").status == 200);
        const Json done = server.poll(key, made.id);
        INFO(done.dump());
        CHECK(done["status"] == "completed");
        CHECK(done["result"]["stdout"] == "grüße 😀");
    }
}

TEST_CASE("a skill that wants secrets or network can be approved and then fails, saying why") {
    const Server server;
    const std::string key = server.sign_up();
    for (const char* code :
         {"// @skill s\n// @secrets GH_TOKEN\nconsole.log(1)\n",
          "// @skill n\n// @network api.github.com\nconsole.log(1)\n",
          "// @skill b\n// @secrets GH_TOKEN\n// @network api.github.com\nconsole.log(1)\n"}) {
        const Json done = server.run(key, code);
        CHECK(done["status"] == "failed");
        CHECK(done["error"] == "this server cannot give a run secrets or network access yet");
        CHECK_FALSE(done.contains("result"));
        CHECK_FALSE(done.contains("executed_at"));
    }
    // Also by a session: it grants what nobody can give.
    const std::string code = "// @skill n\n// @network api.github.com\nconsole.log(1)\n";
    const Submitted scope = server.submit_scope(
        key, {{"description", "d"}, {"networks", {"api.github.com"}}, {"skill_code", code}});
    REQUIRE(server.decide(scope.id, "approve").status == 200);
    const Submitted made = server.submit(key, code, {{"session_id", scope.session}});
    CHECK(made.reply["status"] == "approved");
    CHECK_FALSE(made.reply.contains("approval_url"));
    CHECK(server.poll(key, made.id)["error"] ==
          "this server cannot give a run secrets or network access yet");
}

TEST_CASE("a running program is cancelled with all its processes") {
    Server server;
    const std::string key = server.sign_up();
    const Submitted made = server.submit(key, kEndless);
    REQUIRE(server.decide(made.id, "approve").status == 200);
    server.wait_running();
    const Family family(server.process().pid());
    const Reply cancelled = server.post("/execute/" + made.id + "/cancel", key, Json::object());
    CHECK(cancelled.status == 200);
    CHECK(cancelled.json() ==
          Json{{"request_id", made.id}, {"status", "failed"}, {"state", "cancelled"}});
    CHECK(Family(server.process().pid()).programs() == 0);
    const Json done = server.poll(key, made.id);
    CHECK(done["error"] == "cancelled");
    const Reply again = server.post("/execute/" + made.id + "/cancel", key, Json::object());
    CHECK(again.status == 409);
    CHECK(again.text("code") == "already_final");
}

TEST_CASE("a session allows what was approved in it and nothing else") {
    const Server server;
    const std::string key = server.sign_up();
    const std::string code = "// @skill a\nconsole.log(Deno.env.get('X') ?? 'none')\n";
    const Submitted first = server.submit(key, code, {{"session_id", "s-1"}});
    REQUIRE(server.decide(first.id, "approve", {{"level", "session"}}).status == 200);
    CHECK(server.poll(key, first.id)["status"] == "completed");

    const auto again = [&](const std::string& text, Json more) {
        more["session_id"] = "s-1";
        return server.submit(key, text, std::move(more)).reply;
    };
    const Json same = again(code, {{"args", {{"X", "5"}}}});
    CHECK(same["status"] == "approved");
    CHECK(server.poll(key, same["request_id"].get<std::string>())["result"]["stdout"] == "5");
    CHECK(again(code + "\n", Json::object())["policy_violations"] ==
          Json{"code not approved in this session"});
    CHECK(again(code, {{"secrets", {"NEW"}}})["policy_violations"] == Json{"new secret: NEW"});
    CHECK(again("// @skill a\n// @timeout 31\n", Json::object())["policy_violations"] ==
          Json{"timeout 31 > 30", "code not approved in this session"});
    CHECK(again("// @skill a\n// @network x.example\n", Json::object())["policy_violations"] ==
          Json{"new network: x.example", "code not approved in this session"});
    // Approved once is approved once.
    const Submitted once = server.submit(key, code, {{"session_id", "s-2"}});
    REQUIRE(server.decide(once.id, "approve", {{"level", "once"}}).status == 200);
    CHECK(server.submit(key, code, {{"session_id", "s-2"}}).reply["status"] == "pending");
}

TEST_CASE("what a run used, and who held it to its limits, is in the result") {
    const Server server;
    const Json done = server.run(server.sign_up(), R"(
        const kept = new Uint8Array(200 << 20).fill(1);
        console.log(kept.length);
    )");
    REQUIRE(done["status"] == "completed");
    const Json& usage = done["result"]["usage"];
    CHECK(usage["peak_memory_bytes"].get<std::int64_t>() > (200 << 20));
    CHECK(usage["cpu_ms"].get<std::int64_t>() > 0);
    for (const char* limit : {"memory", "tasks", "disk", "cpu_time"}) {
        const std::string keeper = usage["limits"][limit];
        INFO(limit);
        CHECK((keeper == "kernel" || keeper == "watch"));
    }
    CHECK(usage["limits"]["disk"] == "kernel");
}
