#include "cli/suggest.h"

#include "base/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace oauth3::cli {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            row[j] =
                std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
            diagonal = above;
        }
    }
    return row[b.size()];
}

}  // namespace

std::string_view nearest_name(std::string_view word, const std::vector<std::string_view>& names) {
    // Nothing longer is near to any name, and the comparison would take long.
    if (word.size() > 64) return {};
    std::string_view best;
    std::size_t best_distance = std::min<std::size_t>(4, word.size() / 2 + 1);
    for (const std::string_view name : names) {
        const std::size_t distance = edit_distance(word, name);
        if (distance < best_distance) {
            best = name;
            best_distance = distance;
        }
    }
    return best;
}

std::string hint_for(std::string_view word, const std::vector<std::string_view>& names,
                     std::string_view help) {
    const std::string_view near = nearest_name(word, names);
    return near.empty() ? fmt::format("See '{}'.", help) : fmt::format("Did you mean '{}'?", near);
}

std::string in_quotes(std::string_view word) {
    return "'" + base::make_visible(base::cut_utf8(word, 80), false) + "'";
}

}  // namespace oauth3::cli
