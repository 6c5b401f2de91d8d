#include "runtime/deno.h"

#include "base/error.h"
#include "jail/supervise.h"
#include "runtime/deno_root.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <string_view>

namespace oauth3::runtime {
namespace {

/// Deno must find a cache folder that it can write to: without, each start takes ten times as
/// long. All of these are on the jail's own /tmp.
constexpr const char* kHome = "/tmp";
constexpr const char* kCache = "/tmp/.deno";
constexpr const char* kWork = "/tmp/work";
/// A program then starts as soon as it is told to, and so does another one beside it.
constexpr std::uint64_t kSpares = 2;

std::string with_hint(const std::string& message, const std::string& hint) {
    return hint.empty() ? message : message + " (" + hint + ")";
}

Outcome never_started(std::string why) {
    Outcome outcome;
    outcome.setup_error = std::move(why);
    return outcome;
}

/// Hosts are joined by commas into one argument, where each must stay one host.
void check_host(std::string_view host) {
    const bool good = !host.empty() && host.find_first_not_of(
                                           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                           "0123456789-._:[]*") == std::string_view::npos;
    if (!good) throw base::Error("bad_host", "not a host: " + std::string(host));
}

std::vector<std::string> arguments_for(const Job& job) {
    std::vector<std::string> arguments{
        "/deno", "run", "--no-prompt", "--no-remote", "--no-npm", "--no-config", "--no-lock",
        "--cached-only", "--quiet", "--no-code-cache",
        // The environment holds only what was granted, so all of it may be read; a name that is
        // not there is then undefined instead of an exception.
        "--allow-env", "--v8-flags=--max-old-space-size=" + std::to_string(kHeapMegabytes)};
    std::string hosts;
    for (const std::string& host : job.hosts) {
        check_host(host);
        hosts += (hosts.empty() ? "" : ",") + host;
    }
    if (!hosts.empty()) arguments.push_back("--allow-net=" + hosts);
    arguments.push_back("main.ts");
    return arguments;
}

jail::Spec spec_for(const std::filesystem::path& root, const jail::Without& without,
                    const std::vector<std::pair<std::string, std::string>>& environment) {
    std::map<std::string, std::string> all{
        {"DENO_DIR", kCache}, {"DENO_NO_UPDATE_CHECK", "1"}, {"HOME", kHome}, {"NO_COLOR", "1"}};
    for (const auto& [name, value] : environment) all[name] = value;
    jail::Spec spec;
    spec.root = root;
    spec.environment.assign(all.begin(), all.end());
    spec.cwd = kWork;
    spec.hostname = "skill";
    spec.syscalls = jail::SyscallProfile::deno;
    spec.without = without;
    spec.limits.memory_bytes = kMemoryBytes;
    spec.spares = kSpares;
    return spec;
}

/// What all processors together do in this time.
std::uint64_t processor_seconds(std::chrono::milliseconds time) {
    const auto seconds =
        std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(time).count());
    const long processors = std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN));
    return static_cast<std::uint64_t>(seconds) * static_cast<std::uint64_t>(processors);
}

/// V8 tells on stderr why it gives up, then traps or aborts.
bool ran_out_of_memory(const jail::Exit& exit) {
    if (exit.signal != SIGTRAP && exit.signal != SIGABRT && exit.signal != SIGILL) return false;
    for (const char* message : {"JavaScript out of memory", "heap out of memory",
                                "Fatal process out of memory", "memory allocation of "})
        if (exit.err.find(message) != std::string::npos) return true;
    // The message came after more output than is kept; nothing else makes V8 trap in practice.
    return exit.err_truncated && exit.signal == SIGTRAP;
}

constexpr int kTimedOut = 124;
constexpr int kSignalled = 128;

Outcome outcome_of(jail::Exit exit) {
    using std::chrono::duration_cast;
    using std::chrono::milliseconds;
    Outcome outcome;
    switch (exit.ending) {
        case jail::Ending::exited:
            outcome.cause = Cause::finished;
            outcome.exit_code = exit.status;
            break;
        case jail::Ending::signalled:
            outcome.cause = ran_out_of_memory(exit) ? Cause::memory : Cause::signal;
            outcome.signal = exit.signal;
            outcome.exit_code = kSignalled + exit.signal;
            break;
        case jail::Ending::deadline:
        case jail::Ending::cpu:
            outcome.cause = Cause::deadline;
            outcome.signal = SIGKILL;
            outcome.exit_code = kTimedOut;
            break;
        case jail::Ending::memory:
            outcome.cause = Cause::memory;
            outcome.signal = SIGKILL;
            outcome.exit_code = kSignalled + SIGKILL;
            break;
        case jail::Ending::tasks:
            outcome.cause = Cause::signal;
            outcome.signal = SIGKILL;
            outcome.exit_code = kSignalled + SIGKILL;
            break;
        case jail::Ending::stopped:
            outcome.cause = Cause::cancelled;
            outcome.signal = SIGKILL;
            outcome.exit_code = kSignalled + SIGKILL;
            break;
        case jail::Ending::setup_failed:
            outcome.cause = Cause::setup;
            outcome.setup_error =
                with_hint("the sandbox could not be set up: " + exit.setup_error, exit.setup_hint);
            break;
    }
    outcome.out = std::move(exit.out);
    outcome.err = std::move(exit.err);
    outcome.out_truncated = exit.out_truncated;
    outcome.err_truncated = exit.err_truncated;
    outcome.usage = {duration_cast<milliseconds>(exit.usage.wall),
                     duration_cast<milliseconds>(exit.usage.cpu_user),
                     duration_cast<milliseconds>(exit.usage.cpu_system),
                     exit.usage.peak_memory_bytes,
                     exit.usage.largest_process_bytes,
                     exit.usage.peak_tasks, exit.held};
    return outcome;
}

}  // namespace

Deno::Deno(const jail::Spawner& spawner, const std::filesystem::path& binary,
           const std::filesystem::path& folder, const jail::Without& without)
    : spawner_(spawner), root_(prepare_deno_root(binary, folder)), without_(without) {}

Outcome Deno::run(const Job& job, const jail::StopSignal* stop) const try {
    jail::Spec spec = spec_for(root_, without_, job.environment);
    spec.argv = arguments_for(job);
    spec.files.push_back({"work/main.ts", job.code});
    spec.cpu_seconds = processor_seconds(job.timeout);
    jail::SuperviseOptions options;
    options.deadline = job.timeout;
    options.stop = stop;
    return outcome_of(jail::supervise(spawner_.launch(spec), options));
} catch (const base::Error& error) {
    return never_started(with_hint(error.what(), error.hint()));
} catch (const std::exception& error) {
    return never_started(error.what());
}

std::string Deno::version() const {
    std::call_once(version_asked_, [this] {
        jail::Spec spec = spec_for(root_, without_, {});
        spec.argv = {"/deno", "--version"};
        const jail::Exit exit = jail::supervise(spawner_.launch(spec), {});
        // "deno 2.9.6 (stable, release, x86_64-unknown-linux-gnu)"
        std::string_view line = exit.out;
        constexpr std::string_view kName = "deno ";
        if (exit.ending != jail::Ending::exited || exit.status != 0 || !line.starts_with(kName))
            throw base::Error("deno_unusable",
                              "Deno does not tell its version: " + exit.setup_error + exit.err,
                              exit.setup_hint);
        line.remove_prefix(kName.size());
        version_ = line.substr(0, line.find_first_of(" \n"));
    });
    return version_;
}

}  // namespace oauth3::runtime
