// oauth3_waiting URL PID AGENT_KEY OWNER_KEY POLLS DECISIONS
// Submits POLLS requests and waits for each with a held poll of its own, all at once. Prints the
// main memory of the server for each of them, and, while all wait, the time from sending a decision
// to having the whole reply of the poll that it wakes. The server needs --max-pending above POLLS
// and as many open files.

#include "base/error.h"
#include "bench/bench.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace oauth3;

constexpr double kMostBytes = 8.0;   // KiB for each poll
constexpr double kMostDelay = 50.0;  // ms
constexpr double kPatience = 40;     // s; a poll is held for at most 50

struct Poll {
    std::string id;
    std::unique_ptr<bench::Client> client;
};

class Waiting {
  public:
    explicit Waiting(const std::vector<std::string>& words)
        : port_(bench::parse_url(words[0]).port),
          pid_(std::stoi(words[1])),
          agent_key_(words[2]),
          owner_key_(words[3]),
          polls_(std::stoul(words[4])),
          decisions_(std::stoul(words[5])),
          agent_(port_),
          owner_(port_) {}

    void run() {
        const std::size_t limit = bench::raise_file_limit();
        if (limit < polls_.size() + 64)
            throw base::Error("failed", fmt::format("only {} files may be open", limit));
        for (std::size_t i = 0; i < polls_.size() + decisions_; ++i) spare_.push_back(submit());
        for (Poll& poll : polls_) take_spare(poll);
        // Decided while nobody waits: what the server needs for the first ones is no cost of polls.
        for (int i = 0; i < 50; ++i) decide(submit());

        const std::size_t before = bench::resident_bytes(pid_);
        const std::size_t files_before = bench::open_files(pid_);
        const double begin = bench::now();
        for (Poll& poll : polls_) {
            poll.client = std::make_unique<bench::Client>(port_);
            wait(poll);
        }
        // Answered after all that came before it.
        settle();
        if (bench::open_files(pid_) < files_before + polls_.size())
            throw base::Error("failed", "the server does not hold all connections");
        const std::size_t after = bench::resident_bytes(pid_);

        std::vector<double> delays = decide_while_all_wait();
        if (bench::now() - begin > kPatience)
            throw base::Error("failed", "this machine is too slow: polls have timed out");
        report(before, after, delays);
    }

  private:
    std::string submit() {
        static const std::string kBody =
            R"({"skill_id":"bench-waiting","skill_code":"console.log('hello')\n"})";
        return bench::text_member(
            agent_.call(bench::request_text("POST", "/execute", agent_key_, kBody)), "request_id");
    }

    std::string decision(const std::string& id) const {
        return bench::request_text("POST", "/requests/" + id + "/decision", owner_key_,
                                   R"({"action":"deny"})");
    }
    void decide(const std::string& id) { owner_.call(decision(id)); }

    void take_spare(Poll& poll) {
        poll.id = std::move(spare_.back());
        spare_.pop_back();
    }

    void wait(Poll& poll) {
        poll.client->send(
            bench::request_text("GET", "/execute/" + poll.id + "/status?wait=true", agent_key_));
    }

    /// The server reads connections in the order in which they have input: twice, since the first
    /// call may overtake connections that are still in its queue.
    void settle() {
        for (int i = 0; i < 2; ++i) {
            bench::Client last(port_);
            last.call(bench::request_text(
                "GET", "/execute/" + polls_.back().id + "/status?wait=true&timeout=200",
                agent_key_));
        }
    }

    std::vector<double> decide_while_all_wait() {
        std::mt19937 random(1);
        std::uniform_int_distribution<std::size_t> any(0, polls_.size() - 1);
        std::vector<double> delays;
        for (std::size_t i = 0; i < decisions_; ++i) {
            Poll& poll = polls_[any(random)];
            const std::string request = decision(poll.id);
            const double begin = bench::now();
            owner_.send(request);
            const std::string reply = poll.client->receive();
            delays.push_back((bench::now() - begin) * 1000);
            if (bench::text_member(reply, "status") != "denied")
                throw base::Error("failed", "a poll ended without its decision:\n" + reply);
            owner_.receive();
            take_spare(poll);
            wait(poll);
        }
        // Nobody else was woken.
        std::size_t woken = 0;
        for (const Poll& poll : polls_) {
            pollfd entry{poll.client->fd(), POLLIN, 0};
            woken += ::poll(&entry, 1, 0) == 1 ? 1 : 0;
        }
        if (woken != 0) throw base::Error("failed", fmt::format("{} polls did not wait", woken));
        return delays;
    }

    void report(std::size_t before, std::size_t after, const std::vector<double>& delays) const {
        const double kib = 1024;
        const auto size = [](std::size_t bytes) {
            return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
        };
        bench::print_row(
            {.name = fmt::format("memory: before | with {} waiting polls", polls_.size()),
             .first = size(before),
             .second = size(after),
             .figure = (static_cast<double>(after) - static_cast<double>(before)) / kib /
                       static_cast<double>(polls_.size()),
             .unit = "KiB each",
             .target = kMostBytes});
        bench::print_row(
            {.name = fmt::format("decision to woken reply, {} wait: median | p99", polls_.size()),
             .first = fmt::format("{:.2f} ms", bench::median(delays)),
             .second = fmt::format("{:.2f} ms", bench::quantile(delays, 0.99)),
             .figure = bench::quantile(delays, 0.99),
             .unit = "ms",
             .target = kMostDelay});
        fmt::print(stderr, "  {} decisions; worst {:.2f} ms\n", delays.size(),
                   bench::quantile(delays, 1));
    }

    std::uint16_t port_;
    int pid_;
    std::string agent_key_;
    std::string owner_key_;
    std::vector<Poll> polls_;
    std::size_t decisions_;
    std::vector<std::string> spare_;
    bench::Client agent_;
    bench::Client owner_;
};

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() != 6) {
        fmt::print(stderr, "usage: oauth3_waiting URL PID AGENT_KEY OWNER_KEY POLLS DECISIONS\n");
        return 2;
    }
    try {
        Waiting(words).run();
    } catch (const std::exception& e) {
        fmt::print(stderr, "oauth3_waiting: {}\n", e.what());
        return 1;
    }
    return 0;
}
