// The review command as a process: what it gets, what it may do, and what is left of it.
#include "notify/review_command.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/files.h"
#include "base/log.h"
#include "support/catch.h"
#include "support/temporary_folder.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

using namespace oauth3;
using namespace std::chrono_literals;
using jail::StopSignal;
using notify::Opinion;
using notify::ReviewCommand;
using notify::Verdict;
using test::TemporaryFolder;

namespace {

namespace fs = std::filesystem;

std::size_t open_descriptors() {
    const fs::directory_iterator all("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

/// Declared first in a case: at its end no child is left and no descriptor more than before.
struct NothingLeft {
    std::size_t before = open_descriptors();
    ~NothingLeft() {
        CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
        CHECK(errno == ECHILD);
        CHECK(open_descriptors() == before);
    }
};

/// Asks a command that has all the time it wants.
Opinion ask(const std::string& command, const std::string& request = "{}") {
    const NothingLeft nothing_left;
    const StopSignal stop;
    return ReviewCommand(command, 1h).review(request, stop);
}

/// What a command finds out, as words that need no escapes in JSON.
std::string found_by(const std::string& command, const std::string& request = "{}") {
    const Opinion opinion =
        ask("found=$( " + command + R"() && printf '{"verdict":"ask","reason":"%s"}' "$found")",
            request);
    INFO(opinion.reason);
    CHECK_FALSE(opinion.failed);
    return opinion.reason;
}

void check_failed(const Opinion& opinion, const std::string& reason) {
    CHECK(opinion.verdict == Verdict::ask);
    CHECK(opinion.failed);
    CHECK(opinion.reason == reason);
}

/// Waits for the end of a process that is not ours; it must come.
bool dies(pid_t pid) {
    const base::Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!pidfd) return errno == ESRCH;
    pollfd death{pidfd.get(), POLLIN, 0};
    const bool dead = ::poll(&death, 1, 10'000) == 1;
    if (!dead) ::kill(pid, SIGKILL);
    return dead;
}

bool is_running(pid_t pid) {
    const base::Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    pollfd death{pidfd.get(), POLLIN, 0};
    return pidfd && ::poll(&death, 1, 0) == 0;
}

/// A named pipe that is open on our side, so that nobody waits for the other one to open it.
class Fifo {
  public:
    explicit Fifo(const fs::path& path) {
        REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
        fd_.reset(::open(path.c_str(), O_RDWR | O_CLOEXEC));
        REQUIRE(fd_);
    }
    std::string read_line() const {
        std::string line;
        char c = 0;
        while (::read(fd_.get(), &c, 1) == 1 && c != '\n') line += c;
        return line;
    }
    void close() { fd_.reset(); }

  private:
    base::Fd fd_;
};

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

/// Takes from the calling thread the right to kill processes of other users.
void may_kill_only_own() {
    __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct sets[2]{};
    REQUIRE(::syscall(SYS_capget, &head, sets) == 0);
    sets[0].effective &= ~(1U << CAP_KILL);
    REQUIRE(::syscall(SYS_capset, &head, sets) == 0);
}

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
    const std::string too_much = "the review command wrote more than 65536 bytes";
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
    CHECK(log.find("the review command wrote to stderr") != std::string::npos);
    CHECK(log.find(std::string(4000, 'x')) != std::string::npos);
    CHECK(log.size() < 4096 + 200);
    CHECK(log.find('\033') == std::string::npos);
    CHECK(std::count(log.begin(), log.end(), '\n') == 1);
}

TEST_CASE("an endless flood of stderr ends at the time limit") {
    const NothingLeft nothing_left;
    const StopSignal stop;
    check_failed(ReviewCommand("yes >&2", 200ms).review("{}", stop),
                 "the review command did not answer within 200 ms");
}

TEST_CASE("what hangs and ignores all it can ends at the time limit, with its group") {
    const TemporaryFolder folder;
    const fs::path file = folder / "pids";
    const std::string command = R"(trap '' TERM INT HUP QUIT; echo '{"verdict":"no_objection"}'
        (sleep 1000; sleep 1000) & echo $! $$ end > )" +
                                file.string() + "; exec >&-; wait; wait";
    // However slow this machine is now: some limit is long enough for the beginning.
    for (base::Millis limit = 200ms;; limit *= 2) {
        const NothingLeft nothing_left;
        const StopSignal stop;
        check_failed(
            ReviewCommand(command, limit).review("{}", stop),
            "the review command did not answer within " + std::to_string(limit.count()) + " ms");
        std::ifstream pids(file);
        pid_t member = -1;
        pid_t shell = -1;
        std::string end;
        if (!(pids >> member >> shell >> end)) continue;
        CHECK(dies(member));
        CHECK(dies(shell));
        break;
    }
}

TEST_CASE("a limit that is over before it begins") {
    const NothingLeft nothing_left;
    const StopSignal stop;
    for (const base::Millis limit : {0ms, -5ms, base::Millis::min()})
        check_failed(ReviewCommand("sleep 1000", limit).review("{}", stop),
                     "the review command did not answer within 0 ms");
    CHECK(ReviewCommand(R"(echo '{"verdict":"deny"}')", base::Millis::max())
              .review("{}", stop)
              .verdict == Verdict::deny);
}

TEST_CASE("what a command leaves running in its group is killed, and not waited for") {
    // It holds all streams open.
    const pid_t left = std::stoi(found_by("sleep 1000 >&2 & echo $!"));
    CHECK(dies(left));
    const NothingLeft nothing_left;
    const StopSignal stop;
    const Opinion opinion =
        ReviewCommand(R"(sleep 1000 & printf '{"verdict":"deny","reason":"%d"}' $!)", 1h)
            .review("{}", stop);
    CHECK(opinion.verdict == Verdict::deny);
    CHECK(dies(std::stoi(opinion.reason)));
    // As above, after a failure.
    const TemporaryFolder folder;
    const fs::path file = folder / "pid";
    check_failed(ask("sleep 1000 & echo $! >" + file.string() + "; exit 3"),
                 "the review command ended with status 3");
    CHECK(dies(std::stoi(base::read_file(file))));
    check_failed(ask("sleep 1000 & echo $! >" + file.string() + "; yes"),
                 "the review command wrote more than 65536 bytes");
    CHECK(dies(std::stoi(base::read_file(file))));
}

TEST_CASE("a daemon that holds stdout open holds nothing up") {
    const TemporaryFolder folder;
    Fifo life(folder / "life");
    const Fifo ready(folder / "ready");
    // It lives in a session of its own until `life` is closed here.
    const std::string daemon = "setsid sh -c 'exec 9<" + (folder / "life").string() +
                               "; echo $$ >" + (folder / "ready").string() +
                               "; read never <&9' & read pid <" + (folder / "ready").string() +
                               "\n";
    pid_t pid = -1;
    SECTION("when the shell has answered") {
        const Opinion opinion = ask(daemon + R"(printf '{"verdict":"deny","reason":"%d"}' $pid)");
        CHECK(opinion.verdict == Verdict::deny);
        CHECK_FALSE(opinion.failed);
        pid = std::stoi(opinion.reason);
    }
    SECTION("when the time is over") {
        const NothingLeft nothing_left;
        const StopSignal stop;
        const fs::path file = folder / "pid";
        const std::string command = daemon + "echo $pid >" + file.string() + "; sleep 1000";
        for (base::Millis limit = 200ms; !(std::ifstream(file) >> pid); limit *= 2)
            check_failed(ReviewCommand(command, limit).review("{}", stop),
                         "the review command did not answer within " +
                             std::to_string(limit.count()) + " ms");
    }
    CHECK(is_running(pid));
    life.close();
    CHECK(dies(pid));
}

TEST_CASE("a daemon that writes for ever holds nothing up") {
    const Opinion opinion = ask(R"(setsid yes & setsid yes >&2 & echo '{"verdict":"deny"}')");
    CHECK(opinion.verdict != Verdict::no_objection);
}

TEST_CASE("a stop ends the wait, and nothing begins after it") {
    const NothingLeft nothing_left;
    const TemporaryFolder folder;
    const std::string stopped = "the review command was not waited for, because the server stops";
    StopSignal stop;
    pid_t pid = -1;
    {
        const Fifo ready(folder / "ready");
        std::thread server([&] {
            pid = std::stoi(ready.read_line());
            stop.request_stop();
        });
        const ReviewCommand command("trap '' TERM; echo $$ >" + (folder / "ready").string() +
                                        R"(; echo '{"verdict":"no_objection"}'; sleep 1000)",
                                    1h);
        check_failed(command.review("{}", stop), stopped);
        server.join();
    }
    CHECK(dies(pid));
    const fs::path file = folder / "began";
    check_failed(ReviewCommand("touch " + file.string(), 1h).review("{}", stop), stopped);
    CHECK_FALSE(fs::exists(file));
}

TEST_CASE("what cannot be killed holds nothing up, and is reaped once it ends") {
    if (ask("setpriv --reuid 12345 true && echo '{\"verdict\":\"deny\"}'").failed) return;
    const TemporaryFolder folder;
    const Fifo ready(folder / "ready");
    StopSignal stop;
    Opinion opinion;
    std::thread worker([&] {
        may_kill_only_own();
        // As sudo does it: from here on it is somebody else's.
        const std::string command =
            "exec setpriv --reuid 12345 sh -c 'echo $$ >&9; exec sleep 1000' 9>" +
            (folder / "ready").string();
        opinion = ReviewCommand(command, 1h).review("{}", stop);
    });
    const pid_t pid = std::stoi(ready.read_line());
    stop.request_stop();
    worker.join();
    CHECK(opinion.failed);
    CHECK(opinion.verdict == Verdict::ask);
    CHECK(is_running(pid));
    CHECK(::kill(pid, SIGKILL) == 0);
    CHECK(dies(pid));
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (::kill(pid, 0) == 0 && std::chrono::steady_clock::now() < until)
        std::this_thread::yield();
    CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
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

TEST_CASE("a server that was started without interest in its children gets it") {
    SECTION("ignored") {
        ::signal(SIGCHLD, SIG_IGN);
    }
    SECTION("not to be waited for") {
        struct sigaction action {};
        action.sa_handler = [](int) {};
        action.sa_flags = SA_NOCLDWAIT;
        ::sigaction(SIGCHLD, &action, nullptr);
    }
    CHECK(ask(R"(echo '{"verdict":"no_objection"}')").verdict == Verdict::no_objection);
    ::signal(SIGCHLD, SIG_DFL);
}

TEST_CASE("a command whose end was lost means ask") {
    const StopSignal stop;
    const ReviewCommand command(R"(echo '{"verdict":"no_objection"}')", 1h);
    ::signal(SIGCHLD, SIG_IGN);
    const Opinion opinion = command.review("{}", stop);
    ::signal(SIGCHLD, SIG_DFL);
    CHECK(opinion.failed);
    CHECK(opinion.verdict == Verdict::ask);
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
