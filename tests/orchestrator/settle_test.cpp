#include "orchestrator/settle.h"

#include "base/utf8.h"
#include "support/catch.h"

#include <csignal>

using namespace oauth3::orchestrator;
using oauth3::base::Seconds;
using oauth3::policy::Status;
using oauth3::runtime::Cause;
using oauth3::runtime::Outcome;

namespace {

Outcome ended(Cause cause, int exit_code, int signal = 0) {
    Outcome out;
    out.cause = cause;
    out.exit_code = exit_code;
    out.signal = signal;
    out.out = " out \n";
    out.err = " err \n";
    out.usage.wall = std::chrono::milliseconds(731);
    return out;
}

Settlement settled(const Outcome& outcome) {
    Settlement out = settlement_of(outcome, Seconds(5));
    CHECK(out.error.has_value() == (out.status != Status::completed));
    if (out.error) CHECK_FALSE(out.error->empty());
    CHECK(out.result.has_value() == (outcome.cause != Cause::setup));
    if (out.result) CHECK(out.result->success == (out.status == Status::completed));
    return out;
}

}  // namespace

TEST_CASE("a run that succeeded is trimmed, one that did not is left as it is") {
    const auto good = settled(ended(Cause::finished, 0));
    CHECK(good.status == Status::completed);
    CHECK(good.result->out == "out");
    CHECK(good.result->err == "err");
    CHECK(good.result->exit_code == 0);
    CHECK(good.result->duration.count() == 731);
    CHECK_FALSE(good.result->signal.has_value());
    const auto bad = settled(ended(Cause::finished, 3));
    CHECK(bad.status == Status::failed);
    CHECK(bad.result->out == " out \n");
    CHECK(bad.result->err == " err \n");
    CHECK(bad.result->exit_code == 3);
    CHECK(bad.error == "err");
    Outcome blank = ended(Cause::finished, 0);
    blank.out = " \t\r\n\v\f";
    blank.err.clear();
    CHECK(settled(blank).result->out.empty());
    // Inner white space, and what only looks like it, stays.
    blank.out = "\na\n\nb\u00A0\n";
    CHECK(settled(blank).result->out == "a\n\nb\u00A0");
}

TEST_CASE("an error says something even if the program did not") {
    Outcome quiet = ended(Cause::finished, 3);
    quiet.err = GENERATE("", " ", "\n\t\r\n");
    CHECK(settled(quiet).error == "exit code 3");
    quiet.cause = Cause::signal;
    quiet.signal = SIGSEGV;
    CHECK(settled(quiet).error == "ended by SIGSEGV");
    quiet.err = std::string("\0", 1);
    CHECK(settled(quiet).error == std::string("\0", 1));
}

TEST_CASE("signals have their names") {
    const auto [number, name] = GENERATE(table<int, const char*>({{SIGKILL, "SIGKILL"},
                                                                  {SIGTERM, "SIGTERM"},
                                                                  {SIGTRAP, "SIGTRAP"},
                                                                  {SIGABRT, "SIGABRT"},
                                                                  {SIGXCPU, "SIGXCPU"},
                                                                  {SIGSYS, "SIGSYS"},
                                                                  {40, "SIG40"},
                                                                  {64, "SIG64"}}));
    const auto end = settled(ended(Cause::signal, 128 + number, number));
    CHECK(end.status == Status::failed);
    CHECK(end.result->signal == name);
    CHECK(end.result->exit_code == 128 + number);
}

TEST_CASE("each cause has its end") {
    const auto late = settled(ended(Cause::deadline, 124, SIGKILL));
    CHECK(late.status == Status::failed);
    CHECK(late.error == "timed out after 5 s");
    CHECK(late.result->timed_out);
    CHECK_FALSE(late.result->oom_killed);
    CHECK(late.result->exit_code == 124);
    CHECK(late.result->out == " out \n");

    const auto memory = settled(ended(Cause::memory, 133, SIGTRAP));
    CHECK(memory.status == Status::failed);
    CHECK(memory.error == "out of memory");
    CHECK(memory.result->oom_killed);
    CHECK_FALSE(memory.result->timed_out);

    const auto cancelled = settled(ended(Cause::cancelled, 137, SIGKILL));
    CHECK(cancelled.status == Status::cancelled);
    CHECK(cancelled.error == "cancelled");
    CHECK_FALSE(cancelled.result->success);

    CHECK(settled(ended(Cause::tripwire, 137, SIGKILL)).status == Status::failed);

    Outcome setup;
    setup.setup_error = "/home/me/.oauth3: no user namespaces";
    const auto never = settled(setup);
    CHECK(never.status == Status::failed);
    CHECK(never.error->find("/home") == std::string::npos);  // what is inside stays in the log
}

TEST_CASE("exit 0 with another cause is no success") {
    for (const Cause cause :
         {Cause::signal, Cause::deadline, Cause::memory, Cause::cancelled, Cause::tripwire})
        CHECK_FALSE(settled(ended(cause, 0, SIGKILL)).result->success);
}

TEST_CASE("output is valid UTF-8 of at most 1 MiB, also when replacing makes it longer") {
    Outcome flood = ended(Cause::finished, 0);
    flood.out = std::string(kMaxOutput, '\xFF');
    flood.err =
        "a\xC0"
        "b";
    auto end = settled(flood);
    CHECK(end.result->truncated);
    CHECK(end.result->out.size() <= kMaxOutput);
    CHECK(end.result->out.size() > kMaxOutput - 3);
    CHECK(oauth3::base::is_valid_utf8(end.result->out));
    CHECK(end.result->err == "a\uFFFDb");

    flood.out = std::string(kMaxOutput - 1, 'x') + "\u20AC";
    end = settled(flood);
    CHECK(end.result->truncated);
    CHECK(end.result->out.size() == kMaxOutput - 1);

    flood.out = std::string(kMaxOutput, 'x');
    CHECK_FALSE(settled(flood).result->truncated);
    flood.err_truncated = true;
    CHECK(settled(flood).result->truncated);
    flood.cause = Cause::finished;
    flood.exit_code = 1;
    flood.err = std::string(kMaxOutput, '\xFF');
    CHECK(oauth3::base::is_valid_utf8(*settled(flood).error));
    CHECK(settled(flood).error->size() > kMaxError - 3);
    CHECK(settled(flood).error->size() <= kMaxError);
    CHECK(settled(flood).result->err.size() > kMaxOutput - 3);
}
