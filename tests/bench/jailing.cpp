// oauth3_jailing RUNS PROGRAM [BWRAP [DENO]]
// What a jail costs. PROGRAM (static, does nothing) in a jail with every layer on, against a plain
// fork and exec of the same, and against BWRAP with comparable mounts; then a TypeScript program in
// a jail against bare DENO: time, and memory of the largest process. Each pair is run in turn,
// A B A B ..., each after a moment's rest in which spare jails are made, as a server's are; one row
// shows what it costs when there is none. Rows show the medians of both, and of the differences or
// ratios pair by pair. Last, how many jails are made and left a second with 1, 2, 4 and 8 at a
// time, without rest.

#include "base/error.h"
#include "base/files.h"
#include "bench/bench.h"
#include "jail/spawner.h"
#include "jail/supervise.h"
#include "runtime/deno.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace oauth3;
namespace fs = std::filesystem;

struct Cost {
    double ms = 0;
    double mebibytes = 0;  ///< of the largest process
};

double since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
        .count();
}

void must(bool good, const std::string& what) {
    if (!good) throw base::Error("failed", what);
}

/// A plain fork and exec, with output to /dev/null.
Cost run_plain(const std::vector<std::string>& command) {
    std::vector<std::string> texts = command;
    std::vector<char*> argv;
    for (std::string& text : texts) argv.push_back(text.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    const auto begin = std::chrono::steady_clock::now();
    pid_t pid = -1;
    const int error = ::posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    must(error == 0, "cannot start " + command.front());
    int status = 0;
    rusage usage{};
    must(::wait4(pid, &status, 0, &usage) == pid && status == 0, command.front() + " failed");
    return {since(begin), static_cast<double>(usage.ru_maxrss) / 1024};
}

Cost run_jailed(const jail::Spawner& spawner, const jail::Spec& spec) {
    const auto begin = std::chrono::steady_clock::now();
    const jail::Exit exit = jail::supervise(spawner.launch(spec), {});
    must(exit.ending == jail::Ending::exited && exit.status == 0,
         "a jailed program failed: " + exit.setup_error + exit.err);
    return {since(begin), 0};
}

/// Time for the spawner to make spare jails, as between the jobs of a server that is not busy.
void rest() {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

struct Pair {
    std::vector<double> a, b, differences, ratios;
    std::vector<double> memory;  ///< of a
};

Pair in_turn(int runs, const std::function<Cost()>& a, const std::function<Cost()>& b) {
    Pair out;
    a();
    b();
    for (int i = 0; i < runs; ++i) {
        rest();
        const Cost first = a();
        rest();
        const Cost second = b();
        out.a.push_back(first.ms);
        out.b.push_back(second.ms);
        out.differences.push_back(first.ms - second.ms);
        out.ratios.push_back(first.ms / second.ms);
        out.memory.push_back(first.mebibytes);
    }
    return out;
}

bench::Row row(const std::string& name, const Pair& pair, double figure, const char* unit,
               double target) {
    return {.name = name,
            .first = fmt::format("{:.2f} ms", bench::median(pair.a)),
            .second = fmt::format("{:.2f} ms", bench::median(pair.b)),
            .figure = figure,
            .unit = unit,
            .target = target};
}

/// A root that holds the program as /program.
jail::Spec spec_for(const fs::path& folder, const fs::path& program) {
    const fs::path root = folder / "root";
    for (const char* name : {"proc", "dev", "tmp"}) fs::create_directories(root / name);
    fs::copy_file(program, root / "program");
    for (const char* name : {"", "proc", "dev", "tmp", "program"})
        fs::permissions(root / name, fs::perms(0755));
    jail::Spec spec;
    spec.root = root;
    spec.argv = {"/program"};
    spec.spares = 2;
    return spec;
}

void measure_throughput(const jail::Spawner& spawner, const jail::Spec& spec) {
    constexpr int kJails = 200;
    for (const int at_once : {1, 2, 4, 8}) {
        std::atomic<int> left{kJails};
        const auto begin = std::chrono::steady_clock::now();
        std::vector<std::thread> threads;
        for (int i = 0; i < at_once; ++i)
            threads.emplace_back([&] {
                while (left.fetch_sub(1) > 0) run_jailed(spawner, spec);
            });
        for (std::thread& thread : threads) thread.join();
        fmt::print("{:<44} {:>9.0f}/s\n", fmt::format("jails, {} at a time", at_once),
                   kJails / since(begin) * 1000);
    }
}

void measure_deno(const jail::Spawner& spawner, const fs::path& folder, int runs,
                  const std::string& deno) {
    const fs::path file = folder / "hello.ts";
    const std::string code = "console.log(\"hello\");\n";
    base::write_private_file(file, code);
    const auto bare = [&] {
        return run_plain({deno, "run", "--no-prompt", "--no-remote", "--no-npm", "--no-config",
                          "--no-lock", "--cached-only", "--quiet", "--no-code-cache", "--allow-env",
                          "--v8-flags=--max-old-space-size=512", file.string()});
    };
    // Before this process has grown: what a process held before exec counts as its child's, too.
    const double bare_memory = bare().mebibytes;
    const runtime::Deno jailed(spawner, deno, folder / "runtime");
    const runtime::Job job{.code = code, .environment = {}, .hosts = {}};
    const Pair pair = in_turn(
        runs,
        [&] {
            const auto begin = std::chrono::steady_clock::now();
            const runtime::Outcome outcome = jailed.run(job, nullptr);
            must(outcome.out == "hello\n", "hello failed in the jail: " + outcome.err);
            return Cost{since(begin),
                        static_cast<double>(outcome.usage.largest_process_bytes) / (1 << 20)};
        },
        bare);
    bench::print_row(
        row("jailed hello | bare deno run", pair, bench::median(pair.differences), "ms", 3.0));
    const double memory = bench::median(pair.memory);
    bench::print_row({.name = "  memory of the process",
                      .first = fmt::format("{:.1f} MiB", memory),
                      .second = fmt::format("{:.1f} MiB", bare_memory),
                      .figure = memory - bare_memory,
                      .unit = "MiB",
                      .target = 2.0});
}

void measure(const std::vector<std::string>& words) {
    const int runs = std::stoi(words[0]);
    const jail::Spawner spawner = jail::Spawner::start();
    std::string name = (fs::temp_directory_path() / "oauth3-bench-XXXXXX").string();
    must(::mkdtemp(name.data()) != nullptr, "cannot make " + name);
    const fs::path folder = name;
    const jail::Spec spec = spec_for(folder, words[1]);
    const auto jailed = [&] { return run_jailed(spawner, spec); };

    const auto plain = [&] { return run_plain({words[1]}); };
    const Pair ready = in_turn(runs, jailed, plain);
    bench::print_row(
        row("a jail | fork and exec", ready, bench::median(ready.differences), "ms", 1.2));
    jail::Spec cold = spec;
    cold.spares = 0;
    const Pair other = in_turn(
        runs, [&] { return run_jailed(spawner, cold); }, plain);
    fmt::print("{:<44} {:>6.2f} ms {:>8.2f} ms {:>10.2f} ms\n", "  none ready | fork and exec",
               bench::median(other.a), bench::median(other.b), bench::median(other.differences));
    if (words.size() > 2) {
        const std::string root = spec.root.string();
        const Pair bwrap = in_turn(runs, jailed, [&] {
            return run_plain({words[2], "--unshare-all", "--die-with-parent", "--new-session",
                              "--clearenv", "--ro-bind", root, "/", "--proc", "/proc", "--dev",
                              "/dev", "--tmpfs", "/tmp", "--", "/program"});
        });
        bench::print_row(
            row("a jail | bwrap --unshare-all", bwrap, bench::median(bwrap.ratios), "", 0.5));
    }
    measure_throughput(spawner, spec);
    if (words.size() > 3) measure_deno(spawner, folder, runs, words[3]);
    fs::remove_all(folder);
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() < 2 || words.size() > 4) {
        fmt::print(stderr, "usage: oauth3_jailing RUNS PROGRAM [BWRAP [DENO]]\n");
        return 2;
    }
    try {
        measure(words);
    } catch (const std::exception& e) {
        fmt::print(stderr, "oauth3_jailing: {}\n", e.what());
        return 1;
    }
    return 0;
}
