// Listening on a path: who may come in, what lies there before and after.
#include "base/error.h"
#include "base/files.h"
#include "http/server_support.h"
#include "support/catch.h"
#include "support/temporary_folder.h"

#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

using namespace oauth3;
using test::Client;
using test::TemporaryFolder;
using test::TestServer;
namespace fs = std::filesystem;

namespace {

const std::string kWho = "GET /who HTTP/1.1\r\nHost: h\r\n\r\n";

base::Fd new_socket() {
    return base::Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

sockaddr_un at(const fs::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    return address;
}

/// 0 or the errno of connect(2).
int connect(int fd, const fs::path& path) {
    const sockaddr_un address = at(path);
    return ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0
                                                                                           : errno;
}

Client client_at(const fs::path& path) {
    base::Fd fd = new_socket();
    if (connect(fd.get(), path) != 0) throw std::runtime_error("cannot connect");
    return Client(std::move(fd));
}

/// What a server that was killed leaves behind.
void leave_dead_socket(const fs::path& path) {
    const base::Fd fd = new_socket();
    const sockaddr_un address = at(path);
    REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(fd.get(), 1) == 0);
}

mode_t mode_of(const fs::path& path) {
    struct stat status {};
    REQUIRE(::lstat(path.c_str(), &status) == 0);
    return status.st_mode;
}

http::Options at_path(const fs::path& path) {
    http::Options options;
    options.listen = {*http::parse_address("127.0.0.1:0"), http::Listener::at_path(path, 3)};
    return options;
}

http::Reply who(http::Request& request) {
    const std::string uid = request.peer_uid ? std::to_string(*request.peer_uid) : "none";
    return http::Response{200,
                          {},
                          std::to_string(request.listener) + " uid " + uid + " from '" +
                              request.remote_address + "' " +
                              (request.remote_is_loopback ? "here" : "elsewhere"),
                          false};
}

/// The code with which a server refuses to start there, "" if it starts.
std::string refusal(const fs::path& path) {
    try {
        const TestServer server(at_path(path));
    } catch (const base::Error& error) {
        return error.code();
    }
    return "";
}

}  // namespace

TEST_CASE("a unix socket serves its own user, who is named to the handler") {
    const TemporaryFolder folder;
    const fs::path path = folder / "socket";
    const mode_t before = ::umask(0);
    {
        TestServer server(at_path(path), who);
        ::umask(before);
        CHECK(mode_of(path) == (S_IFSOCK | 0600));
        REQUIRE(server.server->local_endpoints().size() == 1);
        Client client = client_at(path);
        const std::string me = std::to_string(::getuid());
        for (int i = 0; i < 3; ++i) CHECK(client.ask(kWho).body == "3 uid " + me + " from '' here");
        Client other(server.port());
        CHECK(other.ask(kWho).body == "0 uid none from '127.0.0.1' here");
        client.send("GET /hold?key=a HTTP/1.1\r\nHost: h\r\n\r\n");
        REQUIRE(TestServer::eventually([&] { return server.server->waiting() == 1; }));
        client.close();
        CHECK(TestServer::eventually([&] { return server.alive == 0; }));
    }
    CHECK_FALSE(fs::exists(fs::symlink_status(path)));
}

TEST_CASE(
    "a socket, and a listener with reserved places, are reached though all others are taken") {
    const TemporaryFolder folder;
    const fs::path path = folder / "socket";
    http::Options options = at_path(path);
    options.listen.emplace_back(*http::parse_address("127.0.0.1:0"), nullptr, 5);
    options.listen.back().is_reserved = true;
    options.max_connections = 1;
    TestServer server(options, who);
    Client first(server.port());
    REQUIRE(first.ask(kWho).status == 200);
    Client waiting(server.port());
    waiting.send(kWho);
    CHECK(client_at(path).ask(kWho).body.starts_with("3 "));
    Client reserved(server.server->local_endpoints()[1].port);
    CHECK(reserved.ask(kWho).body.starts_with("5 "));
    // What is reserved is few, and is lent to nobody else.
    std::vector<Client> many;
    for (int i = 0; i < 7; ++i) {
        many.emplace_back(server.server->local_endpoints()[1].port);
        CHECK(many.back().ask(kWho).status == 200);
    }
    CHECK(TestServer::eventually([&] { return server.server->connections() == 9; }));
    first.close();
    CHECK(waiting.read()->body.starts_with("0 "));
}

TEST_CASE("another user cannot reach the socket, and is named if let in") {
    if (::geteuid() != 0) {
        WARN("not root: there is no second user to be");
        return;
    }
    const TemporaryFolder folder;
    fs::permissions(folder.path(), fs::perms::all);
    const fs::path path = folder / "socket";
    TestServer server(at_path(path), who);
    // The child says over a pipe what it got, since it must not run the rest of the test.
    const auto as_other = [&] {
        base::Pipe pipe = base::make_pipe();
        const pid_t child = ::fork();
        if (child == 0) {
            std::array<char, 256> text{};
            const base::Fd fd = new_socket();
            int failed = ::setresuid(12345, 12345, 12345) != 0 ? -1 : connect(fd.get(), path);
            ssize_t size = std::snprintf(text.data(), text.size(), "errno %d", failed);
            if (failed == 0) {
                (void)!::write(fd.get(), kWho.data(), kWho.size());
                size = ::read(fd.get(), text.data(), text.size());
            }
            (void)!::write(pipe.write.get(), text.data(), static_cast<std::size_t>(size));
            ::_exit(0);
        }
        pipe.write.reset();
        const std::string told = base::read_all(pipe.read.get(), 1000);
        ::waitpid(child, nullptr, 0);
        return told;
    };
    CHECK(as_other() == "errno " + std::to_string(EACCES));
    CHECK(server.handled == 0);
    fs::permissions(path, fs::perms::all);
    CHECK(as_other().find("3 uid 12345 from") != std::string::npos);
}

