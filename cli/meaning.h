#pragma once

#include "base/json.h"

#include <string>

namespace oauth3::cli {

/// What a human is about to say beside yes.
struct Consent {
    std::string level = "once";
    bool pin_args = false;
    bool known_code_only = false;
    base::Json narrow;  ///< an object, or null: what to cut
};

/// What approving a request means, in plain sentences: all that it allows from then on.
std::string meaning(const base::Json& request, const Consent& consent);

/// What the human cuts from the request, a line for each part; empty if nothing is cut.
std::string narrowing_text(const base::Json& narrow, bool colour);

}  // namespace oauth3::cli
