// TypeScript programs. Each is run three times: as the server runs programs; in the same jail but
// with all of Deno's own permissions, which are no boundary; and outside with the same permissions.
#include "runtime/deno.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/files.h"
#include "escape/attack.h"
#include "escape/scene.h"

#include <unistd.h>

using namespace oauth3;
using namespace oauth3::escape;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

using Environment = std::vector<std::pair<std::string, std::string>>;

fs::path binary() {
    const fs::path pinned =
        OAUTH3_SOURCE_DIR "/scripts/deno/node_modules/@deno/linux-x64-glibc/deno";
    return runtime::find_deno(fs::exists(pinned) ? pinned : fs::path());
}

const runtime::Deno& deno() {
    prepare_scene();
    static const jail::test::Folder made;
    static const runtime::Deno one(jail::test::spawner(), binary(), made.path() / "jail");
    return one;
}

std::string code_of(const std::string& name) {
    const fs::path programs = OAUTH3_SOURCE_DIR "/tests/escape/deno";
    return base::read_file(programs / "prelude.ts") + base::read_file(programs / (name + ".ts"));
}

/// Where things are, as a program that knows all of it would have it.
Environment knowledge(const std::string& scratch, const std::string& place) {
    return {{"SERVER", fill_in("{server}")},
            {"FOLDER", fill_in("{folder}")},
            {"TCP", fill_in("{tcp}")},
            {"TCP6", fill_in("{tcp6}")},
            {"UDP", fill_in("{udp}")},
            {"SCRATCH", scratch},
            {"PLACE", place}};
}

std::string without_newline(std::string text) {
    if (text.ends_with('\n')) text.pop_back();
    return text;
}

std::string as_the_server_does(const std::string& name) {
    runtime::Job job;
    job.code = code_of(name);
    job.environment = knowledge("/tmp", "");
    const runtime::Outcome outcome = deno().run(job, nullptr);
    INFO(outcome.err);
    CHECK(outcome.setup_error == "");
    return without_newline(outcome.out);
}

std::string with_all_permissions(const std::string& name) {
    jail::Spec job = jail::test::spec({});
    job.root = deno().root();
    job.syscalls = jail::SyscallProfile::deno;
    job.argv = {"/deno",       "run",       "--allow-all",   "--no-remote", "--no-npm",
                "--no-config", "--no-lock", "--cached-only", "--quiet",     "--no-code-cache",
                "main.ts"};
    job.environment = knowledge("/tmp", "");
    for (const auto& [variable, value] : Environment{{"DENO_DIR", "/tmp/.deno"},
                                                     {"DENO_NO_UPDATE_CHECK", "1"},
                                                     {"HOME", "/tmp"},
                                                     {"NO_COLOR", "1"}})
        job.environment.emplace_back(variable, value);
    job.cwd = "/tmp/work";
    job.files.push_back({"work/main.ts", code_of(name)});
    return told_by(jail::test::run(job));
}

std::string outside(const std::string& name, const Environment& more = {}) {
    const jail::test::Folder scratch;
    const fs::path program = scratch.path() / "main.ts";
    base::write_private_file(program, code_of(name));
    // First, since an error shows no more than the beginning of a line.
    std::vector<std::string> variables{std::string(kPlantedVariable) + "=planted"};
    for (char** entry = environ; *entry != nullptr; ++entry) variables.emplace_back(*entry);
    Environment all = knowledge(scratch.path(), scratch.path());
    all.insert(all.end(), more.begin(), more.end());
    all.emplace_back("DENO_DIR", scratch.path() / "cache");
    for (const auto& [variable, value] : all) variables.push_back(variable + "=" + value);
    std::vector<std::string> words{binary(),    "run",     "--allow-all", "--no-config",
                                   "--no-lock", "--quiet", program};
    return without_newline(output_of(words, variables));
}

struct Results {
    Words as_the_server_does;
    Words with_all_permissions;
    Words outside;
    bool outside_as_root = false;
};

void check_program(const std::string& name, const Results& expected) {
    expect(as_the_server_does(name), expected.as_the_server_does);
    expect(with_all_permissions(name), expected.with_all_permissions);
    if (expected.outside_as_root && !is_mighty()) return;
    expect(outside(name), expected.outside);
}

}  // namespace

/// One row: PROGRAM(name, file, {as the server does}, {with all permissions}, {outside}).
#define PROGRAM(name, file, ...) PROGRAM_AT(__LINE__, name, file, __VA_ARGS__)
#define PROGRAM_AT(line, name, file, ...) PROGRAM_COUNTED(line, name, file, __VA_ARGS__)
#define PROGRAM_COUNTED(line, name, file, ...)                                 \
    [[maybe_unused]] static const int program_in_line_##line = count_attack(); \
    TEST_CASE(name, "[attack]") {                                              \
        check_program(file, Results{__VA_ARGS__});                             \
    }                                                                          \
    static_assert(true)

