// oauth3_rate NAME TARGET ROUNDS CONNECTIONS KEY URL_A PID_A URL_B PID_B
// GET requests per second that two servers answer, in turn, A B A B ..., each for half a second a
// round: CONNECTIONS clients that keep their connection and send the next request when the reply
// is there. Both must answer with the same body. Prints the median rates, and the median of the
// ratios A/B round by round. How busy each server was is printed on stderr: below 90 % this
// program, not the server, was the bottleneck.

#include "base/error.h"
#include "bench/bench.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string>
#include <vector>

namespace {

using namespace oauth3;

constexpr double kRound = 0.5;  // seconds

class Load {
  public:
    Load(const std::string& url, int pid, const std::string& key, std::size_t connections)
        : pid_(pid), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        const bench::Url parts = bench::parse_url(url);
        request_ = bench::request_text("GET", parts.path, key);
        bench::Client first(parts.port);
        sample_ = first.call(request_);
        for (std::size_t i = 0; i < connections; ++i) {
            clients_.push_back({bench::connect_to(parts.port), 0});
            epoll_event event{};
            event.events = EPOLLIN;
            event.data.u64 = i;
            if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, clients_[i].fd.get(), &event) != 0)
                base::throw_errno("epoll_ctl");
        }
    }

    std::string body() const { return sample_.substr(sample_.find("\r\n\r\n") + 4); }
    std::size_t size() const { return sample_.size(); }

    /// Replies per second in one round.
    double round() {
        const double cpu = bench::cpu_seconds(pid_);
        const double begin = bench::now();
        double end = begin;
        std::size_t replies = 0;
        std::size_t open = clients_.size();
        for (Client& client : clients_) ask(client);
        std::array<epoll_event, 64> events{};
        while (open != 0) {
            const int count =
                ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 10'000);
            if (count == 0) throw base::Error("failed", "a server has not answered for 10 s");
            if (count < 0 && errno != EINTR) base::throw_errno("epoll_wait");
            end = bench::now();
            for (int i = 0; i < count; ++i) {
                Client& client = clients_[events[static_cast<std::size_t>(i)].data.u64];
                if (!take(client)) continue;
                ++replies;
                if (end - begin < kRound)
                    ask(client);
                else
                    --open;
            }
        }
        busy_.push_back((bench::cpu_seconds(pid_) - cpu) / (end - begin));
        return static_cast<double>(replies) / (end - begin);
    }

    double busy() const { return bench::median(busy_); }

  private:
    struct Client {
        base::Fd fd;
        std::size_t got = 0;
    };

    void ask(Client& client) {
        client.got = 0;
        const ssize_t sent =
            ::send(client.fd.get(), request_.data(), request_.size(), MSG_NOSIGNAL);
        if (sent != static_cast<ssize_t>(request_.size())) base::throw_errno("send");
    }

    /// True when the reply is whole. All replies have the size of the first: only the date in
    /// them changes.
    bool take(Client& client) {
        const ssize_t count = ::recv(client.fd.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
        if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
        if (count <= 0) throw base::Error("failed", "a server closed a connection");
        const auto size = static_cast<std::size_t>(count);
        if (client.got == 0) bench::check_ok({buffer_.data(), size});
        client.got += size;
        if (client.got > sample_.size()) throw base::Error("failed", "a reply of another size");
        return client.got == sample_.size();
    }

    int pid_;
    base::Fd epoll_;
    std::string request_;
    std::string sample_;
    std::vector<Client> clients_;
    std::vector<double> busy_;
    std::array<char, 65536> buffer_{};
};

void measure(const std::vector<std::string>& words) {
    const int rounds = std::stoi(words[2]);
    const std::size_t connections = std::stoul(words[3]);
    Load a(words[5], std::stoi(words[6]), words[4], connections);
    Load b(words[7], std::stoi(words[8]), words[4], connections);
    if (a.body() != b.body())
        throw base::Error("failed",
                          "the servers answer differently:\n" + a.body() + "\n" + b.body());
    a.round();
    b.round();
    std::vector<double> rates_a, rates_b, ratios;
    for (int i = 0; i < rounds; ++i) {
        rates_a.push_back(a.round());
        rates_b.push_back(b.round());
        ratios.push_back(rates_a.back() / rates_b.back());
    }
    bench::print_row({.name = words[0],
                      .first = fmt::format("{:.0f}/s", bench::median(rates_a)),
                      .second = fmt::format("{:.0f}/s", bench::median(rates_b)),
                      .figure = bench::median(ratios),
                      .target = std::stod(words[1]),
                      .at_least = true});
    fmt::print(stderr,
               "  replies of {} and {} bytes; the servers were busy for {:.0f} % and {:.0f} %\n",
               a.size(), b.size(), 100 * a.busy(), 100 * b.busy());
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() != 9) {
        fmt::print(
            stderr,
            "usage: oauth3_rate NAME TARGET ROUNDS CONNECTIONS KEY URL_A PID_A URL_B PID_B\n");
        return 2;
    }
    try {
        measure(words);
    } catch (const std::exception& e) {
        fmt::print(stderr, "oauth3_rate: {}\n", e.what());
        return 1;
    }
    return 0;
}
