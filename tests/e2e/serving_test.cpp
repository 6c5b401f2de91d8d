// Running it for real: where it listens and on which conditions, TLS, hosts and origins, prefixes,
// metrics, the socket of its own user.

#include "base/files.h"
#include "e2e/browser.h"
#include "e2e/database.h"
#include "e2e/harness.h"
#include "support/catch.h"

#include <sys/stat.h>

#include <csignal>

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

/// A server that must refuse to start.
Ended refused(std::vector<std::string> options) {
    const Folder folder;
    options.insert(options.begin(), {program(), "serve", "--data-dir", (folder / "data").string(),
                                     "--owner-key-out", (folder / "owner.key").string()});
    return Process(options).wait();
}

Ended run(const std::vector<std::string>& argv) {
    return Process(argv).wait();
}

/// A certificate for 127.0.0.1 that signs itself, as `name`.pem and `name`.key.
void make_certificate(const Folder& folder, const std::string& name) {
    const Ended made =
        run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "2", "-subj", "/CN=" + name, "-addext",
             "subjectAltName=IP:127.0.0.1", "-keyout", (folder / (name + ".key")).string(), "-out",
             (folder / (name + ".pem")).string()});
    INFO(made.err);
    REQUIRE(made.exit_code == 0);
}

/// A server whose URL is read from its ready file.
struct Started {
    Folder folder;
    std::unique_ptr<Process> process;
    std::string url;
    std::string owner_key;

    explicit Started(std::vector<std::string> options) {
        std::vector<std::string> argv{program(),         "serve",
                                      "--data-dir",      data().string(),
                                      "--owner-key-out", (folder / "owner.key").string(),
                                      "--ready-file",    (folder / "ready").string()};
        argv.insert(argv.end(), options.begin(), options.end());
        process = std::make_unique<Process>(argv);
        process->wait_line("listening on ");
        url = base::read_file(folder / "ready");
        url.pop_back();
        owner_key = base::read_file(folder / "owner.key");
        owner_key.pop_back();
    }
    std::filesystem::path data() const { return folder / "data"; }
};

/// GET with the curl program, which trusts `ca`.
Ended curl(const std::string& url, const std::string& ca, std::vector<std::string> more = {}) {
    std::vector<std::string> argv{"curl", "-sS", "--noproxy", "*", "--cacert", ca, url};
    argv.insert(argv.end(), more.begin(), more.end());
    return run(argv);
}

}  // namespace

TEST_CASE("what others than this machine could reach is refused without TLS or a proxy") {
    const std::string any = "0.0.0.0:0";
    for (const auto& options : std::vector<std::vector<std::string>>{
             {"--listen", any},
             {"--listen", "127.0.0.1:0", "--listen", any},
             {"--listen", "[::]:0", "--public-url", "https://x.example"},
             {"--listen", any, "--public-url", "http://x.example"},
             {"--listen", any, "--behind-proxy"},
             {"--listen", "127.0.0.1:0", "--behind-proxy"},
             {"--listen", any, "--behind-proxy", "--public-url", "https://x.example", "--no-auth"},
             {"--listen", any, "--behind-proxy", "--public-url", "https://x.example", "--approval",
              "link"},
             {"--listen", "127.0.0.1:0", "--behind-proxy", "--public-url", "https://x.example",
              "--no-auth"},
             {"--listen", "127.0.0.1:0", "--tls-cert", "/nowhere.pem"},
             {"--listen", "127.0.0.1:0", "--tls-cert", "/nowhere.pem", "--tls-key", "/nowhere"},
             {"--listen", "localhost:0"},
             {"--listen", "127.0.0.1:0", "--metrics-listen", any},
             {"--listen", "127.0.0.1:0", "--public-url", "ftp://x.example"},
             {"--listen", "127.0.0.1:0", "--public-url", "https://a@x.example"},
             {"--listen", "127.0.0.1:0", "--public-url", "https://x.example/?q"},
             {"--listen", "127.0.0.1:0", "--cors-origin", "https://x.example/path"},
             {"--listen", "127.0.0.1:0", "--cors-origin", "*"},
             {"--listen", "127.0.0.1:0", "--retention", "1d"}}) {
        std::string line;
        for (const std::string& word : options) line += word + " ";
        const Ended ended = refused(options);
        INFO(line << ended.err);
        CHECK(ended.exit_code > 0);
        CHECK(ended.exit_code <= 2);
        CHECK(ended.err.find("oauth3: ") != std::string::npos);
        CHECK(ended.out == "");
    }
}

