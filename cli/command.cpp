#include "cli/command.h"

#include "cli/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace oauth3::cli {
namespace {

std::optional<long long> number_in(std::string_view text) {
    long long value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stop != end) return std::nullopt;
    return value;
}

}  // namespace

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
    const std::optional<long long> value = number_in(*given);
    if (!value || *value < low || *value > high)
        throw UsageError(fmt::format("{} must be a whole number from {} to {}, not {}.",
                                     source(option), low, high, in_quotes(*given)));
    return *value;
}

std::chrono::seconds Arguments::duration(std::string_view option, std::chrono::seconds fallback,
                                         std::chrono::seconds low,
                                         std::chrono::seconds high) const {
    const std::optional<std::string> given = text(option);
    if (!given) return fallback;
    std::string_view digits = *given;
    long long unit = 1;
    const std::size_t at =
        digits.empty() ? std::string_view::npos : std::string_view("smhd").find(digits.back());
    if (at != std::string_view::npos) {
        unit = std::array<long long, 4>{1, 60, 3600, 86'400}[at];
        digits.remove_suffix(1);
    }
    const std::optional<long long> value = number_in(digits);
    // Divided, for a product could overflow.
    if (!value || *value < 0 || *value > high.count() / unit || *value * unit < low.count())
        throw UsageError(fmt::format(
            "{} must be a time from {} to {} seconds, such as 90, 30m, 12h or 7d, not {}.",
            source(option), low.count(), high.count(), in_quotes(*given)));
    return std::chrono::seconds(*value * unit);
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

void Arguments::set_source(std::string_view option, std::string source) {
    sources_[std::string(option)] = std::move(source);
}

std::string Arguments::source(std::string_view option) const {
    const auto found = sources_.find(option);
    return found == sources_.end() ? std::string(option) : found->second;
}

std::vector<std::string> words_of(std::string_view text) {
    constexpr std::string_view kBetween = ", \t\r\n";
    std::vector<std::string> out;
    for (;;) {
        const std::size_t start = text.find_first_not_of(kBetween);
        if (start == std::string_view::npos) return out;
        text.remove_prefix(start);
        const std::size_t end = std::min(text.find_first_of(kBetween), text.size());
        out.emplace_back(text.substr(0, end));
        text.remove_prefix(end);
    }
}

std::string_view group_of(std::string_view name) {
    const std::size_t blank = name.find(' ');
    return blank == std::string_view::npos ? std::string_view() : name.substr(0, blank);
}

}  // namespace oauth3::cli
