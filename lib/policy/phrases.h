#pragma once

#include "policy/limit.h"

#include <span>
#include <string>
#include <string_view>

namespace oauth3::policy {

/// How far a machine enforces a plain-text constraint.
enum class ConstraintClass {
    enforced,  ///< all of it: there is no other way to read the text
    partly,    ///< what it compiles to holds, but the text says more
    advisory,  ///< nothing: oauth3 cannot check it
};

/// "enforced", "partly", "advisory": the words of the wire.
std::string_view to_string(ConstraintClass kind);

/// What a text compiles to (wire 6.6).
struct Phrase {
    ConstraintClass kind = ConstraintClass::advisory;
    Limit limit;         ///< empty iff advisory
    std::string remark;  ///< for `partly`: what is not enforced, for people
};

/// Texts are compared whole, after NFC, trimming, lower-casing, squeezing blanks and dropping a
/// final full stop. Names in them (hosts, repositories) keep their letter case. A text that no row
/// of the table matches, or whose hosts or numbers cannot be read, is advisory.
Phrase compile_phrase(std::string_view text);

/// One row of the table as it is published: in the guide for agents, in the manual, by
/// `oauth3 scope explain`.
struct PhraseRow {
    std::string_view forms;     ///< texts with the same meaning, parted by " | "; {HOSTS} and the
                                ///< like are places
    std::string_view compiles;  ///< what they become
    ConstraintClass kind;
    std::string_view remark;  ///< for `partly`
};

std::span<const PhraseRow> phrase_table();

}  // namespace oauth3::policy
