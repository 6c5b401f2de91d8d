// What the HTTP face refuses, limits and says, asked without a socket.
#include "api/service.h"

#include "api/listening.h"
#include "api/metrics.h"
#include "base/log.h"
#include "support/catch.h"
#include "support/temporary_folder.h"

#include <atomic>
#include <deque>
#include <mutex>
#include <thread>

using namespace oauth3;
using test::TemporaryFolder;

namespace {

orchestrator::Settings settings() {
    orchestrator::Settings out;
    out.max_pending = 100;
    return out;
}

/// A service on a folder of its own. Its programs run until `release`, even if told to stop.
struct Served {
    explicit Served(api::Config config = {})
        : service({life, access, accounts, logins, replays, clock}, with_url(std::move(config))) {
        accounts.create_server_owner([this](const auto& key) { owner_key = key.reveal(); });
        tenant = add_tenant();
    }
    ~Served() {
        release = true;
        life.shut_down();
    }

    static api::Config with_url(api::Config config) {
        if (config.base_url.empty()) config.base_url = "http://127.0.0.1:1";
        return config;
    }

    std::string add_tenant() {
        const auto made = accounts.sign_up("agent", std::nullopt);
        key = made.key.key.reveal();
        return made.row.id;
    }

    http::Request request(const std::string& method, const std::string& target,
                          const std::string& body = {}, http::Fields fields = {}) {
        http::Request out;
        out.method = method;
        out.path = target.substr(0, target.find('?'));
        if (out.path != target) out.query = target.substr(out.path.size() + 1);
        out.fields = std::move(fields);
        if (!body.empty() && !out.has_header("Content-Type"))
            out.fields.emplace_back("Content-Type", "application/json");
        out.fields.emplace_back("Host", "127.0.0.1");
        out.body = body;
        return out;
    }

    http::Reply reply(http::Request request, const std::string& as) {
        if (!as.empty()) request.fields.emplace_back("Authorization", "Bearer " + as);
        return service.handle(request);
    }
    http::Response ask(http::Request asked, const std::string& as) {
        return std::get<http::Response>(reply(std::move(asked), as));
    }
    /// POST /execute as the agent.
    http::Response submit(const std::string& more = "") {
        return ask(request("POST", "/execute", R"({"skill_id":"x","skill_code":"0")" + more + "}"),
                   key);
    }

    void run_ready() {
        for (;;) {
            std::function<void()> next;
            {
                const std::lock_guard lock(mutex);
                if (work.empty()) return;
                next = std::move(work.front());
                work.pop_front();
            }
            next();
        }
    }

    TemporaryFolder folder;
    std::mutex mutex;
    std::deque<std::function<void()>> work;
    std::atomic<bool> release{false};
    store::Database database{folder.path() / "data"};
    base::SystemClock clock;
    orchestrator::Access access{database, base::SecretString(std::string(32, 'k'))};
    orchestrator::Accounts accounts{database, clock};
    orchestrator::Logins logins{database, access, clock};
    orchestrator::Replays replays{database, clock};
    orchestrator::Orchestrator life{
        database,
        clock,
        [this](const runtime::Job&, const jail::StopSignal&) {
            while (!release) std::this_thread::sleep_for(std::chrono::milliseconds(1));
            return runtime::Outcome();
        },
        {[this](std::function<void()> next) {
             const std::lock_guard lock(mutex);
             work.push_back(std::move(next));
         },
         [](const std::string&) {}},
        settings()};
    api::Service service;
    std::string owner_key, key, tenant;
};

std::string header(const http::Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers)
        if (http::equal_ignoring_case(key, name)) return value;
    return "(absent)";
}

base::Json json(const http::Response& response) {
    return base::parse_json(response.body);
}

http::Fields typed(const char* type) {
    return {{"Content-Type", type}};
}

}  // namespace

TEST_CASE("of many members that are not known a few are named") {
    Served s;
    base::Json body{{"description", "d"}};
    for (int i = 0; i < 2000; ++i) body["member" + std::to_string(i)] = 0;
    const auto reply = s.ask(s.request("POST", "/scope", base::dump_json(body)), s.key);
    REQUIRE(reply.status == 200);
    const auto warnings = json(reply)["warnings"];
    REQUIRE(warnings.size() == 21);
    CHECK(warnings[20] == "and 1980 more");
    CHECK(warnings[19].get<std::string>().ends_with("is not known and was ignored"));
    body = {{"description", "d"}, {"other", 1}};
    CHECK(json(s.ask(s.request("POST", "/scope", base::dump_json(body)), s.key))["warnings"] ==
          base::Json{"the member other is not known and was ignored"});
}