TEST_CASE("conformance 2: sign-up is open on loopback and closed behind a proxy") {
    const Server local;
    CHECK(local.post("/signup", "", {{"name", "agent"}}).status == 200);
    CHECK(local.get("/health").json()["signup"] == "open");

    const Started remote({"--listen", "127.0.0.1:0", "--behind-proxy", "--public-url",
                          "https://oauth3.example.org"});
    const std::string line = remote.process->wait_line("listening on ");
    // Its own address, which only stands in the kernel's table.
    const Ended ports = run({"ss", "-Hltnp"});
    REQUIRE(ports.exit_code == 0);
    std::string address;
    std::size_t at = ports.out.find("pid=" + std::to_string(remote.process->pid()) + ",");
    REQUIRE(at != std::string::npos);
    at = ports.out.rfind("127.0.0.1:", at);
    address = ports.out.substr(at, ports.out.find(' ', at) - at);
    const Reply closed = http("http://" + address, {.method = "POST", .path = "/signup"});
    CHECK(closed.status == 403);
    CHECK(closed.text("code") == "signup_closed");
    CHECK(http("http://" + address, {.path = "/health"}).json()["signup"] == "closed");
}

TEST_CASE("TLS: verified clients are served, and SIGHUP brings a new certificate") {
    const Folder certificates;
    make_certificate(certificates, "first");
    make_certificate(certificates, "second");
    const auto put = [&](const std::string& name) {
        for (const char* end : {".pem", ".key"})
            std::filesystem::copy_file(certificates / (name + end),
                                       certificates / (std::string("now") + end),
                                       std::filesystem::copy_options::overwrite_existing);
    };
    put("first");
    const Started server({"--listen", "127.0.0.1:0", "--tls-cert",
                          (certificates / "now.pem").string(), "--tls-key",
                          (certificates / "now.key").string()});
    REQUIRE(server.url.rfind("https://127.0.0.1:", 0) == 0);
    const std::string health = server.url + "/health";
    const Ended good = curl(health, certificates / "first.pem");
    INFO(good.err);
    CHECK(good.exit_code == 0);
    CHECK(base::parse_json(good.out)["status"] == "ok");
    CHECK(curl(health, certificates / "second.pem").exit_code == 60);

    // The program itself, with the whole way: sign-up, keys, https.
    const Folder home;
    const Ended me = Process({program(), "me", "--url", server.url},
                             {{"HOME", home.path().string()},
                              {"SSL_CERT_FILE", (certificates / "first.pem").string()},
                              {"OAUTH3_API_KEY", ""}})
                         .wait();
    INFO(me.err);
    CHECK(me.exit_code == 0);

    put("second");
    server.process->send_signal(SIGHUP);
    server.process->wait_line("the TLS certificate was read again");
    CHECK(curl(health, certificates / "second.pem").exit_code == 0);
    CHECK(curl(health, certificates / "first.pem").exit_code == 60);

    // Bad files leave what there is.
    write_file(certificates / "now.pem", "no certificate\n");
    server.process->send_signal(SIGHUP);
    server.process->wait_line("the TLS certificate stays as it was");
    CHECK(curl(health, certificates / "second.pem").exit_code == 0);

    // Over https the cookie is bound to the host by its name.
    const Ended login = curl(server.url + "/login", certificates / "second.pem", {"-D", "-"});
    CHECK(login.out.find("__Host-oauth3_login=") != std::string::npos);
    CHECK(login.out.find("Secure") != std::string::npos);
}

TEST_CASE("a base URL with a path prefix is in every link, with or without it from the proxy") {
    const Server server({"--public-url", "http://127.0.0.1:1/agents/"});
    // The harness reads the public URL; the real one is that of the socket.
    const Ended ports = run({"ss", "-Hltnp"});
    std::size_t at =
        ports.out.find("pid=" + std::to_string(const_cast<Server&>(server).process().pid()) + ",");
    REQUIRE(at != std::string::npos);
    at = ports.out.rfind("127.0.0.1:", at);
    const std::string real = "http://" + ports.out.substr(at, ports.out.find(' ', at) - at);
    for (const char* prefix : {"", "/agents"}) {
        const Reply signup =
            http(real, {.method = "POST", .path = std::string(prefix) + "/signup"});
        REQUIRE(signup.status == 200);
        CHECK(signup.text("tee_url") == "http://127.0.0.1:1/agents");
        const Reply made = http(real, {.method = "POST",
                                       .path = std::string(prefix) + "/execute",
                                       .key = signup.text("api_key"),
                                       .body = R"({"skill_id":"x","skill_code":"1"})"});
        CHECK(made.text("approval_url").rfind("http://127.0.0.1:1/agents/approve/exec_", 0) == 0);
        CHECK(made.text("status_url").rfind("http://127.0.0.1:1/agents/execute/exec_", 0) == 0);
        const Reply page =
            http(real, {.path = std::string(prefix) + "/approve/" + made.text("request_id")});
        CHECK(page.status == 303);
        CHECK(page.headers.at("location").find("/agents/login?next=") != std::string::npos);
    }
    CHECK(http(real, {.path = "/agentshealth"}).status == 404);
}

