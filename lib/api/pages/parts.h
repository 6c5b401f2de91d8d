#pragma once

#include "api/html.h"
#include "base/clock.h"
#include "policy/status.h"
#include "store/requests.h"

#include <string>
#include <string_view>
#include <vector>

// The small parts that pages are made of.

namespace oauth3::api::pages {

/// "just now", "3 minutes ago", "in 5 hours": to the one unit that matters.
std::string relative_words(base::Time at, base::Time now);
/// "90 s", "2 minutes", "24 hours": exact, in the largest unit that it is a whole number of.
std::string duration_words(base::Seconds duration);
/// A moment in UTC and how long ago it is.
Html moment(base::Time at, base::Time now);

/// "1 line", "12,034 lines": `one` is the singular.
std::string counted(std::size_t n, std::string_view one);

/// The state of a request, in words and colour.
Html chip(policy::Status status);

/// One row of a list of facts.
Html fact(std::string_view name, const Html& value);
/// A list, or `none` in its place.
Html list(const std::vector<std::string>& items, std::string_view none);
Html code_list(const std::vector<std::string>& items, std::string_view none);
/// Somebody's own words on one line. Letters that run from right to left order nothing that stands
/// beside them.
Html words(std::string_view text);
/// A short text in the font of code.
Html code_word(std::string_view text);
/// A box of a page with its heading. `id` is a constant of ours.
Html section(std::string_view id, std::string_view title, const Html& body, bool warning = false);
Html pre(std::string_view text);

/// The first `count` characters of a text, with an ellipsis if there are more.
std::string first_characters(std::string_view text, std::size_t count);

/// A program with line numbers, whole: long runs of empty lines are told in one line. Long lines
/// are wrapped, so that nothing can hide beyond the edge of the screen.
Html numbered_code(std::string_view code);
/// "12 lines, 345 bytes", and how its lines end if not with LF.
std::string code_size(std::string_view code);

/// How `after` differs from `before`, with line numbers and signs.
Html difference(std::string_view before, std::string_view after);

}  // namespace oauth3::api::pages
