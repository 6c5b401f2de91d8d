#include "base/json.h"
#include "client/stand_in.h"
#include "program.h"
#include "support/catch.h"

#include <fmt/format.h>

// Which key goes to which server, and how keys are kept.

using namespace oauth3;
using namespace oauth3::test;
using base::Json;

namespace {

const std::string kId = "exec_00000000000000a1";

/// Hands out keys "oauth3_new_0", "oauth3_new_1", ... and knows every request.
class KeyServer {
  public:
    KeyServer()
        : server_([this](const HttpRequest& request) -> HttpReply {
              if (request.path() == "/signup")
                  return {.body = fmt::format(R"({{"api_key":"oauth3_new_{}"}})", number_++)};
              return {.body = R"({"status":"completed"})"};
          }) {}
    std::string url() const { return server_.url(); }
    /// The keys that arrived with requests other than signing up.
    std::vector<std::string> keys() const {
        std::vector<std::string> out;
        for (const HttpRequest& request : server_.requests())
            if (request.path() != "/signup") out.push_back(request.header("authorization"));
        return out;
    }
    std::size_t signups() const { return server_.count("POST", "/signup"); }

  private:
    std::atomic<int> number_{0};
    StandIn server_;
};

Finished status(const Home& home, const std::string& url, std::vector<std::string> more = {},
                std::map<std::string, std::string> environment = {}) {
    std::vector<std::string> words{"status", kId, "--url", url};
    words.insert(words.end(), more.begin(), more.end());
    return run_program(home, words, {.environment = std::move(environment)});
}

}  // namespace

TEST_CASE("without a key the first use signs up, keeps the key, and later ones use it") {
    const Home home;
    const KeyServer server;
    CHECK(status(home, server.url()).code == 0);
    CHECK(status(home, server.url() + "/").code == 0);
    CHECK(server.signups() == 1);
    CHECK(server.keys() == std::vector<std::string>(2, "Bearer oauth3_new_0"));
    CHECK(home.read(".oauth3/key") == "oauth3_new_0\n");
    CHECK(home.mode(".oauth3/key") == 0600);
    CHECK(home.mode(".oauth3") == 0700);
    CHECK(base::parse_json(home.read(".oauth3/config.json"))["key_url"] == server.url());
}

TEST_CASE("the stored key is not sent to another server") {
    const Home home;
    const KeyServer mine;
    const KeyServer other;
    CHECK(status(home, mine.url()).code == 0);
    const Finished done = status(home, other.url());
    CHECK(done.code == 4);
    CHECK(done.err.find("--key-file") != std::string::npos);
    CHECK(base::parse_json(done.out)["code"] == "authentication");
    CHECK(other.keys().empty());
    CHECK(other.signups() == 0);
    // Named by the human it may go there, and the binding stays.
    CHECK(status(home, other.url(), {"--key-file", home.file("k", "other_key\n")}).code == 0);
    CHECK(other.keys() == std::vector<std::string>{"Bearer other_key"});
    CHECK(status(home, mine.url()).code == 0);
}

