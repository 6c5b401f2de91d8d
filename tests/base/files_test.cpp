// Secret strings, descriptors, files, log.
#include "base/files.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/secret_string.h"
#include "base/utf8.h"
#include "support/catch.h"
#include "support/temporary_folder.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unistr.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <regex>
#include <thread>
#include <type_traits>

using namespace oauth3::base;
using TestFolder = oauth3::test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

std::size_t open_descriptors() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator("/proc/self/fd")) ++count;
    return count;
}

mode_t mode_of(const fs::path& path) {
    struct stat info {};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    return info.st_mode & 07777;
}

std::size_t entries(const fs::path& folder) {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

/// What is written to stderr while `work` runs.
template <typename Work>
std::string stderr_of(Work work) {
    const TestFolder folder;
    const fs::path path = folder / "stderr";
    const Fd saved(::dup(STDERR_FILENO));
    const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    ::dup2(file.get(), STDERR_FILENO);
    work();
    ::dup2(saved.get(), STDERR_FILENO);
    return read_file(path);
}

/// libunistring's opinion, which shares nothing with ours.
bool oracle_valid(std::string_view text) {
    return u8_check(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()) == nullptr;
}

}  // namespace

TEST_CASE("a secret string cannot be copied, and is empty after it was moved from") {
    static_assert(!std::is_copy_constructible_v<SecretString>);
    static_assert(!std::is_copy_assignable_v<SecretString>);
    static_assert(!std::is_convertible_v<SecretString, std::string>);
    static_assert(!std::is_convertible_v<SecretString, std::string_view>);
    static_assert(!std::is_default_constructible_v<fmt::formatter<SecretString>>);
    for (const std::string& value : {std::string("short"), std::string(1000, 's')}) {
        SecretString first{std::string(value)};
        SecretString second = std::move(first);
        CHECK(first.empty());  // NOLINT: looking at what was moved from is the point
        CHECK(second.reveal() == value);
        SecretString third;
        third = std::move(second);
        CHECK(second.empty());  // NOLINT
        CHECK(third.reveal() == value);
    }
    char data[8] = "secret!";
    wipe(data, sizeof data);
    CHECK(std::string_view(data, sizeof data) == std::string_view("\0\0\0\0\0\0\0\0", 8));
}

TEST_CASE("descriptors are closed exactly once, also when something throws") {
    const std::size_t before = open_descriptors();
    {
        Pipe pipe = make_pipe();
        SocketPair pair = make_seqpacket_pair();
        Fd moved = std::move(pipe.read);
        CHECK(pipe.read.get() == -1);  // NOLINT
        pipe.read = std::move(moved);
        Fd& same = pipe.write;
        pipe.write = std::move(same);
        CHECK(pipe.write);
        for (const int fd :
             {pipe.read.get(), pipe.write.get(), pair.first.get(), pair.second.get()})
            CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
        const Fd memory = make_sealed_memory("test", "bytes");
        CHECK((::fcntl(memory.get(), F_GETFD) & FD_CLOEXEC) != 0);
        CHECK(read_all(memory.get(), 5) == "bytes");
        CHECK(::write(memory.get(), "x", 1) == -1);
        CHECK(::ftruncate(memory.get(), 0) == -1);
        CHECK(::ftruncate(memory.get(), 100) == -1);
        ::lseek(memory.get(), 0, SEEK_SET);
        CHECK_THROWS_AS(read_all(memory.get(), 4), Error);
        CHECK_THROWS_AS(write_all(pipe.read.get(), "x"), SystemError);
        CHECK_THROWS_AS(read_file("/proc/self/nothing"), SystemError);
        CHECK_THROWS_AS(read_file("/"), SystemError);
        Fd closed = make_pipe().read;
        ::close(closed.release());
    }
    CHECK(open_descriptors() == before);
}

TEST_CASE("a private file is written whole or not at all, and nobody else may read it") {
    const TestFolder folder;
    const mode_t mask = ::umask(0);
    const fs::path path = folder / "key";
    write_private_file(path, std::string("a\0b", 3));
    CHECK(read_file(path) == std::string("a\0b", 3));
    CHECK(mode_of(path) == 0600);
    // A file that others could read is replaced, not written into.
    ::chmod(path.c_str(), 0666);
    write_private_file(path, "new");
    CHECK(mode_of(path) == 0600);
    // A link is replaced too; what it led to stays.
    write_private_file(folder / "other", "kept");
    fs::create_symlink(folder / "other", folder / "link");
    write_private_file(folder / "link", "mine");
    CHECK(read_file(folder / "other") == "kept");
    CHECK_FALSE(fs::is_symlink(folder / "link"));
    ::umask(mask);

    CHECK_THROWS_AS(write_private_file(folder / "none" / "key", "x"), SystemError);
    fs::create_directory(folder / "full");
    CHECK_THROWS_AS(write_private_file(folder / "full", "x"), SystemError);
    CHECK_THROWS_AS(read_file(path, 2), Error);
    CHECK(entries(folder.path()) == 4);  // no temporary file stays behind
}