TEST_CASE("what a dead server left is replaced") {
    const TemporaryFolder folder;
    const fs::path path = folder / "socket";
    leave_dead_socket(path);
    {
        TestServer server(at_path(path), who);
        CHECK(mode_of(path) == (S_IFSOCK | 0600));
        CHECK(client_at(path).ask(kWho).status == 200);
    }
    CHECK_FALSE(fs::exists(fs::symlink_status(path)));
}

TEST_CASE("a living server keeps its socket") {
    const TemporaryFolder folder;
    const fs::path path = folder / "socket";
    TestServer server(at_path(path), who);
    CHECK(refusal(path) == "socket_in_use");
    CHECK(client_at(path).ask(kWho).status == 200);
    SECTION("also if it is too busy to accept") {
        const fs::path busy = folder / "busy";
        const base::Fd listener = new_socket();
        const sockaddr_un address = at(busy);
        REQUIRE(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address),
                       sizeof address) == 0);
        REQUIRE(::listen(listener.get(), 0) == 0);
        const base::Fd first = new_socket();
        REQUIRE(connect(first.get(), busy) == 0);
        CHECK(refusal(busy) == "socket_in_use");
        CHECK(fs::exists(busy));
    }
}

TEST_CASE("of many that start at once on a dead socket one gets it, and keeps it") {
    const TemporaryFolder folder;
    const fs::path path = folder / "socket";
    for (int round = 0; round < 20; ++round) {
        leave_dead_socket(path);
        std::vector<std::unique_ptr<TestServer>> servers(4);
        std::vector<std::thread> threads;
        std::atomic<int> refused{0};
        for (auto& server : servers) {
            threads.emplace_back([&] {
                try {
                    server = std::make_unique<TestServer>(at_path(path), who);
                } catch (const base::Error& error) {
                    if (error.code() == "socket_in_use") ++refused;
                }
            });
        }
        for (auto& thread : threads) thread.join();
        REQUIRE(refused == 3);
        REQUIRE(client_at(path).ask(kWho).status == 200);
        servers.clear();
        REQUIRE_FALSE(fs::exists(fs::symlink_status(path)));
    }
}

TEST_CASE("nothing but a dead socket is ever removed") {
    const TemporaryFolder folder;
    const fs::path path = folder / "socket";
    SECTION("a file") {
        base::write_private_file(path, "precious");
    }
    SECTION("a folder") {
        fs::create_directory(path);
    }
    SECTION("a link to a dead socket") {
        leave_dead_socket(folder / "dead");
        fs::create_symlink(folder / "dead", path);
    }
    SECTION("a link to nowhere") {
        fs::create_symlink(folder / "nowhere", path);
    }
    const auto before = fs::symlink_status(path);
    CHECK(refusal(path) == "bad_socket_path");
    CHECK(fs::symlink_status(path) == before);
}

TEST_CASE("a path that the kernel cannot take is refused, not cut") {
    const TemporaryFolder folder;
    CHECK(refusal(folder / std::string(120, 'x')) == "bad_socket_path");
    CHECK(fs::is_empty(folder.path()));
    CHECK(refusal(folder / "missing" / "socket") == "system");
    // The longest one works.
    const std::size_t room = 107 - folder.path().native().size() - 1;
    CHECK(refusal(folder / std::string(room, 'x')).empty());
}

TEST_CASE("a server that ends removes its own socket only") {
    const TemporaryFolder folder;
    const fs::path path = folder / "socket";
    {
        TestServer server(at_path(path), who);
        fs::remove(path);
        base::write_private_file(path, "of somebody else");
    }
    CHECK(base::read_file(path) == "of somebody else");
}

TEST_CASE("SIGHUP calls the hooks on the loop, each time, and ends nothing") {
    http::Options options;
    options.handle_signals = true;
    options.listen = {*http::parse_address("127.0.0.1:0")};
    http::Server server(
        options, [](http::Request&) { return http::Response(); },
        [](http::Failure, const http::Request&) { return http::Response(); });
    std::atomic<int> first{0};
    std::atomic<int> second{0};
    std::atomic<std::thread::id> where{};
    server.on_hangup([&] {
        ++first;
        throw std::runtime_error("a reload that failed");
    });
    server.on_hangup([&] {
        where = std::this_thread::get_id();
        ++second;
    });
    std::thread thread([&] { server.run(); });
    for (int i = 1; i <= 3; ++i) {
        REQUIRE(::kill(::getpid(), SIGHUP) == 0);
        CHECK(TestServer::eventually([&] { return second == i; }));
        CHECK(first == i);
    }
    CHECK(where.load() == thread.get_id());
    Client client(server.local_endpoints().front().port);
    CHECK(client.ask(kWho).status == 200);
    REQUIRE(::kill(::getpid(), SIGTERM) == 0);
    thread.join();
}
