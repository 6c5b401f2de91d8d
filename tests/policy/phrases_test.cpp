#include "policy/phrases.h"

#include "base/path.h"
#include "base/utf8.h"
#include "policy/phrases_table.h"
#include "support/catch.h"
#include "support/property.h"

#include <rapidcheck.h>
#include <unicase.h>
#include <uninorm.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

using namespace oauth3::policy;
using oauth3::test::Example;
using oauth3::test::Sentence;

namespace {

const oauth3::test::Cases kCases("max_success=5000 max_discard_ratio=100");

/// "GET https://host:port/path".
Call call_from(std::string text) {
    Call out;
    const std::size_t blank = text.find(' ');
    out.method = text.substr(0, blank);
    std::string url = text.substr(blank + 1);
    out.tls = url.starts_with("https://");
    url.erase(0, url.find("//") + 2);
    const std::size_t slash = url.find('/');
    const auto network = oauth3::base::parse_network(url.substr(0, slash)).network;
    out.host = network.value().host;
    out.port = network->port.value_or(out.tls ? 443 : 80);
    out.path = oauth3::base::canonical_path(url.substr(slash)).path.value();
    return out;
}

/// What fills each place in the examples of the published forms.
const std::map<std::string, std::string> kFillings{{"{HOSTS}", "a.org and b.org"},
                                                   {"{METHODS}", "post, put and patch"},
                                                   {"{METHOD}", "post"},
                                                   {"{PATHS}", "/a and /b/**"},
                                                   {"{SECRETS}", "GH_TOKEN and T_2"},
                                                   {"{OWNER}", "o"},
                                                   {"{REPO}", "r"},
                                                   {"{BRANCH}", "main"},
                                                   {"{N}", "7"},
                                                   {"{DURATION}", "2 minutes"},
                                                   {"{UNIT}", "hour"},
                                                   {"\u2026", "something else"}};

std::string replaced(std::string text, const std::string& what, const std::string& by) {
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
        text.replace(at, what.size(), by);
    return text;
}

/// A published form as somebody would write it.
std::string filled(std::string form, const PhraseRow& row) {
    // Endpoints are known at some hosts only.
    static const std::pair<const char*, const char*> kHosts[]{
        {"chat completions", "api.openai.com and api.x.ai"},
        {"embeddings", "api.openai.com and api.jina.ai"},
        {"messages endpoint", "api.anthropic.com"},
        {"responses endpoint", "api.openai.com"}};
    for (const auto& [subject, hosts] : kHosts)
        if (row.forms.find(subject) != std::string_view::npos)
            form = replaced(std::move(form), "{HOSTS}", hosts);
    for (const auto& [place, text] : kFillings) form = replaced(std::move(form), place, text);
    return form;
}

std::vector<std::string> forms_of(const PhraseRow& row) {
    std::vector<std::string> out;
    std::string_view rest = row.forms;
    for (std::size_t end = 0; end != std::string_view::npos;) {
        end = rest.find(" | ");
        out.emplace_back(rest.substr(0, end));
        if (end != std::string_view::npos) rest.remove_prefix(end + 3);
    }
    return out;
}

std::vector<std::string> words_of_table() {
    std::set<std::string> out;
    for (const PhraseRow& row : phrase_table())
        for (const std::string& form : forms_of(row)) {
            std::string rest = filled(form, row) + " ";
            for (std::size_t end; (end = rest.find(' ')) != std::string::npos;) {
                out.insert(rest.substr(0, end));
                rest.erase(0, end + 1);
            }
        }
    return {out.begin(), out.end()};
}

std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> out;
    std::string word;
    const auto end = [&] {
        if (!word.empty()) out.push_back(word);
        word.clear();
    };
    for (const char c : text) {
        if (c == ' ' || c == ',') end();
        if (c == ',') out.emplace_back(",");
        if (c != ' ' && c != ',') word += c;
    }
    end();
    if (!out.empty() && out.back().size() > 1 && out.back().ends_with('.')) out.back().pop_back();
    return out;
}

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

/// As many readings as there are: a place takes any number of words from one on.
bool takes(const std::vector<std::string>& form, std::size_t f,
           const std::vector<std::string>& words, std::size_t w) {
    if (f == form.size()) return w == words.size();
    if (w == words.size()) return false;
    if (form[f].find('{') == std::string::npos && form[f] != "\u2026")
        return lower(words[w]) == form[f] && takes(form, f + 1, words, w + 1);
    for (std::size_t next = w + 1; next <= words.size(); ++next)
        if (takes(form, f + 1, words, next)) return true;
    return false;
}

