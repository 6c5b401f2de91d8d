#pragma once

#include "http/server.h"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace oauth3::api {

/// A value that is asked for when the metrics are read.
struct Gauge {
    std::string_view name;  ///< without the prefix "oauth3_"
    std::string_view help;
    std::string labels;  ///< such as `state="pending"`, or empty
    std::int64_t value = 0;
};

/// Counts what the server answers, for Prometheus (text format 0.0.4). On the loop only. Its
/// labels come from small fixed sets, so that no client can make it grow.
class Metrics {
  public:
    void count(const http::Observed& seen);

    /// All counters and the given gauges.
    std::string text(const std::vector<Gauge>& gauges) const;

  private:
    /// Upper bounds of the histogram of answering times, in microseconds.
    static constexpr std::array<std::int64_t, 9> kBounds{500,    1'000,   2'500,   5'000,    10'000,
                                                         50'000, 100'000, 500'000, 2'500'000};

    std::map<std::pair<std::string_view, unsigned>, std::uint64_t> replies_;
    std::array<std::uint64_t, kBounds.size() + 1> times_{};
    std::uint64_t time_sum_ = 0;  ///< microseconds
    std::uint64_t lost_ = 0;
    std::uint64_t bytes_ = 0;
};

/// Answers GET /metrics on a listener that serves nothing else.
http::Reply answer_metrics(const http::Request& request, const std::function<std::string()>& text);

http::Response metrics_response(std::string text);

}  // namespace oauth3::api
