#include "api/paging.h"

#include "api/refusal.h"
#include "base/crypto.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace oauth3::api {
namespace {

constexpr std::int64_t kDefaultLimit = 50;
constexpr std::int64_t kMaxLimit = 500;

std::optional<std::int64_t> whole_number(const std::string& text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

}  // namespace

std::int64_t page_limit(const http::Request& request) {
    const auto given = whole_number(request.query_value("limit").value_or(""));
    return std::clamp(given.value_or(kDefaultLimit), std::int64_t{1}, kMaxLimit);
}

std::optional<std::string> request_cursor(const http::Request& request, const char* name) {
    auto id = request.query_value(name);
    if (id && !base::is_id(*id, "exec_") && !base::is_id(*id, "scope_"))
        throw bad_field(name,
                        fmt::format("\"{}\" must be what an earlier page gave as next.", name));
    return id;
}

std::optional<std::int64_t> number_cursor(const http::Request& request, const char* name) {
    const auto text = request.query_value(name);
    if (!text) return std::nullopt;
    const auto value = whole_number(*text);
    if (!value || *value < 0)
        throw bad_field(name,
                        fmt::format("\"{}\" must be what an earlier page gave as next.", name));
    return value;
}

}  // namespace oauth3::api