TEST_CASE("a key that was never used is bound at its first use, and unknown members stay") {
    const Home home;
    const KeyServer first;
    const KeyServer second;
    home.file(".oauth3/key", "by_hand\n");
    home.file(".oauth3/config.json", R"({"theme":{"a":[1]},"url":"http://127.0.0.1:1"})");
    CHECK(status(home, first.url()).code == 0);
    CHECK(status(home, second.url()).code == 4);
    CHECK(second.keys().empty());
    const Json config = base::parse_json(home.read(".oauth3/config.json"));
    CHECK(config ==
          Json{{"theme", {{"a", {1}}}}, {"url", "http://127.0.0.1:1"}, {"key_url", first.url()}});
}

TEST_CASE("keys are looked for in the order of the wire document") {
    const Home home;
    const KeyServer server;
    home.file(".oauth3/config.json",
              Json{{"jwt", "from_config"}, {"enclave_url", server.url() + "/"}}.dump());
    CHECK(status(home, server.url()).code == 0);
    home.file(".oauth3/key", "from_file\n");
    CHECK(status(home, server.url()).code == 0);
    const std::map<std::string, std::string> environment{{"OAUTH3_API_KEY", "from_env"}};
    CHECK(status(home, server.url(), {}, environment).code == 0);
    CHECK(status(home, server.url(), {"--key-file", home.file("k", "named\n")}, environment).code ==
          0);
    const Finished warned = status(home, server.url(), {"--key", "argv"}, environment);
    CHECK(warned.err.find("warning: --key") != std::string::npos);
    CHECK(server.keys() == std::vector<std::string>{"Bearer from_config", "Bearer from_file",
                                                    "Bearer from_env", "Bearer named",
                                                    "Bearer argv"});
    CHECK(server.signups() == 0);
}

TEST_CASE("an empty key, or the word undefined, is no key") {
    for (const char* text : {"", "\n", "undefined\n"}) {
        const Home home;
        const KeyServer server;
        home.file(".oauth3/key", text);
        CHECK(status(home, server.url(), {}, {{"OAUTH3_API_KEY", "undefined"}}).code == 0);
        CHECK(server.keys() == std::vector<std::string>{"Bearer oauth3_new_0"});
        CHECK(home.read(".oauth3/key") == "oauth3_new_0\n");
        CHECK(status(home, server.url(), {"--key-file", home.file("k", text)}).code == 4);
    }
}

TEST_CASE("a configured key of another server is not used") {
    const Home home;
    const KeyServer server;
    home.file(".oauth3/config.json", R"({"jwt":"theirs","enclave_url":"http://127.0.0.1:9"})");
    CHECK(status(home, server.url()).code == 0);
    CHECK(server.keys() == std::vector<std::string>{"Bearer oauth3_new_0"});
}

TEST_CASE("parallel first uses end with one key, which all later calls use") {
    const Home home;
    const KeyServer server;
    {
        std::vector<std::unique_ptr<Program>> programs;
        for (int i = 0; i < 4; ++i)
            programs.push_back(std::make_unique<Program>(
                home, std::vector<std::string>{"status", kId, "--url", server.url()}));
        for (auto& program : programs) CHECK(program->wait().code == 0);
    }
    const std::string key = home.read(".oauth3/key");
    CHECK(server.keys() == std::vector<std::string>(4, "Bearer " + key.substr(0, key.size() - 1)));
}

TEST_CASE("parallel first uses at two servers do not mix the keys") {
    const Home home;
    const KeyServer one;
    const KeyServer two;
    Program first(home, {"status", kId, "--url", one.url()});
    Program second(home, {"status", kId, "--url", two.url()});
    const int codes = first.wait().code + second.wait().code;
    CHECK(codes == 4);  // one has won, the other is told that the key is not for it
    const std::string bound = base::parse_json(home.read(".oauth3/config.json"))["key_url"];
    const KeyServer& winner = bound == one.url() ? one : two;
    const KeyServer& loser = bound == one.url() ? two : one;
    CHECK(winner.keys().size() == 1);
    CHECK(loser.keys().empty());
}

TEST_CASE("a key file that others can read is named in a warning") {
    const Home home;
    const KeyServer server;
    const Finished open = status(home, server.url(), {"--key-file", home.file("k", "key", 0644)});
    CHECK(open.code == 0);
    CHECK(open.err.find("other users can read the key") != std::string::npos);
    const Finished shut = status(home, server.url(), {"--key-file", home.file("k", "key", 0600)});
    CHECK(shut.err.empty());
}

TEST_CASE("keys that could break a header are refused unsent and unshown") {
    const Home home;
    const KeyServer server;
    const Finished done =
        status(home, server.url(), {"--key-file", home.file("k", "secret1\r\nX-Evil: secret2\n")});
    CHECK(done.code == 4);
    CHECK((done.out + done.err).find("secret") == std::string::npos);
    CHECK(server.keys().empty());
}

TEST_CASE("without HOME nothing is kept, so nothing is signed up") {
    const Home home;
    const KeyServer server;
    const Finished done = status(home, server.url(), {}, {{"HOME", ""}});
    CHECK(done.code == 4);
    CHECK(server.signups() == 0);
    CHECK(status(home, server.url(), {}, {{"HOME", ""}, {"OAUTH3_API_KEY", "k"}}).code == 0);
}

TEST_CASE("nothing signs up by itself where the new key could not be kept") {
    const Home home;
    const KeyServer server;
    // A folder of root's in which not even root can make a file.
    std::filesystem::create_directory_symlink("/proc/sys", home.path() / ".oauth3");
    const Finished done = status(home, server.url());
    CHECK(done.code == 4);
    CHECK(done.err.find("--key-file") != std::string::npos);
    CHECK(server.signups() == 0);
}

TEST_CASE("a new key that cannot be kept after all serves the command that made it") {
    const Home home;
    std::string used;
    StandIn server([&](const HttpRequest& request) -> HttpReply {
        if (request.path() != "/signup") {
            used = request.header("authorization");
            return {.body = R"({"status":"completed"})"};
        }
        std::filesystem::create_directory(home.path() / ".oauth3/config.json");
        return {.body = R"({"api_key":"oauth3_new"})"};
    });
    const Finished done = status(home, server.url());
    CHECK(done.code == 0);
    CHECK(used == "Bearer oauth3_new");
    CHECK(done.err.find("warning: the new key serves only now") != std::string::npos);
    CHECK_FALSE(home.has(".oauth3/key"));
}

TEST_CASE("a key on a read-only disk is used, though it cannot be bound") {
    const Home home;
    const KeyServer server;
    home.file(".oauth3/key", "mounted\n");
    const std::string err = home.file("err", "");
    const std::string folder = (home.path() / ".oauth3").string();
    const auto in_read_only = [&](const std::string& command) {
        return ::system(fmt::format("unshare --map-root-user --mount sh -c 'mount --bind {0} {0} "
                                    "&& mount -o remount,ro,bind {0} && {1}'",
                                    folder, command)
                            .c_str());
    };
    if (in_read_only("true") != 0) {
        WARN("no name space for mounts here");
        return;
    }
    CHECK(in_read_only(fmt::format("HOME={} {} status {} --url {} >/dev/null 2>{}",
                                   home.path().string(), OAUTH3_PROGRAM, kId, server.url(), err)) ==
          0);
    CHECK(server.keys() == std::vector<std::string>{"Bearer mounted"});
    CHECK(home.read("err").find("warning: the key is not bound to " + server.url()) !=
          std::string::npos);
}

TEST_CASE("sign-up prints its reply and keeps the key unless there is one") {
    const Home home;
    const KeyServer server;
    const Finished first = run_program(home, {"signup", "--url", server.url()});
    CHECK(first.code == 0);
    CHECK(base::parse_json(first.out)["api_key"] == "oauth3_new_0");
    const Finished second = run_program(home, {"signup", "--url", server.url()});
    CHECK(base::parse_json(second.out)["api_key"] == "oauth3_new_1");
    CHECK(second.err.find("not stored") != std::string::npos);
    CHECK(home.read(".oauth3/key") == "oauth3_new_0\n");
}

TEST_CASE("the server is found in the order of the wire document") {
    const Home home;
    const KeyServer a, b, c, d;
    const auto ask = [&](std::vector<std::string> more, const std::string& variable) {
        std::vector<std::string> words{"status", kId, "--key-file", home.file("k", "key\n")};
        words.insert(words.end(), more.begin(), more.end());
        CHECK(run_program(home, words, {.environment = {{"OAUTH3_URL", variable}}}).code == 0);
    };
    home.file(".oauth3/config.json", Json{{"enclave_url", d.url()}}.dump());
    ask({}, "");
    CHECK(d.keys().size() == 1);
    home.file(".oauth3/config.json", Json{{"enclave_url", d.url()}, {"url", c.url()}}.dump());
    ask({}, "");
    CHECK(c.keys().size() == 1);
    ask({}, b.url());
    CHECK(b.keys().size() == 1);
    ask({"--url", a.url()}, b.url());
    CHECK(a.keys().size() == 1);
    home.file(".oauth3/config.json", "{broken");
    CHECK(run_program(home, {"status", kId}).code == 1);
}

TEST_CASE("plain http to another machine is named in a warning") {
    const Home home;
    // A name that is never resolved (RFC 6761).
    const Finished done =
        status(home, "http://nowhere.invalid", {"--key-file", home.file("k", "k")});
    CHECK(done.code == 6);
    CHECK(done.err.find("not encrypted") != std::string::npos);
}
