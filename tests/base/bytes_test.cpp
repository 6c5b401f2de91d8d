// utf8, crypto, secret strings, descriptors, files, log.
#include "base/clock.h"
#include "base/crypto.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/files.h"
#include "base/log.h"
#include "base/secret_string.h"
#include "base/utf8.h"
#include "support/catch.h"
#include "support/property.h"
#include "support/temporary_folder.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unictype.h>
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
using oauth3::test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

const std::uint8_t* bytes(std::string_view text) {
    return reinterpret_cast<const std::uint8_t*>(text.data());
}

/// libunistring's opinion, which shares nothing with ours.
bool oracle_valid(std::string_view text) {
    return u8_check(bytes(text), text.size()) == nullptr;
}

/// Bytes that are nearly UTF-8: real sequences, cut ones, strays.
std::string nearly_text() {
    std::string out;
    const auto parts = *rc::gen::inRange(0, 12);
    for (int i = 0; i < parts; ++i) {
        std::string part;
        append_utf8(part, *rc::gen::weightedOneOf<char32_t>(
                              {{2, rc::gen::inRange<char32_t>(0, 0x80)},
                               {2, rc::gen::inRange<char32_t>(0x80, 0x800)},
                               {2, rc::gen::inRange<char32_t>(0x800, 0x11000)},
                               {1, rc::gen::inRange<char32_t>(0xD7F0, 0xE010)},
                               {1, rc::gen::inRange<char32_t>(0x10000, 0x110010)}}));
        switch (*rc::gen::inRange(0, 4)) {
            case 0:
                out += part.substr(0, *rc::gen::inRange<std::size_t>(0, part.size() + 1));
                break;
            case 1:
                out += static_cast<char>(*rc::gen::inRange(0x80, 0x100));
                break;
            default:
                out += part;
        }
    }
    return out;
}

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
    const TemporaryFolder folder;
    const fs::path path = folder / "stderr";
    const Fd saved(::dup(STDERR_FILENO));
    const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    ::dup2(file.get(), STDERR_FILENO);
    work();
    ::dup2(saved.get(), STDERR_FILENO);
    return read_file(path);
}

}  // namespace

TEST_CASE("utf8: every pair and many triples of bytes are judged as the standard does") {
    std::size_t wrong = 0;
    for (unsigned a = 0; a < 256; ++a)
        for (unsigned b = 0; b < 256; ++b) {
            const std::string two{static_cast<char>(a), static_cast<char>(b)};
            if (is_valid_utf8(two) != oracle_valid(two)) ++wrong;
            for (const unsigned c :
                 {0x00u, 0x41u, 0x7Fu, 0x80u, 0x8Fu, 0x90u, 0x9Fu, 0xA0u, 0xBFu, 0xC0u, 0xFFu}) {
                const std::string three = two + static_cast<char>(c);
                if (is_valid_utf8(three) != oracle_valid(three)) ++wrong;
                const std::string four = three + "\x80";
                if (is_valid_utf8(four) != oracle_valid(four)) ++wrong;
            }
        }
    CHECK(wrong == 0);
}

TEST_CASE("utf8: every code point survives writing and reading") {
    std::size_t wrong = 0;
    for (char32_t c = 0; c < 0x110000; ++c) {
        std::string text;
        append_utf8(text, c);
        const CodePoint read = next_code_point(text);
        const bool surrogate = c >= 0xD800 && c < 0xE000;
        if (read.valid == surrogate) ++wrong;
        if (!surrogate && (read.value != c || read.size != text.size())) ++wrong;
    }
    CHECK(wrong == 0);
}

TEST_CASE("utf8: what is made valid is valid, stays so, and loses nothing that was valid") {
    CHECK(to_valid_utf8("a\xFF"
                        "b") == "a\uFFFDb");
    CHECK(to_valid_utf8("\xE2\x82") == "\uFFFD");
    CHECK(to_valid_utf8("\xE2\x82\xE2\x82\xAC") == "\uFFFD\u20AC");
    // The example of the Unicode standard, table 3-8.
    CHECK(to_valid_utf8("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41") ==
          "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA");
    CHECK(to_valid_utf8("\xF1\x80\x80\xE1\x80\xC2"
                        "b\x80") == "\uFFFD\uFFFD\uFFFDb\uFFFD");
    CHECK(rc::check([] {
        const std::string raw = nearly_text();
        const std::string valid = to_valid_utf8(raw);
        RC_ASSERT(oracle_valid(valid));
        RC_ASSERT(is_valid_utf8(valid));
        RC_ASSERT(to_valid_utf8(valid) == valid);
        RC_ASSERT(valid.size() <= 3 * raw.size());
        if (oracle_valid(raw)) RC_ASSERT(valid == raw);
        if (oracle_valid(raw)) RC_ASSERT(utf8_length(raw) == u8_mbsnlen(bytes(raw), raw.size()));
    }));
}

TEST_CASE("utf8: a cut is never longer than asked and never splits a character") {
    CHECK(cut_utf8("a\u20ACb", 3) == "a");
    CHECK(cut_utf8("a\u20ACb", 4) == "a\u20AC");
    CHECK(cut_utf8("\U0001F4A9", 3).empty());
    CHECK(cut_utf8("abc", 0).empty());
    CHECK(rc::check([] {
        const std::string raw = nearly_text();
        const auto limit = *rc::gen::inRange<std::size_t>(0, raw.size() + 3);
        const std::string_view cut = cut_utf8(raw, limit);
        RC_ASSERT(cut.size() <= limit);
        RC_ASSERT(raw.starts_with(cut));
        RC_ASSERT(cut.size() + 3 >= std::min(limit, raw.size()));
        if (oracle_valid(raw)) RC_ASSERT(oracle_valid(cut));
    }));
}

