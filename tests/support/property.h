#pragma once

#include <rapidcheck.h>

#include <cstdlib>

namespace oauth3::test {

/// How many cases each property of this program is tried with. RC_PARAMS of the caller wins, so
/// that a failing seed can be given on the command line. Declare one at namespace scope.
struct Cases {
    explicit Cases(const char* parameters) { ::setenv("RC_PARAMS", parameters, 0); }
};

}  // namespace oauth3::test