TEST_CASE("a body of another type is refused on every route that changes something") {
    Served s;
    const auto status = [&](const char* method, const char* path, const char* type) {
        return s.ask(s.request(method, path, "x", typed(type)), s.key).status;
    };
    const std::string cancel = "/execute/" + json(s.submit())["request_id"].get<std::string>();
    CHECK(status("POST", (cancel + "/cancel").c_str(), "text/plain") == 415);
    CHECK(status("DELETE", "/sessions/s", "text/plain") == 415);
    CHECK(status("POST", "/execute", "application/x-www-form-urlencoded") == 415);
    CHECK(status("POST", "/login", "multipart/form-data; boundary=x") == 415);
    CHECK(status("POST", "/login", "application/x-www-form-urlencoded") != 415);
    CHECK(status("GET", "/me", "text/plain") == 200);
    CHECK(s.ask(s.request("POST", cancel + "/cancel"), s.key).status == 200);
}

TEST_CASE("a key is made for the tenant that the query or the body names") {
    Served s;
    const std::string first = s.tenant, second = s.add_tenant();
    const auto make = [&](const std::string& query, const std::string& body) {
        return s.ask(s.request("POST", "/keys" + query, body), s.owner_key);
    };
    CHECK(json(make("?tenant=" + second, ""))["tenant_id"] == second);
    CHECK(json(make("?tenant=" + second, R"({"tenant":")" + first + "\"}"))["tenant_id"] == second);
    CHECK(json(make("?tenant=", R"({"tenant":")" + first + "\"}"))["tenant_id"] == first);
    CHECK(json(make("", ""))["code"] == "tenant_required");
    CHECK(make("?tenant=tenant_0000000000000000", "").status == 404);
}

TEST_CASE("an agent submits only so often, whatever it submits, and others as well") {
    api::Config config;
    config.max_submissions = 3;
    Served s(config);
    CHECK(s.submit().status == 200);
    CHECK(s.submit(R"(,"dry_run":true)").status == 200);
    CHECK(s.ask(s.request("POST", "/scope", R"({"description":"d"})"), s.key).status == 200);
    for (const char* path : {"/execute", "/scope"}) {
        const auto refused = s.ask(s.request("POST", path, "{}"), s.key);
        CHECK(refused.status == 429);
        CHECK(json(refused)["code"] == "rate_limited");
        CHECK(std::stoi(header(refused, "Retry-After")) >= 1);
    }
    CHECK(s.ask(s.request("GET", "/history"), s.key).status == 200);
    s.add_tenant();
    CHECK(s.submit().status == 200);
}

TEST_CASE("a failure of the server has an incident, a refused large body may come again") {
    Served s;
    const auto failed = s.service.failure(http::Failure::internal, s.request("GET", "/x"));
    CHECK(failed.status == 500);
    CHECK(json(failed)["incident"].get<std::string>().starts_with("inc_"));
    const auto busy = s.service.failure(http::Failure::overloaded, {});
    CHECK(busy.status == 429);
    CHECK(json(busy)["code"] == "rate_limited");
    CHECK(header(busy, "Retry-After") == "1");
    CHECK(header(busy, "Cache-Control") == "no-store");
}

TEST_CASE("cancelling a run that is slow to stop answers with its status of the moment") {
    Served s;
    const std::string id = json(s.submit())["request_id"];
    REQUIRE(s.ask(s.request("POST", "/requests/" + id + "/decision", R"({"action":"approve"})"),
                  s.owner_key)
                .status == 200);
    s.run_ready();
    auto reply = s.reply(s.request("POST", "/execute/" + id + "/cancel"), s.key);
    auto& hold = std::get<http::Hold>(reply);
    CHECK_FALSE(hold.attempt(false).has_value());
    const auto late = hold.attempt(true);
    REQUIRE(late);
    CHECK(late->status == 200);
    CHECK(json(*late) ==
          base::Json{{"request_id", id}, {"status", "executing"}, {"state", "executing"}});
}

