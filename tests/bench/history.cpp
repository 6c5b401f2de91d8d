// oauth3_history ROUNDS NAME URL KEY NAME URL KEY...
// The time from sending a submission to having its reply, for servers whose databases differ. Each
// round submits once to every server, in an order that moves on, and cancels the request again, so
// that none has a growing number of undecided ones. Prints for each server but the first the
// medians, and the median of its ratios to the first round by round.

#include "base/error.h"
#include "bench/bench.h"

#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

namespace {

using namespace oauth3;

constexpr double kMostRatio = 1.2;
constexpr int kWarmUp = 20;

struct Server {
    std::string name;
    std::string key;
    std::unique_ptr<bench::Client> client;
    std::vector<double> times;

    void submit(bool counts) {
        static const std::string kBody =
            R"({"skill_id":"bench-history","skill_code":"console.log('hello')\n","args":{"A":"b"}})";
        const std::string request = bench::request_text("POST", "/execute", key, kBody);
        const double begin = bench::now();
        const std::string reply = client->call(request);
        if (counts) times.push_back((bench::now() - begin) * 1000);
        client->call(bench::request_text(
            "POST", "/execute/" + bench::text_member(reply, "request_id") + "/cancel", key));
    }
};

void measure(const std::vector<std::string>& words) {
    const int rounds = std::stoi(words[0]);
    std::vector<Server> servers;
    for (std::size_t i = 1; i + 2 < words.size(); i += 3) {
        Server& server = servers.emplace_back();
        server.name = words[i];
        server.key = words[i + 2];
        server.client = std::make_unique<bench::Client>(bench::parse_url(words[i + 1]).port);
    }
    for (int round = -kWarmUp; round < rounds; ++round)
        for (std::size_t i = 0; i < servers.size(); ++i)
            servers[(i + static_cast<std::size_t>(round + kWarmUp)) % servers.size()].submit(
                round >= 0);
    const Server& first = servers.front();
    for (std::size_t s = 1; s < servers.size(); ++s) {
        std::vector<double> ratios;
        for (std::size_t i = 0; i < first.times.size(); ++i)
            ratios.push_back(servers[s].times[i] / first.times[i]);
        bench::print_row(
            {.name = fmt::format("submit to reply, rows: {} | {}", servers[s].name, first.name),
             .first = fmt::format("{:.3f} ms", bench::median(servers[s].times)),
             .second = fmt::format("{:.3f} ms", bench::median(first.times)),
             .figure = bench::median(ratios),
             .target = kMostRatio});
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() < 7 || words.size() % 3 != 1) {
        fmt::print(stderr, "usage: oauth3_history ROUNDS NAME URL KEY NAME URL KEY...\n");
        return 2;
    }
    try {
        measure(words);
    } catch (const std::exception& e) {
        fmt::print(stderr, "oauth3_history: {}\n", e.what());
        return 1;
    }
    return 0;
}
