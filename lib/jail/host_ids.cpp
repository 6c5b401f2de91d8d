#include "jail/host_ids.h"

#include "jail/spawner.h"

#include <charconv>
#include <cstdint>
#include <vector>

namespace oauth3::jail {
namespace {

struct Range {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
};

/// Each line of an id map is "first outside-first count".
std::vector<Range> read_map(std::string_view text) {
    std::vector<std::uint64_t> numbers;
    while (!text.empty()) {
        const std::size_t start = text.find_first_of("0123456789");
        if (start == std::string_view::npos) break;
        text.remove_prefix(start);
        std::uint64_t number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc()) break;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        numbers.push_back(number);
    }
    std::vector<Range> ranges;
    for (std::size_t i = 0; i + 2 < numbers.size(); i += 3)
        ranges.push_back(Range{numbers[i], numbers[i + 2]});
    return ranges;
}

/// Ids of a container below this belong to its users and services.
constexpr std::uint64_t kUsualIds = 10'000;

}  // namespace

HostIds choose_host_ids(uid_t uid, gid_t gid, std::string_view id_map) {
    HostIds own{uid, gid, false};
    if (uid != 0) return own;
    Range largest;
    for (const Range& range : read_map(id_map)) {
        if (range.first <= kFirstHostId && range.first + range.count >= kFirstHostId + kMaxJails)
            return {kFirstHostId, kFirstHostId, true};
        if (range.count > largest.count) largest = range;
    }
    if (largest.first + largest.count < kUsualIds + kMaxJails || largest.count < kMaxJails)
        return own;
    const auto first = static_cast<uid_t>(largest.first + largest.count - kMaxJails);
    return {first, first, true};
}

}  // namespace oauth3::jail
