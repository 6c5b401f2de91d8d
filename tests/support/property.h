#pragma once

#include <rapidcheck.h>

#include <cstdlib>
#include <iostream>
#include <utility>

namespace oauth3::test {

/// Whether the caller has given RC_PARAMS. Read before any Cases sets it, since it stands before
/// each of them.
inline const bool kCallerGaveParameters = std::getenv("RC_PARAMS") != nullptr;

/// How many cases each property of this program is tried with. RC_PARAMS of the caller wins, so
/// that a failing seed can be given on the command line. Declare one at namespace scope.
struct Cases {
    explicit Cases(const char* parameters) { ::setenv("RC_PARAMS", parameters, 0); }
};

/// As rc::check, but with a number of cases of its own, for the cheap property that needs many in a
/// program that has dear ones. The caller's RC_PARAMS win here, too.
template <typename Property>
bool holds_in(int cases, Property&& property) {
    auto parameters = rc::detail::configuration().testParams;
    if (!kCallerGaveParameters) parameters.maxSuccess = cases;
    const auto result = rc::detail::checkTestable(std::forward<Property>(property),
                                                  rc::detail::TestMetadata(), parameters);
    rc::detail::printResultMessage(result, std::cerr);
    std::cerr << std::endl;
    return result.template is<rc::detail::SuccessResult>();
}

}  // namespace oauth3::test