TEST_CASE("utf8: all that Unicode calls invisible or direction-changing is deceptive") {
    std::vector<unsigned> missed;
    for (ucs4_t c = 0; c < 0x110000; ++c) {
        if (c >= 0xD800 && c < 0xE000) continue;
        const bool invisible =
            uc_is_property_default_ignorable_code_point(c) || uc_is_property_bidi_control(c) ||
            uc_is_general_category(c, UC_CONTROL) || uc_is_general_category(c, UC_LINE_SEPARATOR) ||
            uc_is_general_category(c, UC_PARAGRAPH_SEPARATOR);
        if (invisible && !is_deceptive(c)) missed.push_back(c);
    }
    CHECK(missed == std::vector<unsigned>{});
    for (const char32_t c : {U'a', U' ', U'\u00E9', U'\u4E2D', U'\u0627', U'\U0001F4A9'})
        CHECK_FALSE(is_deceptive(c));
}

TEST_CASE("utf8: visible text holds nothing deceptive") {
    CHECK(make_visible("a\x1B[2Jb", false) == "a<U+001B>[2Jb");
    CHECK(make_visible("a\u202Eb\xFF", false) == "a<U+202E>b<0xFF>");
    CHECK(make_visible("a\n\tb\r", true) == "a\n\tb<U+000D>");
    CHECK(make_visible("a\nb", false) == "a<U+000A>b");
    CHECK(rc::check([](bool keep_lines) {
        const std::string visible = make_visible(nearly_text(), keep_lines);
        RC_ASSERT(oracle_valid(visible));
        for (std::string_view rest = visible; !rest.empty();) {
            const CodePoint c = next_code_point(rest);
            const bool line = keep_lines && (c.value == '\n' || c.value == '\t');
            RC_ASSERT(line || !is_deceptive(c.value));
            rest.remove_prefix(c.size);
        }
        RC_ASSERT(make_visible(visible, keep_lines) == visible);
    }));
}

TEST_CASE("crypto: known answers") {
    CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(sha256_hex({}) == sha256_hex(""));
    CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    CHECK(sha256_hex(std::string(1'000'000, 'a')) ==
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    CHECK(sha256_hex(std::string(1, '\0')) ==
          "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    CHECK(sha256_base64("abc") == "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    // Made once with: printf abc | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102...1f, and
    // with the empty message. (RFC 4231 has no key of 32 bytes.)
    std::string key;
    for (char c = 0; c < 32; ++c) key += c;
    CHECK(hmac_sha256_hex(key, "abc") ==
          "f0133729c4163dede81e21cd47839256da58171238c8a0d874397c73b14e1e47");
    CHECK(hmac_sha256_hex(key, "") ==
          "d38b42096d80f45f826b44a9d5607de72496a415d3f4a1a8c88e3bb9da8dc1cb");
    CHECK_THROWS_AS(hmac_sha256_hex(key.substr(1), "abc"), Error);
    CHECK_THROWS_AS(hmac_sha256_hex(key + "x", "abc"), Error);
    CHECK_THROWS_AS(hmac_sha256_hex("", ""), Error);
}

TEST_CASE("crypto: encodings") {
    CHECK(to_hex(std::string("\x00\xFF\x10", 3)) == "00ff10");
    CHECK(to_hex("").empty());
    CHECK(to_base64url("\xFB\xFF\xFE") == "-__-");
    CHECK(to_base64url("a") == "YQ");
    CHECK(to_base64url("").empty());
    CHECK(to_base64url(random_bytes(32)).size() == 43);
}

TEST_CASE("crypto: constant-time comparison compares") {
    CHECK(equal_constant_time("", ""));
    CHECK(equal_constant_time({}, {}));
    CHECK_FALSE(equal_constant_time("a", ""));
    CHECK_FALSE(equal_constant_time("a", "ab"));
    CHECK_FALSE(equal_constant_time(std::string_view("a\0b", 3), std::string_view("a\0c", 3)));
    CHECK(rc::check([](const std::string& a, const std::string& b) {
        RC_ASSERT(equal_constant_time(a, b) == (a == b));
        RC_ASSERT(equal_constant_time(a, std::string(a)));
    }));
    std::string text(64, 'x');
    for (std::size_t i = 0; i < text.size(); ++i)
        for (int bit = 0; bit < 8; ++bit) {
            std::string other = text;
            other[i] = static_cast<char>(other[i] ^ (1 << bit));
            CHECK_FALSE(equal_constant_time(text, other));
        }
}

TEST_CASE("crypto: ids are of their form and do not repeat") {
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        const std::string id = make_id("exec_");
        CHECK(is_id(id, "exec_"));
        seen.insert(id);
    }
    CHECK(seen.size() == 1000);
    CHECK_FALSE(is_id("exec_0123456789abcdef", "scope_"));
    CHECK_FALSE(is_id("exec_0123456789abcdeF", "exec_"));
    CHECK_FALSE(is_id("exec_0123456789abcde", "exec_"));
    CHECK_FALSE(is_id("exec_0123456789abcdef0", "exec_"));
    CHECK_FALSE(is_id("", "exec_"));
    CHECK_FALSE(is_id(std::string_view("exec_0123456789abcde\0", 21), "exec_"));
    for (int i = 0; i < 1000; ++i) CHECK(random_below(7) < 7);
    CHECK(random_below(1) == 0);
    CHECK(random_bytes(0).empty());
}

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
    const TemporaryFolder folder;
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
    const TemporaryFolder folder;
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
    const TemporaryFolder folder;
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
    const TemporaryFolder folder;
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
