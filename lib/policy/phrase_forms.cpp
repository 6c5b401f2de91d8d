#include "policy/phrase_forms.h"

namespace oauth3::policy {

std::vector<std::string_view> forms_of(const PhraseRow& row) {
    constexpr std::string_view kBetween = " | ";
    std::vector<std::string_view> out;
    std::string_view rest = row.forms;
    for (;;) {
        const std::size_t end = rest.find(kBetween);
        out.push_back(rest.substr(0, end));
        if (end == std::string_view::npos) return out;
        rest.remove_prefix(end + kBetween.size());
    }
}

}  // namespace oauth3::policy
