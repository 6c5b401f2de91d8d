#include "api/metrics.h"

#include "api/admission.h"
#include "api/refusal.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace oauth3::api {
namespace {

/// The method, if it is one that this server knows.
std::string_view known_method(std::string_view method) {
    for (const std::string_view known : {"GET", "HEAD", "POST", "DELETE", "OPTIONS"})
        if (method == known) return known;
    return "other";
}

void head(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
    fmt::format_to(std::back_inserter(out), "# HELP oauth3_{0} {2}\n# TYPE oauth3_{0} {1}\n", name,
                   type, help);
}

}  // namespace

void Metrics::count(const http::Observed& seen) {
    if (seen.status == 0 || !seen.is_complete) ++lost_;
    bytes_ += seen.bytes_sent;
    if (seen.status == 0) return;
    ++replies_[{known_method(seen.method), seen.status}];
    // A poll that was held says nothing about how fast the server is.
    if (seen.held) return;
    const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), seen.time.count());
    ++times_[static_cast<std::size_t>(bound - kBounds.begin())];
    time_sum_ += static_cast<std::uint64_t>(seen.time.count());
}

std::string Metrics::text(const std::vector<Gauge>& gauges) const {
    std::string out;
    head(out, "http_requests_total", "counter", "Answered requests by method and status.");
    for (const auto& [key, count] : replies_)
        fmt::format_to(std::back_inserter(out),
                       "oauth3_http_requests_total{{method=\"{}\",status=\"{}\"}} {}\n", key.first,
                       key.second, count);
    head(out, "http_lost_total", "counter", "Requests whose client did not get the whole reply.");
    fmt::format_to(std::back_inserter(out), "oauth3_http_lost_total {}\n", lost_);
    head(out, "http_sent_bytes_total", "counter", "Bytes of replies.");
    fmt::format_to(std::back_inserter(out), "oauth3_http_sent_bytes_total {}\n", bytes_);

    head(out, "http_request_seconds", "histogram", "Time to answer, held polls left out.");
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < times_.size(); ++i) {
        sum += times_[i];
        const std::string bound =
            i < kBounds.size() ? fmt::format("{}", static_cast<double>(kBounds[i]) / 1e6) : "+Inf";
        fmt::format_to(std::back_inserter(out),
                       "oauth3_http_request_seconds_bucket{{le=\"{}\"}} {}\n", bound, sum);
    }
    fmt::format_to(std::back_inserter(out),
                   "oauth3_http_request_seconds_sum {}\noauth3_http_request_seconds_count {}\n",
                   static_cast<double>(time_sum_) / 1e6, sum);

    std::string_view last;
    for (const Gauge& gauge : gauges) {
        if (gauge.name != last) head(out, gauge.name, "gauge", gauge.help);
        last = gauge.name;
        const std::string labels = gauge.labels.empty() ? "" : fmt::format("{{{}}}", gauge.labels);
        fmt::format_to(std::back_inserter(out), "oauth3_{}{} {}\n", gauge.name, labels,
                       gauge.value);
    }
    return out;
}

http::Response metrics_response(std::string text) {
    return {200,
            {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}},
            std::move(text),
            false};
}

http::Reply answer_metrics(const http::Request& request, const std::function<std::string()>& text) {
    http::Response out;
    try {
        check_host(request, {}, {});
        if (request.path != "/metrics") throw not_found();
        if (request.method != "GET" && request.method != "HEAD")
            throw Refusal(405, "method_not_allowed", "Use GET.");
        out = metrics_response(text());
    } catch (const Refusal& refusal) {
        out = refusal_response(refusal);
    }
    add_common_headers(out);
    return out;
}

}  // namespace oauth3::api
