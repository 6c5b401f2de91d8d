#include "base/diff.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <unordered_map>

namespace oauth3::base {
namespace {

using Lines = std::vector<std::string_view>;
using Kind = DiffLine::Kind;
using Numbers = std::vector<std::int32_t>;

/// Steps that the search may take in all, and the number of differences at which it gives up: the
/// memory it takes grows with the square of them.
constexpr std::int64_t kMaxSteps = 20'000'000;
constexpr std::int64_t kMaxDifferences = 1500;

/// Equal lines get equal numbers, so that comparing two lines is comparing two numbers.
struct Numbered {
    Numbers before;
    Numbers after;
};

Numbered number(const Lines& before, const Lines& after) {
    std::unordered_map<std::string_view, std::int32_t> known;
    const auto numbers = [&known](const Lines& lines) {
        Numbers out;
        out.reserve(lines.size());
        for (const std::string_view line : lines)
            out.push_back(
                known.emplace(line, static_cast<std::int32_t>(known.size())).first->second);
        return out;
    };
    Numbered out;
    out.before = numbers(before);
    out.after = numbers(after);
    return out;
}

/// The edits from a to b in order, as kinds; nullopt if they are too many to be searched for.
std::optional<std::vector<Kind>> shortest_edits(const std::int32_t* a, std::int64_t a_size,
                                                const std::int32_t* b, std::int64_t b_size) {
    const std::int64_t most =
        std::min({a_size + b_size, kMaxDifferences, kMaxSteps / (a_size + b_size + 1)});
    // furthest[k + most + 1]: how far into `a` the best path on diagonal k = x - y has come.
    std::vector<std::int32_t> furthest(static_cast<std::size_t>(2 * most + 3), 0);
    const auto at = [&furthest, most](std::int64_t k) -> std::int32_t& {
        return furthest[static_cast<std::size_t>(k + most + 1)];
    };
    // What `furthest` held on -d..d before step d: the way back.
    std::vector<Numbers> trace;
    std::int64_t found = -1;
    for (std::int64_t d = 0; d <= most && found < 0; ++d) {
        trace.emplace_back(furthest.begin() + (most + 1 - d), furthest.begin() + (most + 2 + d));
        for (std::int64_t k = -d; k <= d; k += 2) {
            const bool down = k == -d || (k != d && at(k - 1) < at(k + 1));
            std::int64_t x = down ? at(k + 1) : at(k - 1) + 1;
            std::int64_t y = x - k;
            while (x < a_size && y < b_size && a[x] == b[y]) ++x, ++y;
            at(k) = static_cast<std::int32_t>(x);
            if (x >= a_size && y >= b_size) {
                found = d;
                break;
            }
        }
    }
    if (found < 0) return std::nullopt;

    std::vector<Kind> edits;
    std::int64_t x = a_size;
    std::int64_t y = b_size;
    for (std::int64_t d = found; d > 0; --d) {
        // The values of step d - 1, from which step d went on; outside of -(d-1)..d-1 they are 0.
        const Numbers& row = trace[static_cast<std::size_t>(d)];
        const auto before = [&row, d](std::int64_t k) {
            return row[static_cast<std::size_t>(k + d)];
        };
        const std::int64_t k = x - y;
        const bool down = k == -d || (k != d && before(k - 1) < before(k + 1));
        const std::int64_t from_k = down ? k + 1 : k - 1;
        const std::int64_t from_x = before(from_k);
        const std::int64_t from_y = from_x - from_k;
        const std::int64_t same = down ? x - from_x : y - from_y;
        edits.insert(edits.end(), static_cast<std::size_t>(same), Kind::same);
        edits.push_back(down ? Kind::added : Kind::removed);
        x = from_x;
        y = from_y;
    }
    edits.insert(edits.end(), static_cast<std::size_t>(x), Kind::same);
    std::reverse(edits.begin(), edits.end());
    return edits;
}

/// All lines of both texts in the order of the edits.
std::vector<DiffLine> lay_out(const std::vector<Kind>& edits, const Lines& before,
                              const Lines& after, std::size_t common_start) {
    std::vector<DiffLine> out;
    std::size_t x = common_start;
    std::size_t y = common_start;
    for (const Kind kind : edits) {
        switch (kind) {
            case Kind::same:
                out.push_back({kind, x + 1, y + 1, before[x]});
                ++x, ++y;
                break;
            case Kind::removed:
                out.push_back({kind, x + 1, 0, before[x]});
                ++x;
                break;
            case Kind::added:
                out.push_back({kind, 0, y + 1, after[y]});
                ++y;
                break;
        }
    }
    return out;
}

/// The stretches around changes. Changes with at most twice the context between them share one.
std::vector<Hunk> cut(const std::vector<DiffLine>& lines, std::size_t context) {
    std::vector<Hunk> out;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (lines[i].kind == Kind::same) continue;
        std::size_t last = i;
        for (std::size_t j = i; j < lines.size() && j - last <= 2 * context + 1; ++j)
            if (lines[j].kind != Kind::same) last = j;
        const std::size_t start = i - std::min(i, context);
        const std::size_t end = std::min(lines.size(), last + context + 1);
        out.emplace_back(lines.begin() + static_cast<std::ptrdiff_t>(start),
                         lines.begin() + static_cast<std::ptrdiff_t>(end));
        i = end - 1;
    }
    return out;
}

}  // namespace

std::vector<std::string_view> split_lines(std::string_view text) {
    Lines out;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        out.push_back(text.substr(0, end));
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return out;
}

std::vector<Hunk> diff_lines(std::string_view before, std::string_view after, std::size_t context) {
    const Lines a = split_lines(before);
    const Lines b = split_lines(after);
    const Numbered numbered = number(a, b);
    const Numbers& x = numbered.before;
    const Numbers& y = numbered.after;
    const std::size_t shorter = std::min(x.size(), y.size());
    std::size_t start = 0;
    while (start < shorter && x[start] == y[start]) ++start;
    std::size_t end = 0;
    while (end < shorter - start && x[x.size() - 1 - end] == y[y.size() - 1 - end]) ++end;

    const std::size_t removed = x.size() - start - end;
    const std::size_t added = y.size() - start - end;
    if (removed == 0 && added == 0) return {};
    auto middle = shortest_edits(x.data() + start, static_cast<std::int64_t>(removed),
                                 y.data() + start, static_cast<std::int64_t>(added));
    std::vector<Kind> edits;
    if (middle) {
        edits = std::move(*middle);
    } else {
        edits.assign(removed, Kind::removed);
        edits.insert(edits.end(), added, Kind::added);
    }
    // Only the context of the common start and end can be seen.
    const std::size_t lead = std::min(start, context);
    edits.insert(edits.begin(), lead, Kind::same);
    edits.insert(edits.end(), std::min(end, context), Kind::same);
    return cut(lay_out(edits, a, b, start - lead), context);
}

}  // namespace oauth3::base