/// Whether these words are a published form with something in its places. Says once more what the
/// table says, by trying all that there is.
bool is_filling(const std::string& form, const std::vector<std::string>& words) {
    return takes(split(form), 0, words, 0);
}

std::string message_of(const Phrase& phrase) {
    return std::string(to_string(phrase.kind)) + ": " + describe(phrase.limit);
}

/// The choices of one case, from one number that rapidcheck shows on a failure.
class Choices {
  public:
    Choices() : engine_(*rc::gen::arbitrary<std::uint32_t>() | 1U) {}
    std::size_t below(std::size_t bound) {
        return std::uniform_int_distribution<std::size_t>(0, bound - 1)(engine_);
    }
    template <typename List>
    auto& of(const List& list) {
        return list[below(list.size())];
    }

  private:
    std::minstd_rand engine_;
};

std::string as_utf8(char32_t c) {
    std::string out;
    oauth3::base::append_utf8(out, c);
    return out;
}

}  // namespace

TEST_CASE("each sentence compiles to exactly its limit") {
    for (const Sentence& sentence : oauth3::test::compiled_sentences()) {
        CAPTURE(sentence.text);
        const Phrase phrase = compile_phrase(sentence.text);
        CHECK(to_string(phrase.kind) == to_string(sentence.kind));
        CHECK(describe(phrase.limit) == sentence.limit);
        CHECK_FALSE(phrase.limit.empty());
        CHECK(phrase.remark.empty() == (phrase.kind == ConstraintClass::enforced));
    }
    CHECK(oauth3::test::compiled_sentences().size() >= 150);
}

TEST_CASE("every other sentence stays advisory, with an empty limit") {
    for (const char* text : oauth3::test::advisory_sentences()) {
        const Phrase phrase = compile_phrase(text);
        CAPTURE(text, message_of(phrase));
        CHECK(phrase.kind == ConstraintClass::advisory);
        CHECK(phrase.limit.empty());
        CHECK(phrase.remark.empty());
    }
    CHECK(oauth3::test::advisory_sentences().size() >= 150);
    using namespace std::string_view_literals;
    for (const std::string_view bytes :
         {"read only\0"sv, "\0read only"sv, "read only\xFF"sv, "read\xC0\xA0only"sv, "\xE2\x80"sv,
          "only read \xED\xA0\x80"sv, "only read \xF0\x9F"sv})
        CHECK(compile_phrase(bytes).limit.empty());
}

TEST_CASE("a limit comes back from the store as it went") {
    for (const Sentence& sentence : oauth3::test::compiled_sentences()) {
        CAPTURE(sentence.text);
        const Limit limit = compile_phrase(sentence.text).limit;
        const auto stored = oauth3::base::parse_json(oauth3::base::dump_json(to_json(limit)));
        CHECK(limit_from_json(stored) == limit);
    }
}

TEST_CASE("the published table says what its forms compile to") {
    std::set<std::string> seen;
    for (const PhraseRow& row : phrase_table()) {
        CHECK_FALSE(row.compiles.empty());
        CHECK(row.kind != ConstraintClass::advisory);
        CHECK(row.remark.empty() == (row.kind == ConstraintClass::enforced));
        // Forms without hosts and those with hosts, if a row has both, may differ in their limit.
        std::map<bool, std::set<std::string>> limits;
        for (const std::string& form : forms_of(row)) {
            CAPTURE(form);
            CHECK(seen.insert(form).second);
            const std::string text = filled(form, row);
            const Phrase phrase = compile_phrase(text);
            CAPTURE(text, message_of(phrase));
            CHECK(text.find_first_of("{}") == std::string::npos);
            CHECK(to_string(phrase.kind) == to_string(row.kind));
            CHECK(phrase.remark == row.remark);
            CHECK_FALSE(phrase.limit.empty());
            // With one METHOD after the other the limit is of one, with METHODS of all.
            if (form.find("{METHOD}") == std::string::npos && form.find("{UNIT}") == form.npos)
                limits[form.find("{HOSTS}") != form.npos].insert(describe(phrase.limit));
        }
        for (const auto& [with_hosts, texts] : limits) CHECK(texts.size() == 1);
    }
    // What the wire demands is published in the wire's words.
    const auto published = [](const std::string& form, ConstraintClass kind, const char* compiles) {
        const auto rows = phrase_table();
        return std::any_of(rows.begin(), rows.end(), [&](const PhraseRow& row) {
            const auto forms = forms_of(row);
            return std::find(forms.begin(), forms.end(), form) != forms.end() && row.kind == kind &&
                   row.compiles == compiles;
        });
    };
    using enum ConstraintClass;
    CHECK(published("no network access", enforced, "no networks"));
    CHECK(published("read only", enforced, "methods GET, HEAD"));
    CHECK(published("no delete", enforced, "no method DELETE"));
    CHECK(published("only access {HOSTS}", enforced, "those networks"));
    CHECK(published("no destructive actions", partly, "no method DELETE"));
    CHECK(published("only read \u2026", partly, "methods GET, HEAD"));
}

