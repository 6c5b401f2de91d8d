#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace oauth3::cli {

/// The one of `names` that `word` most probably stands for; "" if none is near.
std::string_view nearest_name(std::string_view word, const std::vector<std::string_view>& names);

/// "Did you mean 'X'?", or, if no name is near, "See 'HELP'."
std::string hint_for(std::string_view word, const std::vector<std::string_view>& names,
                     std::string_view help);

/// A word of the user in a message: cut, made visible, in quotes.
std::string in_quotes(std::string_view word);

}  // namespace oauth3::cli
