// The library against the real server: what the calls that change something really do.

#include "base/files.h"
#include "base/json.h"
#include "client_support.h"
#include "e2e/harness.h"

using namespace oauth3;
using namespace oauth3::test;
using base::Json;
using e2e::Server;

namespace {

Client owner_of(const Server& server) {
    return Client(
        {.url = server.url(), .owner_key = server.owner_key(), .timeout = std::chrono::minutes(1)});
}

Json json(const Reply& reply) {
    return base::parse_json(reply.json);
}

std::string tenant_of(Client& agent) {
    return json(agent.me())["tenant_id"];
}

}  // namespace

TEST_CASE("a background worker still knows certificates that were named by a relative path") {
    const e2e::Folder folder;
    const std::string certificate = (folder / "ca.pem").string();
    const std::string key = (folder / "ca.key").string();
    REQUIRE(e2e::Process({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                          "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=x",
                          "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out",
                          certificate})
                .wait()
                .exit_code == 0);
    e2e::Process server({e2e::program(), "serve", "--data-dir", (folder / "data").string(),
                         "--owner-key-out", (folder / "owner.key").string(), "--ready-file",
                         (folder / "ready").string(), "--listen", "127.0.0.1:0", "--tls-cert",
                         certificate, "--tls-key", key});
    server.wait_line("listening on ");
    std::string url = base::read_file(folder / "ready");
    url.pop_back();
    e2e::write_file(folder / "a.ts", "console.log(1)\n");
    const std::map<std::string, std::string> environment{
        {"HOME", folder.path().string()}, {"SSL_CERT_FILE", "ca.pem"}, {"OAUTH3_API_KEY", ""}};
    const e2e::Ended started =
        e2e::Process({"sh", "-c", "cd \"$1\" && exec \"$2\" execute --code a.ts --bg --url \"$3\"",
                      "sh", folder.path().string(), e2e::program(), url},
                     environment)
            .wait();
    INFO(started.err);
    REQUIRE(started.exit_code == 0);
    const Json job = base::parse_json(started.out);
    std::string owner = base::read_file(folder / "owner.key");
    owner.pop_back();
    REQUIRE(e2e::Process({e2e::program(), "approve", job["request_id"], "--yes", "--url", url},
                         {{"HOME", folder.path().string()},
                          {"SSL_CERT_FILE", certificate},
                          {"OAUTH3_OWNER_KEY", owner}})
                .wait()
                .exit_code == 0);
    // As long as the worker says that it goes on.
    Json now;
    do {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        now = base::parse_json(
            e2e::Process({e2e::program(), "result", job["job_file"]}, environment).wait().out);
    } while (now["status"] == "polling_exec");
    INFO(now.dump());
    CHECK(now["status"] == "completed");
}

TEST_CASE("a scope, runs in its session, narrowing and revoking, by the library") {
    const Server server;
    Client human = owner_of(server);
    int asked = 0;
    Client agent = Client::create({.url = server.url(),
                                   .timeout = std::chrono::minutes(1),
                                   .progress = [&](const Progress& progress) {
                                       if (progress.kind != Progress::Kind::submitted) return;
                                       if (progress.url.empty()) return;
                                       ++asked;
                                       human.decide(progress.text, {.approve = true});
                                   }});
    const ExecuteRequest request{.skill_id = "in-scope", .skill_code = "console.log('in')\n"};
    const ScopedRun run = agent.scope_and_execute(
        R"({"description":"d","constraints":["no network access"]})", request);
    REQUIRE(run.run);
    CHECK(run.run->status == "completed");
    REQUIRE(run.run->result);
    CHECK(run.run->result->out == "in");
    CHECK(asked == 1);  // the execution needed no approval of its own

    const std::string session = run.scope.session_id;
    const std::string tenant = tenant_of(agent);
    ExecuteRequest again = request;
    again.session_id = session;
    const DryRun trial = agent.dry_run(again);
    CHECK(trial.would_auto_approve);
    CHECK(trial.reason == "session_policy");

    CHECK(json(agent.sessions())["sessions"].size() == 1);
    CHECK(json(human.sessions(as_owner(tenant)))["sessions"].size() == 1);
    CHECK(json(human.session(session, as_owner(tenant)))["session_id"] == session);
    CHECK(json(agent.narrow_session(session, R"({"max_timeout":1})"))["policy"]["max_timeout"] ==
          1);
    const ClientError wider =
        error_of([&] { agent.narrow_session(session, R"({"max_timeout":100})"); });
    CHECK(wider.code() == "not_narrower");
    CHECK_FALSE(agent.dry_run(again).would_auto_approve);
    CHECK(json(human.revoke_session(session, "enough", as_owner(tenant)))["deleted"] == true);
    CHECK(error_of([&] { agent.session(session); }).code() == "not_found");
}

