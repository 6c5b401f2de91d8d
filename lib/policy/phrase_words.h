#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace oauth3::policy {

/// One word of a constraint. A comma is a word of its own, so that "a.org, b.org" and "a.org,b.org"
/// are the same.
struct Word {
    std::string text;   ///< as it was written: names keep their letter case
    std::string lower;  ///< to compare: A to Z as small letters

    bool is(std::string_view lower_text) const { return lower == lower_text; }
};

/// The words of a text after NFC, without blanks and without the full stop at its end; nullopt for
/// a text that cannot be a phrase: bytes that are not UTF-8, or characters that nobody sees.
///
/// Only A to Z are lower-cased, though Unicode has more letters. That is enough, since every word
/// of the table is ASCII, and no other character that survives NFC has an ASCII lower case.
std::optional<std::vector<Word>> words_of(std::string_view text);

}  // namespace oauth3::policy
