// oauth3_compare NAME TARGET RUNS -- COMMAND... -- COMMAND...
// Runs two commands in turn, A B A B ..., and prints the median wall time of each, the median of
// the ratios A/B pair by pair, and whether it meets TARGET. Their output goes to /dev/null. A
// command that fails ends the comparison: a fast failure is no result.

#include "base/error.h"
#include "bench/bench.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using Words = std::vector<char*>;

/// Milliseconds from start to end of one run.
double run_once(const Words& command) {
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    const auto begin = std::chrono::steady_clock::now();
    pid_t pid = -1;
    const int error =
        ::posix_spawnp(&pid, command.front(), &actions, nullptr, command.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) throw oauth3::base::SystemError(error, command.front());
    int status = 0;
    if (::waitpid(pid, &status, 0) < 0) oauth3::base::throw_errno("waitpid");
    const std::chrono::duration<double, std::milli> spent =
        std::chrono::steady_clock::now() - begin;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        throw oauth3::base::Error("failed", fmt::format("{} failed", command.front()));
    return spent.count();
}

}  // namespace

int main(int argc, char** argv) {
    std::vector<Words> commands;
    std::vector<std::string> head;
    for (int i = 1; i < argc; ++i) {
        if (std::string_view(argv[i]) == "--" && commands.size() < 2)
            commands.emplace_back();
        else if (commands.empty())
            head.emplace_back(argv[i]);
        else
            commands.back().push_back(argv[i]);
    }
    if (head.size() != 3 || commands.size() != 2 || commands[0].empty() || commands[1].empty()) {
        fmt::print(stderr, "usage: oauth3_compare NAME TARGET RUNS -- COMMAND... -- COMMAND...\n");
        return 2;
    }
    try {
        const double target = std::stod(head[1]);
        const int runs = std::stoi(head[2]);
        for (Words& command : commands) {
            command.push_back(nullptr);
            run_once(command);  // warm-up
        }
        std::vector<double> a, b, ratios;
        for (int i = 0; i < runs; ++i) {
            a.push_back(run_once(commands[0]));
            b.push_back(run_once(commands[1]));
            ratios.push_back(a.back() / b.back());
        }
        using oauth3::bench::median;
        oauth3::bench::print_row({.name = head[0],
                                  .first = fmt::format("{:.2f} ms", median(a)),
                                  .second = fmt::format("{:.2f} ms", median(b)),
                                  .figure = median(ratios),
                                  .target = target});
    } catch (const std::exception& e) {
        fmt::print(stderr, "oauth3_compare: {}\n", e.what());
        return 1;
    }
    return 0;
}