TEST_CASE("history and audit are read page by page, cancelling ends a request") {
    const Server server;
    Client human = owner_of(server);
    Client agent = Client::create({.url = server.url()}, {.name = "pages"});
    std::vector<std::string> ids;
    for (int i = 0; i < 5; ++i)
        ids.push_back(agent.execute({.skill_id = "p", .skill_code = "0"}).request_id);
    CHECK(json(agent.cancel(ids[0]))["state"] == "cancelled");
    CHECK(error_of([&] { human.cancel(ids[0], as_owner()); }).code() == "already_final");
    human.decide(ids[1], {.approve = false, .reason = "no"});
    CHECK(error_of([&] { human.decide(ids[1], {.approve = true}); }).code() == "already_decided");
    CHECK(agent.poll(ids[1]).error == "no");
    CHECK(human.status(ids[1], as_owner()).status == "denied");

    std::vector<std::string> seen;
    std::string before;
    do {
        const Page page = agent.history(2, before);
        const Json document = json(page);
        for (const Json& row : document.at("executions")) seen.push_back(row["request_id"]);
        before = page.next;
    } while (!before.empty());
    std::reverse(seen.begin(), seen.end());
    CHECK(seen == ids);

    CHECK(json(human.pending())["requests"].size() == 3);
    CHECK(json(human.requests({.limit = 2}))["requests"].size() == 2);
    CHECK(json(human.request(ids[2]))["skill_id"] == "p");

    std::size_t events = 0;
    before.clear();
    do {
        const Page page = human.audit({.limit = 3, .before = before});
        events += json(page)["events"].size();
        before = page.next;
    } while (!before.empty());
    CHECK(events == json(human.audit({.limit = 500}))["events"].size());
    const Json story = json(human.audit({.request_id = ids[1]}));
    REQUIRE(story.at("events").size() >= 2);
    for (const Json& event : story.at("events")) CHECK(event["request_id"] == ids[1]);
}

TEST_CASE("the owner manages tenants, keys, owners and invites") {
    const Server server({"--signup", "invite"});
    Client human = owner_of(server);
    CHECK(json(human.health())["status"] == "ok");
    CHECK(error_of([&] { Client::create({.url = server.url()}); }).code() == "invite_required");

    const Json made = json(human.create_tenant("made"));
    const std::string tenant = made["tenant_id"];
    Client agent({.url = server.url(), .agent_key = made["api_key"]});
    CHECK(tenant_of(agent) == tenant);
    CHECK(json(human.tenants())["tenants"].size() == 1);

    const Json key = json(human.create_key(tenant));
    Client second({.url = server.url(), .agent_key = key["api_key"]});
    CHECK(tenant_of(second) == tenant);
    CHECK(json(human.keys(tenant))["keys"].size() == 2);
    CHECK(json(human.revoke_key(key["id"].get<std::string>()))["deleted"] == true);
    CHECK(error_of([&] { second.me(); }).kind() == ClientErrorKind::authentication);

    Client other({.url = server.url(),
                  .owner_key = json(human.create_owner("other"))["api_key"].get<std::string>()});
    CHECK(json(other.me(as_owner()))["role"] == "owner");
    CHECK(json(human.owners())["owners"].size() == 2);
    CHECK(error_of([&] { other.invites(); }).code() == "admin_required");
    Client twin({.url = server.url(),
                 .owner_key = json(other.create_owner_key())["api_key"].get<std::string>()});
    CHECK(json(twin.me(as_owner()))["owner_id"] == json(other.me(as_owner()))["owner_id"]);

    const std::string invite = json(
        human.create_invite(1, std::chrono::hours(1),
                            json(other.me(as_owner()))["owner_id"].get<std::string>()))["invite"];
    CHECK(json(human.invites())["invites"].size() == 1);
    const Client invited = Client::create({.url = server.url()}, {.name = "i", .invite = invite});
    CHECK_FALSE(invited.agent_key().empty());
    CHECK(json(other.tenants())["tenants"].size() == 1);
    CHECK(error_of([&] {
              Client::create({.url = server.url()}, {.name = "j", .invite = invite});
          }).code() == "invite_required");
}

TEST_CASE("a log-in link comes over the server's own socket") {
    const Server server;
    const LoginLink link = login_link(server.data() / "control.sock");
    CHECK(link.url.rfind(server.url() + "/login?once=", 0) == 0);
    CHECK(link.expires_at > 0);
    CHECK(login_link(server.data() / "control.sock").url != link.url);
    CHECK(error_of([&] { login_link(server.data() / "nothing.sock"); }).kind() ==
          ClientErrorKind::unreachable);
}