TEST_CASE("hosts and origins: only names that were allowed, and CORS only for named sites") {
    const Server server(
        {"--allow-host", "oauth3.internal", "--cors-origin", "https://app.example"});
    const auto with = [&](std::vector<std::string> headers, const char* method = "GET") {
        return server.call({.method = method, .path = "/health", .headers = std::move(headers)});
    };
    CHECK(with({"Host: oauth3.internal"}).status == 200);
    CHECK(with({"Host: OAUTH3.internal:99"}).status == 200);
    CHECK(with({"Host: localhost"}).status == 200);
    CHECK(with({"Host: 192.0.2.1"}).status == 200);
    CHECK(with({"Host: evil.example"}).text("code") == "host_not_allowed");
    CHECK(with({"Host: oauth3.internal.evil.example"}).status == 421);

    const Reply allowed = with({"Origin: https://app.example"});
    CHECK(allowed.headers.at("access-control-allow-origin") == "https://app.example");
    CHECK(allowed.headers.at("vary") == "Origin");
    CHECK(allowed.headers.count("access-control-allow-credentials") == 0);
    for (const char* other : {"https://app.example.evil", "null", "http://app.example"})
        CHECK(
            with({std::string("Origin: ") + other}).headers.count("access-control-allow-origin") ==
            0);

    // Conformance 35, last sentence.
    const Reply preflight =
        with({"Origin: https://app.example", "Access-Control-Request-Method: POST",
              "Access-Control-Request-Headers: x-oauth3-sdk-version"},
             "OPTIONS");
    CHECK(preflight.status == 204);
    CHECK(preflight.headers.at("access-control-allow-headers").find("X-OAuth3-SDK-Version") !=
          std::string::npos);
    CHECK(preflight.headers.at("access-control-allow-methods") == "GET, POST, DELETE, OPTIONS");
    CHECK(preflight.headers.at("access-control-max-age") == "86400");
    const Reply stranger = with({"Origin: https://evil.example"}, "OPTIONS");
    CHECK(stranger.status == 204);
    CHECK(stranger.headers.count("access-control-allow-methods") == 0);

    // A call from an allowed site carries no cookie authority: it cannot know the CSRF value.
    Browser browser(server);
    REQUIRE(browser.log_in_by_key(server.owner_key()).status == 303);
    CHECK(server
              .call({.method = "POST",
                     .path = "/logout",
                     .headers = {browser.cookie_line(), "Origin: https://app.example"}})
              .text("code") == "csrf_failed");
    // An error is readable for the site as well.
    const Reply unknown =
        server.call({.path = "/nothing", .headers = {"Origin: https://app.example"}});
    CHECK(unknown.status == 404);
    CHECK(unknown.headers.at("access-control-allow-origin") == "https://app.example");
}

TEST_CASE("metrics: for the owner, or on a listener of their own; no client makes them grow") {
    const Server server({"--metrics-listen", "127.0.0.1:0"});
    const std::string key = server.sign_up();
    server.submit(key, "0");
    CHECK(server.get("/metrics").status == 401);
    CHECK(server.get("/metrics", key).status == 403);
    for (int i = 0; i < 50; ++i)
        server.call({.method = "BREW" + std::to_string(i), .path = "/x" + std::to_string(i)});
    const Reply metrics = server.get("/metrics", server.owner_key());
    REQUIRE(metrics.status == 200);
    CHECK(metrics.headers.at("content-type").rfind("text/plain; version=0.0.4", 0) == 0);
    CHECK(metrics.body.find("oauth3_requests{state=\"pending\"} 1\n") != std::string::npos);
    CHECK(metrics.body.find("method=\"other\",status=\"404\"} 50\n") != std::string::npos);
    CHECK(metrics.body.find("BREW") == std::string::npos);
    CHECK(metrics.body.find("oauth3_http_request_seconds_bucket{le=\"+Inf\"} ") !=
          std::string::npos);
    CHECK(metrics.body.find(key) == std::string::npos);

    const Ended ports = run({"ss", "-Hltnp"});
    const std::string pid =
        "pid=" + std::to_string(const_cast<Server&>(server).process().pid()) + ",";
    int found = 0;
    for (std::size_t at = ports.out.find(pid); at != std::string::npos;
         at = ports.out.find(pid, at + 1)) {
        const std::size_t start = ports.out.rfind("127.0.0.1:", at);
        const std::string url =
            "http://" + ports.out.substr(start, ports.out.find(' ', start) - start);
        if (url == server.url()) continue;
        ++found;
        CHECK(http(url, {.path = "/metrics"}).status == 200);
        // Nothing else is there.
        for (const char* path : {"/health", "/login", "/requests", "/login-link"})
            CHECK(http(url, {.path = path, .key = server.owner_key()}).status == 404);
    }
    CHECK(found == 1);
}

