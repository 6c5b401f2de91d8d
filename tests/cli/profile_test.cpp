#include "base/json.h"
#include "client/stand_in.h"
#include "program.h"
#include "support/catch.h"

#include <fmt/format.h>

#include <atomic>

// Keys for several servers, each bound to its own.

using namespace oauth3;
using namespace oauth3::test;
using base::Json;
namespace fs = std::filesystem;

namespace {

/// Hands out keys "oauth3_<name>_0", ... and records what keys it is shown.
class KeyServer {
  public:
    explicit KeyServer(std::string name)
        : name_(std::move(name)), server_([this](const HttpRequest& request) -> HttpReply {
              if (request.path() == "/signup")
                  return {.body = fmt::format(R"({{"api_key":"oauth3_{}_{}"}})", name_, number_++)};
              return {.body = R"({"role":"agent"})"};
          }) {}
    std::string url() const { return server_.url(); }
    std::vector<std::string> keys() const {
        std::vector<std::string> out;
        for (const HttpRequest& request : server_.requests())
            if (request.path() != "/signup") out.push_back(request.header("authorization"));
        return out;
    }
    std::size_t signups() const { return server_.count("POST", "/signup"); }
    /// The body of the last sign-up.
    Json signup() const { return base::parse_json(server_.requests().back().body); }

  private:
    std::string name_;
    std::atomic<int> number_{0};
    StandIn server_;
};

Finished me(const Home& home, const std::string& url) {
    return run_program(home, {"me", "--url", url});
}

Json config_of(const Home& home) {
    return base::parse_json(home.read(".oauth3/config.json"));
}

}  // namespace

TEST_CASE("signing up at a further server makes a profile, and each server gets its own key") {
    const Home home;
    const KeyServer mine("mine");
    const KeyServer work("work");
    const KeyServer third("third");
    CHECK(me(home, mine.url()).code == 0);
    home.file(".oauth3/config.json",
              Json{{"key_url", mine.url()}, {"theme", {1}}, {"url", mine.url()}}.dump());

    // Not by itself.
    const Finished refused = me(home, work.url());
    CHECK(refused.code == 4);
    CHECK(refused.err.find("--key-file") != std::string::npos);
    CHECK(refused.err.find("oauth3 signup --url " + work.url()) != std::string::npos);
    CHECK(work.signups() == 0);

    const Finished signed_up = run_program(home, {"signup", "--url", work.url() + "/", "--name",
                                                  "Ä", "--email", "a@b", "--invite", "i"});
    CHECK(signed_up.code == 0);
    CHECK(base::parse_json(signed_up.out)["api_key"] == "oauth3_work_0");
    CHECK(signed_up.err.empty());
    CHECK(work.signup() == Json{{"name", "Ä"}, {"email", "a@b"}, {"invite", "i"}});
    CHECK(me(home, work.url()).code == 0);
    CHECK(me(home, mine.url()).code == 0);
    CHECK(me(home, third.url()).code == 4);
    CHECK(work.keys() == std::vector<std::string>{"Bearer oauth3_work_0"});
    CHECK(mine.keys() == std::vector<std::string>(2, "Bearer oauth3_mine_0"));
    CHECK(third.keys().empty());

    const Json config = config_of(home);
    CHECK(config["theme"] == Json{1});
    CHECK(config["key_url"] == mine.url());
    const std::string file = config["profiles"][work.url()]["key_file"];
    CHECK(fs::path(file).is_relative());
    CHECK(home.read(".oauth3/" + file) == "oauth3_work_0\n");
    CHECK(home.mode(".oauth3/" + file) == 0600);
    CHECK(home.mode(".oauth3/keys") == 0700);

    // A second sign-up there does not replace the key in use.
    const Finished again = run_program(home, {"signup", "--url", work.url()});
    CHECK(again.err.find("not stored") != std::string::npos);
    CHECK(me(home, work.url()).code == 0);
    CHECK(work.keys().back() == "Bearer oauth3_work_0");
}

