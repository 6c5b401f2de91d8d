// The review command as a process: what it is given, and what it may answer.
#include "notify/review_command.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/files.h"
#include "base/log.h"
#include "notify/fixture.h"
#include "support/catch.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <sstream>
#include <thread>

using namespace oauth3;
using namespace oauth3::notify::test;
using namespace std::chrono_literals;
using notify::Opinion;
using notify::ReviewCommand;
using notify::Verdict;
namespace fs = std::filesystem;

namespace {

/// Sets a variable of this process, or removes it, while it lives.
class Variable {
  public:
    Variable(std::string name, const char* value) : name_(std::move(name)) {
        if (const char* const old = std::getenv(name_.c_str())) old_ = old;
        set(value);
    }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;
    ~Variable() { set(old_ ? old_->c_str() : nullptr); }

  private:
    void set(const char* value) const {
        if (value != nullptr)
            ::setenv(name_.c_str(), value, 1);
        else
            ::unsetenv(name_.c_str());
    }
    std::string name_;
    std::optional<std::string> old_;
};

/// What is written to our stderr while `work` runs, at level debug.
template <typename Work>
std::string debug_log_of(Work work) {
    const TemporaryFolder folder;
    const auto path = folder / "stderr";
    const base::Fd saved(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
    const base::Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    ::dup2(file.get(), STDERR_FILENO);
    base::set_log_level(base::LogLevel::debug);
    work();
    base::set_log_level(base::LogLevel::info);
    ::dup2(saved.get(), STDERR_FILENO);
    return base::read_file(path, std::size_t{1} << 20);
}

}  // namespace

TEST_CASE("a command says each verdict") {
    const Opinion good = ask(R"(echo '{"verdict":"no_objection"}')");
    CHECK(good.verdict == Verdict::no_objection);
    CHECK(good.reason == "");
    CHECK_FALSE(good.failed);

    const Opinion doubt = ask(R"(echo '{"verdict":"ask","reason":"Who is it?"}')");
    CHECK(doubt.verdict == Verdict::ask);
    CHECK(doubt.reason == "Who is it?");
    CHECK_FALSE(doubt.failed);

    const Opinion bad = ask(R"(echo '{"verdict":"deny"}')");
    CHECK(bad.verdict == Verdict::deny);
    CHECK(bad.reason == "the review command denied it without a reason");
    CHECK_FALSE(bad.failed);
}

TEST_CASE("the request comes on stdin, whole, and ends there") {
    const TemporaryFolder folder;
    for (const std::size_t size : {0U, 1U, 65'536U, 1U << 20, 5U << 20}) {
        const std::string request(size, 'x');
        const fs::path copy = folder / "copy";
        CHECK(found_by("tee " + copy.string() + " | wc -c", request) == std::to_string(size));
        CHECK(base::read_file(copy, std::size_t{8} << 20) == request);
    }
    CHECK(found_by("cat", "{\\\"é\\\":1}") == "{\"é\":1}");
    // Also by its name, and nobody can change it.
    CHECK(found_by("cat /dev/stdin", "7") == "7");
    CHECK(found_by("(echo 8 >/dev/stdin) 2>/dev/null; cat", "7") == "7");
}

TEST_CASE("a command need not read its request") {
    const std::string request(1 << 20, 'x');
    CHECK(ask(R"(echo '{"verdict":"deny"}')", request).verdict == Verdict::deny);
    CHECK(ask(R"(exec <&-; echo '{"verdict":"deny"}')", request).verdict == Verdict::deny);
    CHECK(ask(R"(head -c 1 >/dev/null; echo '{"verdict":"deny"}')", request).verdict ==
          Verdict::deny);
    check_failed(ask("exit 3", request), "the review command ended with status 3");
}

TEST_CASE("other answers and other ends mean ask") {
    check_failed(
        ask("echo hello"),
        "the review command gave no proper answer: the text is not valid JSON (at byte 1)");
    check_failed(ask("true"), "the review command gave no proper answer: it is empty");
    check_failed(
        ask(R"(echo '{"verdict":"no_objection"}{}')"),
        "the review command gave no proper answer: the text is not valid JSON (at byte 27)");
    check_failed(ask(R"(echo '{"verdict":"no_objection"}'; exit 1)"),
                 "the review command ended with status 1");
    check_failed(ask(R"(echo '{"verdict":"deny"}'; exit 255)"),
                 "the review command ended with status 255");
    check_failed(ask(R"(echo '{"verdict":"no_objection"}'; kill -TERM $$)"),
                 "the review command was ended by signal 15");
    check_failed(ask(R"(echo '{"verdict":"no_objection"}'; kill -KILL $$)"),
                 "the review command was ended by signal 9");
    check_failed(ask("/no/such/command"), "the review command ended with status 127");
    check_failed(ask("no_such_command"), "the review command ended with status 127");
    check_failed(ask("/"), "the review command ended with status 126");
    check_failed(ask("if"), "the review command ended with status 2");
}

TEST_CASE("a command that cannot be is refused at once") {
    CHECK_THROWS_AS(ReviewCommand("", 1s), base::Error);
    CHECK_THROWS_AS(ReviewCommand(std::string("true\0; false", 12), 1s), base::Error);
}

TEST_CASE("the answer is what stands in stdout when the shell ends") {
    CHECK(ask(R"(printf '{"verdict":'; printf '"deny"}'; exec >&-)").verdict == Verdict::deny);
    CHECK(ask(R"(echo '{"verdict":"deny"}' | cat | cat)").verdict == Verdict::deny);
    CHECK(ask(R"(echo '{"verdict":"deny"}' & wait)").verdict == Verdict::deny);
}

TEST_CASE("an answer may have 64 KiB, and not a byte more") {
    const std::string answer = R"({"verdict":"deny"})";
    const auto padded = [&](std::size_t size) {
        return "printf '" + answer + "'; head -c " + std::to_string(size - answer.size()) +
               R"( /dev/zero | tr '\0' ' ')";
    };
    const std::string too_much =
        "the review command gave no proper answer: it is larger than 65536 bytes";
    CHECK(ask(padded(65'536)).verdict == Verdict::deny);
    check_failed(ask(padded(65'537)), too_much);
    check_failed(ask(padded(10'000'000)), too_much);
    check_failed(ask("yes"), too_much);
    check_failed(ask("trap '' PIPE TERM; while :; do yes; done"), too_much);
}

TEST_CASE("stderr is drained, and its beginning logged at level debug") {
    const std::string flood = R"(printf '\033[2J'; head -c 1000000 /dev/zero | tr '\0' x)";
    Opinion opinion;
    const std::string log = debug_log_of([&] {
        const NothingLeft nothing_left;
        const StopSignal stop;
        opinion = ReviewCommand("(" + flood + R"() >&2; echo '{"verdict":"deny"}')", 1h)
                      .review("{}", stop);
    });
    CHECK(opinion.verdict == Verdict::deny);
    CHECK(log.find(" debug the review command wrote to stderr ") != std::string::npos);
    CHECK(log.find(std::string(4000, 'x')) != std::string::npos);
    CHECK(log.size() < 4096 + 200);
    CHECK(log.find('\033') == std::string::npos);
    CHECK(std::count(log.begin(), log.end(), '\n') == 1);
}

TEST_CASE("the environment holds four variables at most, and none of the server's others") {
    // As it was given to the shell, which adds its own.
    const std::string environment = R"(tr '\0' '\n' </proc/$$/environ | sort | tr '\n' ,)";
    const Variable secret("OAUTH3_OWNER_KEY", "planted");
    const Variable other("OTHER", "planted");
    const Variable preload("LC_ALL", "C");
    const Variable lang("LANG", "C.UTF-8");
    const std::string path = std::getenv("PATH");
    {
        const Variable home("HOME", "/home/it is");
        const Variable temporary("TMPDIR", nullptr);
        CHECK(found_by(environment) == "HOME=/home/it is,LANG=C.UTF-8,PATH=" + path + ",");
    }
    const Variable home("HOME", nullptr);
    const Variable temporary("TMPDIR", "/var/tmp");
    CHECK(found_by(environment) == "LANG=C.UTF-8,PATH=" + path + ",TMPDIR=/var/tmp,");
}

TEST_CASE("no descriptor but 0, 1 and 2 arrives") {
    const base::Fd careless(::fcntl(STDERR_FILENO, F_DUPFD, 0));
    const base::Fd high(::fcntl(STDERR_FILENO, F_DUPFD, 200));
    const base::Fd careful(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100));
    // The last one is the folder that is being listed: the lowest that was free.
    CHECK(found_by("cd /proc/$$/fd; echo *") == "0 1 2 3");
    // stdout and stderr are pipes, and what is written to them is not what is read from stdin.
    CHECK(found_by("for i in 1 2; do readlink /proc/$$/fd/$i | tr -d '0-9\\n'; done") ==
          "pipe:[]pipe:[]");
}

TEST_CASE("it runs in the root folder, in a session of its own, without a terminal") {
    CHECK(found_by("pwd -P") == "/");
    CHECK(found_by("readlink /proc/$$/cwd") == "/");
    std::istringstream numbers(found_by("cut -d ' ' -f 1,5,6,7 /proc/$$/stat"));
    pid_t pid = 0;
    pid_t group = 0;
    pid_t session = 0;
    int terminal = -1;
    REQUIRE(numbers >> pid >> group >> session >> terminal);
    CHECK(group == pid);
    CHECK(session == pid);
    CHECK(session != ::getsid(0));
    CHECK(terminal == 0);
}

TEST_CASE("no signal is blocked or ignored there, whatever the server does with it") {
    sigset_t some;
    sigset_t before;
    ::sigemptyset(&some);
    for (const int number : {SIGTERM, SIGALRM, SIGUSR2, SIGRTMIN}) ::sigaddset(&some, number);
    ::pthread_sigmask(SIG_BLOCK, &some, &before);
    const int ignored[] = {SIGPIPE, SIGUSR1, SIGQUIT, SIGRTMIN + 1};
    for (const int number : ignored) ::signal(number, SIG_IGN);
    ::signal(SIGHUP, [](int) {});
    // Of cat: a shell has handlers of its own.
    std::istringstream found(
        found_by("exec cat /proc/self/status | sed -n 's/^Sig\\(Blk\\|Ign\\|Cgt\\):\\t/ 0x/p' | tr "
                 "-d '\\n'"));
    for (const int number : ignored) ::signal(number, SIG_DFL);
    ::signal(SIGHUP, SIG_DFL);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    std::uint64_t blocked = 1;
    std::uint64_t ignoring = 1;
    std::uint64_t caught = 1;
    REQUIRE(found >> std::hex >> blocked >> ignoring >> caught);
    CHECK(blocked == 0);
    // 32 and 33 belong to the C library: its posix_spawn(3) always leaves them so.
    CHECK((ignoring & ~0x180000000U) == 0);
    CHECK(caught == 0);
}

TEST_CASE("a command that cannot be started means ask") {
    // Longer than the kernel takes one argument.
    check_failed(ask(R"(echo '{"verdict":"no_objection"}' #)" + std::string(200'000, 'x')),
                 "the review command could not be run: start /bin/sh: Argument list too long");
}

#ifndef __SANITIZE_ADDRESS__  // the checks of a sanitizer need descriptors themselves
TEST_CASE("a server without descriptors to spare means ask") {
    const NothingLeft nothing_left;
    const StopSignal stop;
    const ReviewCommand command(R"(echo '{"verdict":"no_objection"}')", 1h);
    std::vector<base::Fd> all;
    for (;;) {
        base::Fd one(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
        if (!one) break;
        all.push_back(std::move(one));
    }
    // It needs six: with each number that is too small, another step fails.
    for (int free = 0; free < 6; ++free) {
        INFO(free);
        const Opinion opinion = command.review("{}", stop);
        CHECK(opinion.failed);
        CHECK(opinion.verdict == Verdict::ask);
        CHECK(opinion.reason.starts_with("the review command could not be run: "));
        CHECK(opinion.reason.ends_with(": Too many open files"));
        all.pop_back();
    }
    CHECK(command.review("{}", stop).verdict == Verdict::no_objection);
}
#endif

TEST_CASE("eight threads that ask at once get each its own answer") {
    const NothingLeft nothing_left;
    const StopSignal stop;
    const ReviewCommand command(
        R"(n=$(cat); [ "$n" != 13 ] || yes; printf '{"verdict":"deny","reason":"%s"}' "$n")", 1h);
    std::vector<std::vector<Opinion>> answers(8);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < answers.size(); ++i)
        threads.emplace_back([&, i] {
            for (std::size_t k = 0; k < 10; ++k)
                answers[i].push_back(command.review(std::to_string(i * 10 + k), stop));
        });
    for (std::thread& thread : threads) thread.join();
    for (std::size_t i = 0; i < answers.size(); ++i)
        for (std::size_t k = 0; k < 10; ++k) {
            const Opinion& answer = answers[i][k];
            CHECK(answer.failed == (i * 10 + k == 13));
            if (!answer.failed) CHECK(answer.reason == std::to_string(i * 10 + k));
        }
}