TEST_CASE("the server's own user gets log-in links over a socket that nobody else can open") {
    const Server server;
    const auto socket = server.data() / "control.sock";
    struct stat info {};
    REQUIRE(::stat(socket.c_str(), &info) == 0);
    CHECK(S_ISSOCK(info.st_mode));
    CHECK((info.st_mode & 07777) == 0600);
    const auto ask = [&](const std::string& path, const char* method) {
        return run({"curl", "-sS", "-X", method, "--unix-socket", socket.string(),
                    "http://localhost" + path});
    };
    const Ended made = ask("/login-link", "POST");
    INFO(made.out << made.err);
    const std::string link = base::parse_json(made.out)["url"];
    REQUIRE(link.rfind(server.url() + "/login?once=", 0) == 0);
    const std::string once = link.substr(link.rfind('=') + 1);
    CHECK(once.size() == 43);
    Browser browser(server);
    // A GET does not use it up.
    CHECK(browser.get("/login?once=" + once).status == 200);
    CHECK(browser.get("/login?once=" + once).status == 200);
    CHECK(browser.log_in_by_link(once).status == 303);
    CHECK(browser.get("/dashboard").status == 200);
    Browser second(server);
    CHECK(second.log_in_by_link(once).status != 303);

    for (const char* path : {"/health", "/requests", "/dashboard", "/"})
        CHECK(base::parse_json(ask(path, "GET").out)["code"] == "not_found");
    CHECK(base::parse_json(ask("/login-link", "GET").out)["code"] == "method_not_allowed");
    // And it is not to be had over the network.
    CHECK(server.call({.method = "POST", .path = "/login-link"}).status == 404);
    CHECK(
        server.call({.method = "POST", .path = "/login-link", .key = server.owner_key()}).status ==
        404);
}

TEST_CASE("no-auth: calls without a key act for the tenant dev, the human stays the human") {
    const Server server({"--no-auth"});
    CHECK(const_cast<Server&>(server).process().err().find("INSECURE") != std::string::npos);
    const Reply me = server.get("/me");
    REQUIRE(me.status == 200);
    CHECK(me.text("tenant_id") == "dev");
    const Submitted made = server.submit("", "console.log('dev')");
    CHECK(server.get("/history").json()["executions"].size() == 1);
    CHECK(server.get("/requests").status == 401);
    CHECK(server.post("/requests/" + made.id + "/decision", "", {{"action", "approve"}}).status ==
          401);
    CHECK(server.post("/approve/" + made.id, "", {{"action", "approve"}, {"token", made.token}})
              .status == 403);
    // A wrong key is still wrong.
    CHECK(server.get("/me", "oauth3_x").status == 401);
    CHECK(server.decide(made.id, "approve").status == 200);
    CHECK(server.poll("", made.id)["result"]["stdout"] == "dev");
}

TEST_CASE("the log is one object a line if asked for, and holds no query and no key") {
    Server server({"--log-format", "json", "--log-level", "debug"});
    const std::string key = server.sign_up();
    const Submitted made = server.submit(key, "0");
    REQUIRE(server.get("/approve/" + made.id + "?token=" + made.token).status == 200);
    server.get("/nothing%0a%22forged%22?secret=hunter2", key);
    const Ended ended = server.stop();
    std::size_t lines = 0;
    std::size_t requests = 0;
    for (std::size_t start = 0; start < ended.err.size(); ++lines) {
        const std::size_t end = ended.err.find('\n', start);
        const Json line = base::parse_json(ended.err.substr(start, end - start));
        CHECK(line.contains("at"));
        CHECK(line.contains("level"));
        if (line["message"] == "request") ++requests;
        start = end + 1;
    }
    CHECK(lines > requests);
    CHECK(requests >= 4);
    for (const std::string& secret :
         {key, made.token, std::string("hunter2"), std::string("token="), server.owner_key()})
        CHECK(ended.err.find(secret) == std::string::npos);
}