TEST_CASE("profiles can be written by hand, in any spelling of the URL") {
    const Home home;
    const KeyServer server("s");
    const KeyServer other("o");
    const std::string far = home.file("elsewhere/far.key", "far_key\n");
    home.file(".oauth3/near.key", "near_key\n");
    std::string shouting = server.url();
    shouting.replace(0, 4, "HTTP");
    home.file(".oauth3/config.json",
              Json{{"profiles",
                    {{shouting + "/", {{"key_file", "near.key"}, {"note", "mine"}}},
                     {other.url(), {{"key_file", far}}}}}}
                  .dump());
    CHECK(me(home, server.url()).code == 0);
    CHECK(me(home, other.url()).code == 0);
    CHECK(server.keys() == std::vector<std::string>{"Bearer near_key"});
    CHECK(other.keys() == std::vector<std::string>{"Bearer far_key"});
    CHECK(server.signups() + other.signups() == 0);
}

TEST_CASE("with profiles only for others, nothing signs up by itself") {
    const Home home;
    const KeyServer server("s");
    home.file(".oauth3/config.json", R"({"profiles":{"https://other.example":{"key_file":"k"}}})");
    CHECK(me(home, server.url()).code == 4);
    CHECK(server.signups() == 0);
    CHECK(run_program(home, {"signup", "--url", server.url()}).code == 0);
    CHECK(me(home, server.url()).code == 0);
    CHECK(server.keys() == std::vector<std::string>{"Bearer oauth3_s_0"});
}

TEST_CASE("odd profiles do no harm") {
    for (const char* profiles :
         {"5", "[]", "null", R"({"not a url":{"key_file":"k"}})", R"({"URL":5})",
          R"({"URL":{"key_file":5}})", R"({"URL":{"key_file":""}})", R"({"URL":{}})",
          R"({"URL":{"key_file":"missing"}})"}) {
        CAPTURE(profiles);
        const Home home;
        const KeyServer server("s");
        std::string text = profiles;
        if (const std::size_t at = text.find("URL"); at != std::string::npos)
            text.replace(at, 3, server.url());
        home.file(".oauth3/key", "main_key\n");
        home.file(".oauth3/config.json",
                  fmt::format(R"({{"key_url":"http://127.0.0.1:1","profiles":{}}})", text));
        CHECK(me(home, server.url()).code == 4);
        CHECK(server.keys().empty());
        CHECK(run_program(home, {"signup", "--url", server.url()}).err.empty());
        CHECK(me(home, server.url()).code == 0);
        CHECK(server.keys() == std::vector<std::string>{"Bearer oauth3_s_0"});
        CHECK(home.read(".oauth3/key") == "main_key\n");
    }
}

TEST_CASE("a key that was never used does not go to a server that has its own") {
    const Home home;
    const KeyServer server("s");
    const KeyServer other("o");
    home.file(".oauth3/key", "by_hand\n");
    CHECK(run_program(home, {"signup", "--url", server.url()}).err.empty());
    CHECK(me(home, server.url()).code == 0);
    CHECK(server.keys() == std::vector<std::string>{"Bearer oauth3_s_0"});
    // It is still free, and is bound where it is first used.
    CHECK(me(home, other.url()).code == 0);
    CHECK(other.keys() == std::vector<std::string>{"Bearer by_hand"});
    CHECK(config_of(home)["key_url"] == other.url());
}

TEST_CASE("a configured key of the server in use is used beside a stored one for another") {
    const Home home;
    const KeyServer server("s");
    home.file(".oauth3/key", "main_key\n");
    home.file(".oauth3/config.json", Json{{"key_url", "http://127.0.0.1:1"},
                                          {"jwt", "configured"},
                                          {"enclave_url", server.url()}}
                                         .dump());
    CHECK(me(home, server.url()).code == 0);
    CHECK(server.keys() == std::vector<std::string>{"Bearer configured"});
}

TEST_CASE("parallel sign-ups at several servers lose no profile") {
    const Home home;
    const KeyServer mine("mine");
    CHECK(me(home, mine.url()).code == 0);
    std::vector<std::unique_ptr<KeyServer>> servers;
    for (int i = 0; i < 4; ++i)
        servers.push_back(std::make_unique<KeyServer>(fmt::format("n{}", i)));
    {
        std::vector<std::unique_ptr<Program>> programs;
        for (const auto& server : servers)
            programs.push_back(std::make_unique<Program>(
                home, std::vector<std::string>{"signup", "--url", server->url()}));
        for (auto& program : programs) CHECK(program->wait().code == 0);
    }
    for (std::size_t i = 0; i < servers.size(); ++i) {
        CHECK(me(home, servers[i]->url()).code == 0);
        CHECK(servers[i]->keys() ==
              std::vector<std::string>{fmt::format("Bearer oauth3_n{}_0", i)});
    }
    CHECK(me(home, mine.url()).code == 0);
}
