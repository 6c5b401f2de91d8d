#include "policy/phrase_words.h"

#include "base/utf8.h"

#include <uninorm.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace oauth3::policy {
namespace {

struct Free {
    void operator()(void* memory) const noexcept {
        std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc): libunistring took it so
    }
};

std::optional<std::string> to_nfc(std::string_view text) {
    if (text.empty()) return std::string();
    std::size_t length = 0;
    const std::unique_ptr<std::uint8_t, Free> out(
        ::u8_normalize(UNINORM_NFC, reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
                       nullptr, &length));
    if (!out) return std::nullopt;
    return std::string(reinterpret_cast<const char*>(out.get()), length);
}

/// What parts words: the blanks of a keyboard, line ends, and the no-break space that pages and
/// some keyboards put in their place, which nobody can tell from a blank.
bool is_blank(char32_t c) {
    return c == U' ' || c == U'\t' || c == U'\n' || c == U'\r' || c == U'\u00A0';
}

char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

class Splitter {
  public:
    void add(std::string_view bytes) { word_ += bytes; }
    void comma() {
        end_word();
        word_ = ",";
        end_word();
    }
    void end_word() {
        if (word_.empty()) return;
        Word word{std::move(word_), {}};
        word_.clear();
        word.lower.resize(word.text.size());
        std::transform(word.text.begin(), word.text.end(), word.lower.begin(), to_lower);
        words_.push_back(std::move(word));
    }
    /// Drops one full stop at the end; one that stands alone is a word.
    std::vector<Word> end() {
        end_word();
        if (!words_.empty() && words_.back().text.size() > 1 && words_.back().text.ends_with('.')) {
            words_.back().text.pop_back();
            words_.back().lower.pop_back();
        }
        return std::move(words_);
    }

  private:
    std::string word_;
    std::vector<Word> words_;
};

}  // namespace

std::optional<std::vector<Word>> words_of(std::string_view text) {
    if (!base::is_valid_utf8(text)) return std::nullopt;
    const auto normal = to_nfc(text);
    if (!normal) return std::nullopt;
    Splitter splitter;
    for (std::string_view rest = *normal; !rest.empty();) {
        const base::CodePoint c = base::next_code_point(rest);
        if (is_blank(c.value))
            splitter.end_word();
        else if (base::is_deceptive(c.value))
            return std::nullopt;
        else if (c.value == U',')
            splitter.comma();
        else
            splitter.add(rest.substr(0, c.size));
        rest.remove_prefix(c.size);
    }
    return splitter.end();
}

}  // namespace oauth3::policy