TEST_CASE("a failing write leaves the old file and no rest") {
    const TestFolder folder;
    const fs::path path = folder / "key";
    write_private_file(path, "old");
    // /dev/full cannot stand for a new file beside the old one; a size limit can.
    const pid_t child = ::fork();
    if (child == 0) {
        const struct rlimit limit { 1000, 1000 };
        ::signal(SIGXFSZ, SIG_IGN);
        if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(2);
        try {
            write_private_file(path, std::string(5000, 'x'));
        } catch (const SystemError& error) {
            ::_exit(error.number() == EFBIG ? 0 : 3);
        }
        ::_exit(4);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    CHECK(read_file(path) == "old");
    CHECK(entries(folder.path()) == 1);
}

TEST_CASE("of sixteen writers at once exactly one creates the file") {
    const TestFolder folder;
    for (int round = 0; round < 20; ++round) {
        const fs::path path = folder / ("key" + std::to_string(round));
        std::atomic<int> winners{0};
        std::atomic<int> winner{-1};
        std::atomic<int> ready{0};
        std::vector<std::thread> threads;
        for (int i = 0; i < 16; ++i)
            threads.emplace_back([&, i] {
                ++ready;
                while (ready < 16) std::this_thread::yield();
                if (create_private_file(path, std::string(1000, static_cast<char>('a' + i)))) {
                    ++winners;
                    winner = i;
                }
            });
        for (std::thread& thread : threads) thread.join();
        CHECK(winners == 1);
        CHECK(read_file(path) == std::string(1000, static_cast<char>('a' + winner)));
        CHECK(mode_of(path) == 0600);
    }
    CHECK(entries(folder.path()) == 20);
    // Nor is anything written through a link that somebody laid out.
    fs::create_symlink(folder / "target", folder / "link");
    CHECK_FALSE(create_private_file(folder / "link", "x"));
    CHECK_FALSE(fs::exists(folder / "target"));
    CHECK_THROWS_AS(create_private_file(folder / "none" / "key", "x"), SystemError);
}

TEST_CASE("private folders are made private, and refused if they are not") {
    const TestFolder folder;
    const mode_t mask = ::umask(0);
    make_private_folder(folder / "a/b/c");
    for (const char* name : {"a", "a/b", "a/b/c"}) CHECK(mode_of(folder / name) == 0700);
    make_private_folder(folder / "d/");
    CHECK(mode_of(folder / "d") == 0700);
    ::umask(mask);
    make_private_folder(folder / "a/b/c");
    ::chmod((folder / "a").c_str(), 0755);
    CHECK_NOTHROW(make_private_folder(folder / "a"));
    for (const mode_t mode : {0770u, 0702u, 01777u}) {
        ::chmod((folder / "a").c_str(), mode);
        CHECK_THROWS_AS(make_private_folder(folder / "a"), Error);
    }
    ::chmod((folder / "a").c_str(), 0700);
    write_private_file(folder / "file", "x");
    CHECK_THROWS_AS(make_private_folder(folder / "file"), SystemError);
    CHECK_THROWS_AS(make_private_folder(folder / "file/below"), SystemError);
    CHECK_THROWS_AS(make_private_folder(""), SystemError);
    fs::create_symlink(folder / "nowhere", folder / "dangling");
    CHECK_THROWS_AS(make_private_folder(folder / "dangling"), SystemError);
    if (::geteuid() == 0) {
        // Made first by somebody else, who would then hold all that is put there.
        REQUIRE(::chown((folder / "a").c_str(), 12345, 12345) == 0);
        CHECK_THROWS_AS(make_private_folder(folder / "a"), Error);
    }
}

TEST_CASE("nobody's input forges a log line") {
    const std::string attack =
        "name\n2026-01-01T00:00:00.000Z error forged\r\n\x1B[2J\u202E\u2028\x85\xFF end";
    const std::string log = stderr_of([&] {
        log_warning("agent {} signed up", attack);
        log_error("{}", std::string(100'000, '\n'));
        log_line(LogLevel::debug, "not shown");
    });
    CHECK(std::count(log.begin(), log.end(), '\n') == 2);
    CHECK(oracle_valid(log));
    CHECK(log.find("not shown") == std::string::npos);
    const std::string first = log.substr(0, log.find('\n'));
    CHECK(std::regex_match(first.substr(0, 33),
                           std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z warning )")));
    for (std::string_view rest = first; !rest.empty();) {
        const CodePoint c = next_code_point(rest);
        CHECK_FALSE(is_deceptive(c.value));
        rest.remove_prefix(c.size);
    }
}

TEST_CASE("log levels decide what is written") {
    const std::string log = stderr_of([] {
        set_log_level(LogLevel::error);
        log_info("quiet");
        log_error("loud");
        set_log_level(LogLevel::debug);
        log_line(LogLevel::debug, "detail");
        set_log_level(LogLevel::info);
    });
    CHECK(log.find("quiet") == std::string::npos);
    CHECK(log.find(" error loud\n") != std::string::npos);
    CHECK(log.find(" debug detail\n") != std::string::npos);
}
