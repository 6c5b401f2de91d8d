#include "faults/points.h"

#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace oauth3::test {
namespace {

using std::chrono::steady_clock;

/// Far beyond anything that a slow machine does to a call.
constexpr std::chrono::seconds kMercy{60};

const char* name_of(Operation operation) {
    switch (operation) {
        case Operation::submit:
            return "submit";
        case Operation::status:
            return "status";
        case Operation::poll:
            return "poll";
    }
    return "?";
}

std::string describe(const Point& point) {
    return fmt::format("{}: {} after {} bytes of the {}, {} connections", name_of(point.operation),
                       name_of(point.plan.fault), point.plan.at,
                       point.plan.in_request ? "request" : "reply", point.plan.connections);
}

/// Ends the program when a call does not end.
class Watchdog {
  public:
    explicit Watchdog(std::size_t workers) : calls_(workers) {
        thread_ = std::thread([this] { watch(); });
    }
    ~Watchdog() {
        {
            const std::lock_guard lock(mutex_);
            over_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

    void begin(std::size_t worker, const Point& point) {
        const std::lock_guard lock(mutex_);
        calls_[worker] = {&point, steady_clock::now() + point.timeout + kMercy};
    }
    void end(std::size_t worker) {
        const std::lock_guard lock(mutex_);
        calls_[worker].point = nullptr;
    }

  private:
    struct Call {
        const Point* point = nullptr;
        steady_clock::time_point latest{};
    };

    void watch() {
        std::unique_lock lock(mutex_);
        while (!over_) {
            changed_.wait_for(lock, std::chrono::seconds(1));
            for (const Call& call : calls_) {
                if (call.point == nullptr || steady_clock::now() < call.latest) continue;
                const std::string text = describe(*call.point);
                std::fprintf(stderr, "a call outlasted its deadline: %s\n", text.c_str());
                std::abort();
            }
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    bool over_ = false;
    std::vector<Call> calls_;
    std::thread thread_;
};

}  // namespace

std::string describe(const Point& point, const Ending& ending) {
    return fmt::format(
        "{}: {}, kind {}, exit code {}, {}", describe(point), ending.succeeded ? "good" : "failed",
        ending.kind ? static_cast<int>(*ending.kind) : -1, ending.exit_code, ending.text);
}

std::vector<Ending> run_points(const std::vector<Point>& points, int server_port, int workers,
                               const Caller& call) {
    std::vector<Ending> out(points.size());
    std::atomic<std::size_t> next{0};
    Watchdog watchdog(static_cast<std::size_t>(workers));
    std::vector<std::thread> threads;
    for (std::size_t worker = 0; worker < static_cast<std::size_t>(workers); ++worker)
        threads.emplace_back([&, worker] {
            FaultProxy proxy(server_port);
            for (std::size_t i = next++; i < points.size(); i = next++) {
                proxy.set(points[i].plan);
                watchdog.begin(worker, points[i]);
                out[i] = call(points[i], proxy, i);
                watchdog.end(worker);
                out[i].happened = proxy.happened();
            }
        });
    for (std::thread& thread : threads) thread.join();
    return out;
}

}  // namespace oauth3::test
