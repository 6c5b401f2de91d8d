// Starting: what is refused, and what the first start leaves behind.

#include "base/files.h"
#include "e2e/database.h"
#include "e2e/harness.h"
#include "support/catch.h"

#include <sys/stat.h>

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

namespace fs = std::filesystem;

Ended serve(std::vector<std::string> options) {
    options.insert(options.begin(), {program(), "serve"});
    return Process(options).wait();
}

unsigned mode_of(const fs::path& path) {
    struct stat info {};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    return info.st_mode & 07777;
}

}  // namespace

TEST_CASE("a first start that can show the owner's key nowhere is refused and makes no owner") {
    const Folder folder;
    const std::string data = folder / "data";
    const Ended ended = serve({"--listen", "127.0.0.1:0", "--data-dir", data});
    INFO(ended.err);
    CHECK(ended.exit_code == 1);
    CHECK(ended.err.find("--owner-key-out") != std::string::npos);
    CHECK(ended.out == "");
    CHECK(ended.err.find("oauth3_owner_") == std::string::npos);
    CHECK(Database(data).number("SELECT count(*) FROM owners") == 0);
    CHECK(Database(data).number("SELECT count(*) FROM keys") == 0);
    CHECK(Database(data).number("SELECT count(*) FROM ledger") == 0);

    // A file that cannot be written is no better.
    const Ended again = serve({"--listen", "127.0.0.1:0", "--data-dir", data, "--owner-key-out",
                               (folder / "missing" / "owner.key").string()});
    CHECK(again.exit_code == 1);
    CHECK(Database(data).number("SELECT count(*) FROM owners") == 0);
}

TEST_CASE("the owner's key is made once, in a file of 0600, and the server's folder is private") {
    Server server;
    CHECK(mode_of(server.owner_key_file()) == 0600);
    CHECK(mode_of(server.data()) == 0700);
    CHECK(mode_of(server.data() / "oauth3.db") == 0600);
    CHECK(mode_of(server.data() / "link.key") == 0600);
    const std::string key = server.owner_key();
    CHECK(key.size() == std::string("oauth3_owner_").size() + 43);
    REQUIRE(server.get("/requests", key).status == 200);

    // The next start makes none, and does not need the option.
    REQUIRE(server.stop().exit_code == 0);
    fs::remove(server.owner_key_file());
    Process next({program(), "serve", "--listen", "127.0.0.1:0", "--data-dir", server.data(),
                  "--owner-key-out", server.owner_key_file()});
    const std::string line = next.wait_line("listening on ");
    CHECK_FALSE(fs::exists(server.owner_key_file()));
    const std::string url =
        line.substr(line.find("http://"), line.find(',') - line.find("http://"));
    CHECK(http(url, {.path = "/requests", .key = key}).status == 200);
    CHECK(Database(server.data()).number("SELECT count(*) FROM owners") == 1);
}

TEST_CASE("a second server on the same data folder is refused and does no harm") {
    const Server server;
    const std::string key = server.sign_up();
    const Submitted made = server.submit(key, "console.log('still here')\n");
    const Ended ended = serve({"--listen", "127.0.0.1:0", "--data-dir", server.data().string(),
                               "--owner-key-out", (server.folder() / "second.key").string()});
    CHECK(ended.exit_code == 1);
    CHECK(ended.err.find("another server") != std::string::npos);
    CHECK_FALSE(fs::exists(server.folder() / "second.key"));
    REQUIRE(server.decide(made.id, "approve").status == 200);
    CHECK(server.poll(key, made.id)["result"]["stdout"] == "still here");
}