TEST_CASE("what a sentence forbids is refused, and what it allows is not") {
    std::set<std::string> tried;
    for (const Example& example : oauth3::test::examples()) {
        CAPTURE(example.text);
        const Phrase phrase = compile_phrase(example.text);
        REQUIRE(phrase.kind != ConstraintClass::advisory);
        tried.insert(describe(phrase.limit));
        for (const char* call : example.allowed) {
            CAPTURE(call);
            CHECK(phrase.limit.allows(call_from(call)));
        }
        CHECK_FALSE(example.forbidden.empty());
        for (const char* call : example.forbidden) {
            CAPTURE(call);
            CHECK_FALSE(phrase.limit.allows(call_from(call)));
        }
    }
    // Every row that is about calls is among them.
    for (const PhraseRow& row : phrase_table()) {
        bool about_calls = false, found = false;
        for (const std::string& form : forms_of(row)) {
            const Limit limit = compile_phrase(filled(form, row)).limit;
            about_calls = about_calls || limit.calls || limit.tls_only;
        }
        for (const Example& example : oauth3::test::examples())
            for (const std::string& form : forms_of(row))
                found = found || is_filling(form, split(example.text));
        CAPTURE(row.forms);
        CHECK((found || !about_calls));
    }
}

TEST_CASE("lower-casing A to Z is enough: no other character is a letter of the table") {
    for (char32_t c = 0x80; c < 0x110000; ++c) {
        if (c >= 0xD800 && c < 0xE000) continue;
        const std::string text = as_utf8(c);
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
        std::uint8_t buffer[64];
        std::size_t size = sizeof buffer;
        REQUIRE(u8_normalize(UNINORM_NFC, bytes, text.size(), buffer, &size) == buffer);
        if (std::all_of(buffer, buffer + size, [](std::uint8_t b) { return b < 0x80; })) {
            // What NFC itself makes ASCII: the Kelvin sign, a Greek semicolon and a Greek accent.
            CHECK((c == 0x212A || c == 0x37E || c == 0x1FEF));
            continue;
        }
        std::uint8_t lowered[128];
        std::size_t lowered_size = sizeof lowered;
        REQUIRE(u8_tolower(buffer, size, nullptr, UNINORM_NFC, lowered, &lowered_size) == lowered);
        if (std::all_of(lowered, lowered + lowered_size, [](std::uint8_t b) { return b < 0x80; }))
            FAIL("U+" << std::hex << static_cast<unsigned>(c) << " has an ASCII lower case");
    }
}

TEST_CASE("letter case, blanks and one full stop do not matter, and any other character does") {
    const auto& sentences = oauth3::test::compiled_sentences();
    CHECK(rc::check([&sentences] {
        Choices choose;
        // Names in capitals would be others, so only texts without them are changed.
        const PhraseRow& row = choose.of(phrase_table());
        const std::string form = choose.of(forms_of(row));
        const std::string text = filled(form, row);
        const Phrase expected = compile_phrase(text);
        const bool named = form.find("{OWNER}") != form.npos || form.find("{PATHS}") != form.npos ||
                           form.find("{SECRETS}") != form.npos;
        std::string changed(choose.below(3), ' ');
        for (const char c : text) {
            if (c == ' ') {
                for (std::size_t left = 1 + choose.below(3); left > 0; --left)
                    changed += choose.of(std::vector<std::string>{" ", "\t", "\n", "\u00A0"});
            } else if (!named && c >= 'a' && c <= 'z' && choose.below(2) == 0) {
                changed += static_cast<char>(c - 'a' + 'A');
            } else {
                changed += c;
            }
        }
        if (choose.below(2) == 0) changed += '.';
        changed += std::string(choose.below(3), ' ');
        const Phrase found = compile_phrase(changed);
        RC_ASSERT(found.kind == expected.kind);
        RC_ASSERT(found.limit == expected.limit);
        RC_ASSERT(found.remark == expected.remark);
        // One invisible character anywhere.
        const auto& sentence = choose.of(sentences);
        std::string spoilt = sentence.text;
        std::size_t at = choose.below(spoilt.size() + 1);
        while (at < spoilt.size() && (static_cast<unsigned char>(spoilt[at]) & 0xC0) == 0x80) --at;
        spoilt.insert(at, as_utf8(choose.of(std::vector<char32_t>{0x200B, 0x200D, 0xAD, 0xFEFF,
                                                                  0x2060, 0x202E, 0, 0x1B})));
        RC_ASSERT(compile_phrase(spoilt).kind == ConstraintClass::advisory);
    }));
}