TEST_CASE("a list of requests is read in parts and is whole") {
    Served s;
    std::vector<std::string> ids;
    for (int i = 0; i < 45; ++i) ids.insert(ids.begin(), json(s.submit())["request_id"]);
    const auto list = [&](int limit, const std::string& before) {
        return json(s.ask(s.request("GET", "/requests?limit=" + std::to_string(limit) + before),
                          s.owner_key));
    };
    const auto ids_of = [](const base::Json& page) {
        std::vector<std::string> out;
        for (const auto& row : page["requests"]) out.push_back(row["id"]);
        return out;
    };
    for (const int limit : {20, 40, 41, 44}) {
        const auto page = list(limit, "");
        CHECK(ids_of(page) == std::vector(ids.begin(), ids.begin() + limit));
        CHECK(page["next"] == ids[static_cast<std::size_t>(limit) - 1]);
        const auto rest = list(500, "&before=" + page["next"].get<std::string>());
        CHECK(ids_of(rest) == std::vector(ids.begin() + limit, ids.end()));
        CHECK(rest["next"].is_null());
    }
    CHECK(list(45, "")["next"].is_null());
    CHECK(ids_of(list(45, "")) == ids);
}

TEST_CASE("the listener of the metrics answers under no foreign name, and nothing keeps it") {
    Served s;
    const auto text = [] { return std::string("metrics"); };
    http::Request asked = s.request("GET", "/metrics");
    auto reply = std::get<http::Response>(api::answer_metrics(asked, text));
    CHECK(reply.body == "metrics");
    CHECK(header(reply, "X-Content-Type-Options") == "nosniff");
    CHECK(header(reply, "Cache-Control") == "no-store");
    asked.fields = {{"Host", "localhost:9"}};
    CHECK(std::get<http::Response>(api::answer_metrics(asked, text)).status == 200);
    asked.fields = {{"Host", "evil.example"}};
    reply = std::get<http::Response>(api::answer_metrics(asked, text));
    CHECK(reply.status == 421);
    CHECK(header(reply, "Cache-Control") == "no-store");
}

TEST_CASE("a public URL is read as browsers write it") {
    const auto [given, read] = GENERATE(table<std::string, std::string>({
        {"https://oauth3.example.org", "https://oauth3.example.org"},
        {"https://OAuth3.Example.ORG/", "https://oauth3.example.org"},
        {"https://oauth3.example.org:443/Agents", "https://oauth3.example.org/Agents"},
        {"http://oauth3.example.org:443", "http://oauth3.example.org:443"},
        {"http://127.0.0.1:80", "http://127.0.0.1"},
        {"http://127.0.0.1:08080", "http://127.0.0.1:8080"},
        {"https://oauth3.example.org.", "https://oauth3.example.org"},
        {"https://b\u00FCcher.example", "https://xn--bcher-kva.example"},
        {"https://[0:0::1]:3737/a", "https://[::1]:3737/a"},
    }));
    CHECK(api::read_base_url(given) == read);
    for (const char* bad : {"https://", "https://a:0", "https://a:65536", "https://a:", "ftp://a",
                            "https://u@a", "https://a//b", "https://a/?b", "https://a/\u00FC"})
        CHECK_THROWS(api::read_base_url(bad));
}

TEST_CASE("what a browser sends as its origin is that of the public URL and of allowed sites") {
    api::ServerOptions options;
    options.public_url = "https://OAuth3.Example.ORG:443/prefix/";
    options.cors_origins = {"https://App.Example:443"};
    const api::Listening plan = api::plan_listening(options);
    CHECK(plan.cors_origins == std::vector<std::string>{"https://app.example"});
    api::Config config;
    config.base_url = plan.public_url;
    config.cors_origins = plan.cors_origins;
    Served s(config);
    const auto from = [&](const char* origin) {
        return s.ask(s.request("POST", "/execute", R"({"skill_id":"x","skill_code":"0"})",
                               {{"Origin", origin}}),
                     s.key);
    };
    CHECK(from("https://oauth3.example.org").status == 200);
    CHECK(header(from("https://app.example"), "Access-Control-Allow-Origin") ==
          "https://app.example");
    CHECK(json(from("https://evil.example"))["code"] == "origin_not_allowed");
    for (const char* bad : {"https://app.example/", "https://app.example/a", "app.example"}) {
        options.cors_origins = {bad};
        CHECK_THROWS(api::plan_listening(options));
    }
}