TEST_CASE("the server listens on loopback only") {
    const Folder folder;
    for (const char* address :
         {"0.0.0.0:0", "[::]:0", "192.0.2.1:0", "10.0.0.1:3737", ":0", "localhost:0", "127.0.0.1",
          "127.0.0.1:65536", "example.org:80", "[::ffff:0.0.0.0]:0"}) {
        const Ended ended = serve({"--listen", address, "--data-dir", folder / "data",
                                   "--owner-key-out", folder / "owner.key"});
        INFO(address << ": " << ended.err);
        CHECK(ended.exit_code != 0);
        CHECK(ended.signal == 0);
        CHECK_FALSE(fs::exists(folder / "owner.key"));
    }
    // One bad address among good ones is enough.
    CHECK(serve({"--listen", "127.0.0.1:0", "--listen", "0.0.0.0:0", "--data-dir", folder / "data",
                 "--owner-key-out", folder / "owner.key"})
              .exit_code != 0);
    CHECK_FALSE(fs::exists(folder / "owner.key"));
}

TEST_CASE("a port in use is refused, and the folder is free for the next start") {
    const Server server;
    const Folder folder;
    const std::string taken = server.url().substr(std::string("http://").size());
    const Ended ended = serve({"--listen", taken, "--data-dir", folder / "data", "--owner-key-out",
                               folder / "owner.key"});
    INFO(ended.err);
    CHECK(ended.exit_code == 1);
    CHECK_FALSE(fs::exists(folder / "owner.key"));
    Process next({program(), "serve", "--listen", "127.0.0.1:0", "--data-dir", folder / "data",
                  "--owner-key-out", folder / "owner.key"});
    next.wait_line("listening on ");
    CHECK(fs::exists(folder / "owner.key"));
}

TEST_CASE("a data folder that others may write to is refused") {
    const Folder folder;
    const auto data = folder / "data";
    fs::create_directory(data);
    fs::permissions(data, fs::perms::all);
    const Ended ended = serve(
        {"--listen", "127.0.0.1:0", "--data-dir", data, "--owner-key-out", folder / "owner.key"});
    INFO(ended.err);
    CHECK(ended.exit_code == 1);
    CHECK_FALSE(fs::exists(folder / "owner.key"));
}

TEST_CASE("a folder written by a newer version, or a damaged one, is refused") {
    Server server;
    REQUIRE(server.stop().exit_code == 0);
    const auto version = Database(server.data()).number("PRAGMA user_version");
    Database(server.data()).change("PRAGMA user_version = 1000");
    const std::vector<std::string> options{"--listen", "127.0.0.1:0", "--data-dir",
                                           server.data().string()};
    const Ended newer = serve(options);
    CHECK(newer.exit_code == 1);
    CHECK(newer.err.find("newer") != std::string::npos);
    Database(server.data()).change("PRAGMA user_version = " + std::to_string(version));
    write_file(server.data() / "link.key", "short");
    const Ended damaged = serve(options);
    CHECK(damaged.exit_code == 1);
    CHECK(damaged.err.find("link.key") != std::string::npos);
}

TEST_CASE("the ready file holds the address once clients can connect") {
    const Server server;
    CHECK(base::read_file(server.folder() / "ready") == server.url() + "\n");
    const Reply health = server.get("/health");
    CHECK(health.status == 200);
    CHECK(health.json()["status"] == "ok");
    CHECK(health.json()["executor"] == "deno");
    CHECK(health.json()["approval"] == "owner");
    CHECK(health.json()["signup"] == "open");
}

TEST_CASE("health tells when runs cannot start, and such a run does not hang") {
    Server server;
    const std::string key = server.sign_up();
    // The spawner is the server's first child.
    const Submitted made = server.submit(key, "console.log(1)\n");
    const Ended children =
        Process({"/bin/sh", "-c",
                 "cat /proc/" + std::to_string(server.process().pid()) + "/task/*/children"})
            .wait();
    const int spawner = std::stoi(children.out);
    REQUIRE(Process({"/bin/kill", "-9", std::to_string(spawner)}).wait().exit_code == 0);
    REQUIRE(server.decide(made.id, "approve").status == 200);
    const Json end = server.poll(key, made.id);
    CHECK(end["status"] == "failed");
    CHECK(end["error"] == "the sandbox could not be set up");
    CHECK(server.get("/health").status == 503);
    CHECK(server.get("/health").json()["status"] == "degraded");
    CHECK(server.stop().exit_code == 0);
}