TEST_CASE("only a text that is a form as a whole is more than advisory") {
    const auto table = words_of_table();
    const std::vector<std::string> others{"nice", "be",  "except", "not", "please", ",", "or",
                                          "the",  "and", "a.org",  "7",   "github", "x", "never"};
    CHECK(rc::check([&] {
        Choices choose;
        // Often a form, with something done to it; sometimes words as they come.
        const PhraseRow& row = choose.of(phrase_table());
        std::vector<std::string> words;
        if (choose.below(4) > 0) words = split(filled(choose.of(forms_of(row)), row));
        for (std::size_t left = choose.below(words.empty() ? 7 : 3); left > 0; --left) {
            const std::string& word = choose.of(choose.below(2) == 0 ? table : others);
            words.insert(
                words.begin() + static_cast<std::ptrdiff_t>(choose.below(words.size() + 1)), word);
        }
        if (!words.empty() && choose.below(6) == 0)
            words.erase(words.begin() + static_cast<std::ptrdiff_t>(choose.below(words.size())));
        std::string text;
        for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
        const Phrase phrase = compile_phrase(text);
        RC_CLASSIFY(phrase.kind != ConstraintClass::advisory, "compiles");
        RC_ASSERT(phrase.limit.empty() == (phrase.kind == ConstraintClass::advisory));
        if (phrase.kind == ConstraintClass::advisory) return;
        const auto rows = phrase_table();
        RC_ASSERT(std::any_of(rows.begin(), rows.end(), [&](const PhraseRow& by) {
            const auto forms = forms_of(by);
            return by.kind == phrase.kind && by.remark == phrase.remark &&
                   std::any_of(forms.begin(), forms.end(), [&](const std::string& form) {
                       return is_filling(form, split(text));
                   });
        }));
    }));
}

TEST_CASE("a word in front or behind never leaves a text enforced") {
    const std::vector<std::string> others{"nice",   "be", "except", "please", "always",
                                          "not",    "x,", "!",      "never",  "then",
                                          "unless", "(",  "\u043E"};
    CHECK(rc::check([&] {
        Choices choose;
        const std::string text = choose.of(oauth3::test::compiled_sentences()).text;
        const std::string& word = choose.of(others);
        for (const std::string& longer : {word + " " + text, text + " " + word})
            RC_ASSERT(compile_phrase(longer).kind != ConstraintClass::enforced);
        // Nor does a form's being a part of another text.
        RC_ASSERT(compile_phrase(word + " " + text).kind == ConstraintClass::advisory);
    }));
}

TEST_CASE("no bytes make it throw, and what is not UTF-8 is advisory") {
    CHECK(rc::check([] {
        Choices choose;
        std::string text = choose.below(2) == 0
                               ? ""
                               : std::string(choose.of(oauth3::test::compiled_sentences()).text);
        for (std::size_t left = 1 + choose.below(6); left > 0; --left)
            text.insert(choose.below(text.size() + 1), 1, static_cast<char>(choose.below(256)));
        const Phrase phrase = compile_phrase(text);
        if (!oauth3::base::is_valid_utf8(text)) RC_ASSERT(phrase.kind == ConstraintClass::advisory);
        RC_ASSERT(phrase.limit.empty() == (phrase.kind == ConstraintClass::advisory));
        RC_ASSERT(limit_from_json(to_json(phrase.limit)) == phrase.limit);
    }));
    const std::string many = std::string(100'000, ',');
    CHECK(compile_phrase("only access " + many).limit.empty());
    CHECK(compile_phrase(std::string(100'000, '/')).limit.empty());
}
