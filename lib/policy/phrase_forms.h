#pragma once

#include "policy/phrases.h"

#include <string_view>
#include <vector>

namespace oauth3::policy {

/// The texts of a row of the phrase table, one by one.
std::vector<std::string_view> forms_of(const PhraseRow& row);

}  // namespace oauth3::policy
