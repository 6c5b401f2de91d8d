#include "cli/command.h"

#include "base/utf8.h"

#include <fmt/format.h>

#include <charconv>

namespace oauth3::cli {

std::optional<std::string> Arguments::text(std::string_view option) const {
    const auto found = values_.find(option);
    if (found == values_.end() || found->second.empty()) return std::nullopt;
    return found->second.front();
}

std::string Arguments::text_or(std::string_view option, std::string_view fallback) const {
    return text(option).value_or(std::string(fallback));
}

std::vector<std::string> Arguments::list(std::string_view option) const {
    const auto found = values_.find(option);
    return found == values_.end() ? std::vector<std::string>{} : found->second;
}

long long Arguments::whole(std::string_view option, long long fallback, long long low,
                           long long high) const {
    const std::optional<std::string> given = text(option);
    if (!given) return fallback;
    long long value = 0;
    const char* const end = given->data() + given->size();
    const auto [stop, error] = std::from_chars(given->data(), end, value);
    if (error != std::errc() || stop != end || value < low || value > high)
        throw UsageError(fmt::format("{} must be a whole number from {} to {}, not '{}'.", option,
                                     low, high,
                                     base::make_visible(base::cut_utf8(*given, 40), false)));
    return value;
}

std::chrono::seconds Arguments::seconds(std::string_view option, std::chrono::seconds fallback,
                                        std::chrono::seconds low, std::chrono::seconds high) const {
    return std::chrono::seconds(whole(option, fallback.count(), low.count(), high.count()));
}

void Arguments::add(std::string_view option, std::string value) {
    values_[std::string(option)].push_back(std::move(value));
}

void Arguments::add_flag(std::string_view option) {
    values_[std::string(option)];
}

}  // namespace oauth3::cli
