#include "policy/phrases.h"
namespace oauth3::policy {
std::string_view to_string(ConstraintClass kind) {
    switch (kind) {
        case ConstraintClass::enforced: return "enforced";
        case ConstraintClass::partly: return "partly";
        case ConstraintClass::advisory: return "advisory";
    }
    return "?";
}
Phrase compile_phrase(std::string_view) { return {}; }
std::span<const PhraseRow> phrase_table() { return {}; }
}