PROGRAM("TypeScript reads a file of the server", "read-file", {"NotCapable"}, {"ENOENT"}, {"ok"});
PROGRAM("TypeScript imports a file to see it in the error", "import-file", {"nothing"}, {"nothing"},
        {"ok"});
PROGRAM("TypeScript imports an environment to see it in the error", "import-environment",
        {"nothing"}, {"nothing"}, {"ok"});
PROGRAM("TypeScript reads the server's environment", "read-server-environment", {"NotCapable"},
        {"ENOENT"}, {"ok"});
PROGRAM("TypeScript reads a variable of the server", "read-planted-variable", {"nothing"},
        {"nothing"}, {"ok"});
PROGRAM("TypeScript follows a link that it made", "follow-link", {"NotCapable"}, {"ENOENT"},
        {"ok"});
PROGRAM("TypeScript writes beside the runtime", "write-beside-program", {"NotCapable"}, {"EROFS"},
        {"ok"});
PROGRAM("TypeScript opens core_pattern for writing", "open-core-pattern", {"NotCapable"},
        {"ENOENT"}, {"ok"}, true);
PROGRAM("TypeScript looks for other processes", "see-processes", {"NotCapable"}, {"nobody"},
        {"ok"});
PROGRAM("TypeScript signals the server", "signal-server", {"NotCapable"}, {"PermissionDenied"},
        {"ok"});
PROGRAM("TypeScript runs a shell", "run-shell", {"NotCapable"}, {"ENOENT"}, {"ok"});
PROGRAM("TypeScript runs a program that it wrote", "run-written-program", {"NotCapable"}, {"EPERM"},
        {"ok"});
PROGRAM("TypeScript loads a library that it wrote", "load-written-library", {"NotCapable"},
        {"EPERM"}, {"ok"});
PROGRAM("TypeScript opens a file through the C library", "call-open", {"NotCapable"}, {"refused"},
        {"ok"});
PROGRAM("TypeScript switches randomisation off through the C library", "call-personality",
        {"NotCapable"}, {"refused"}, {"ok"});
PROGRAM("TypeScript sets up io_uring through the C library", "call-io-uring", {"NotCapable"},
        {"refused"}, {"ok"}, true);
PROGRAM("TypeScript connects to a service of the host", "connect-tcp", {"NotCapable"},
        {"EACCES", "ENETUNREACH"}, {"ok"});
PROGRAM("TypeScript connects to a service of the host by IPv6", "connect-tcp6", {"NotCapable"},
        {"EACCES", "ENETUNREACH", "EADDRNOTAVAIL"}, {"ok"});
PROGRAM("TypeScript connects to a socket file of the host", "connect-local", {"NotCapable"},
        {"ENOENT"}, {"ok"});
PROGRAM("TypeScript reads a file as Node does", "node-read-file", {"NotCapable"}, {"ENOENT"},
        {"ok"});
PROGRAM("TypeScript runs a shell as Node does", "node-run-program", {"nothing"}, {"ENOENT"},
        {"ok"});
PROGRAM("TypeScript connects as Node does", "node-connect", {"NotCapable"},
        {"EACCES", "ENETUNREACH"}, {"ok"});
// Deno's refusal cannot be caught here: it ends the program. And Deno has no name for ENETUNREACH.
PROGRAM("TypeScript sends a datagram as Node does", "node-send", {""}, {"UNKNOWN"}, {"ok"});
PROGRAM("TypeScript becomes root as Node does", "node-become-root", {"NotCapable"}, {"EPERM"},
        {"ok"}, true);

TEST_CASE("TypeScript takes memory beside its heap", "[attack]") {
    runtime::Job job;
    job.code = code_of("take-memory");
    job.environment = {{"MEBIBYTES", "3072"}, {"HOLD", "1"}};
    job.timeout = 60s;
    const runtime::Outcome outcome = deno().run(job, nullptr);
    CHECK(to_string(outcome.cause) == "memory");
    CHECK(outside("take-memory", {{"MEBIBYTES", "256"}}) == "ok");
}

TEST_CASE("TypeScript that listens to signals and never ends does not survive", "[attack]") {
    runtime::Job job;
    job.code = code_of("survive");
    job.timeout = 2s;
    const runtime::Outcome outcome = deno().run(job, nullptr);
    CHECK(to_string(outcome.cause) == "deadline");
    CHECK(outcome.out == "ok\n");
}
