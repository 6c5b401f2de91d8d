// UTF-8 and cryptography.
#include "base/crypto.h"
#include "base/error.h"
#include "base/utf8.h"
#include "support/catch.h"
#include "support/property.h"

#include <unictype.h>
#include <unistr.h>

using namespace oauth3::base;

namespace {

const std::uint8_t* bytes(std::string_view text) {
    return reinterpret_cast<const std::uint8_t*>(text.data());
}

/// libunistring's opinion, which shares nothing with ours.
bool oracle_valid(std::string_view text) {
    return u8_check(bytes(text), text.size()) == nullptr;
}

/// Bytes that are nearly UTF-8: real sequences, cut ones, strays.
std::string nearly_text() {
    std::string out;
    const auto parts = *rc::gen::inRange(0, 12);
    for (int i = 0; i < parts; ++i) {
        std::string part;
        append_utf8(part, *rc::gen::weightedOneOf<char32_t>(
                              {{2, rc::gen::inRange<char32_t>(0, 0x80)},
                               {2, rc::gen::inRange<char32_t>(0x80, 0x800)},
                               {2, rc::gen::inRange<char32_t>(0x800, 0x11000)},
                               {1, rc::gen::inRange<char32_t>(0xD7F0, 0xE010)},
                               {1, rc::gen::inRange<char32_t>(0x10000, 0x110010)}}));
        switch (*rc::gen::inRange(0, 4)) {
            case 0:
                out += part.substr(0, *rc::gen::inRange<std::size_t>(0, part.size() + 1));
                break;
            case 1:
                out += static_cast<char>(*rc::gen::inRange(0x80, 0x100));
                break;
            default:
                out += part;
        }
    }
    return out;
}

}  // namespace

TEST_CASE("utf8: every pair and many triples of bytes are judged as the standard does") {
    std::size_t wrong = 0;
    for (unsigned a = 0; a < 256; ++a)
        for (unsigned b = 0; b < 256; ++b) {
            const std::string two{static_cast<char>(a), static_cast<char>(b)};
            if (is_valid_utf8(two) != oracle_valid(two)) ++wrong;
            for (const unsigned c :
                 {0x00u, 0x41u, 0x7Fu, 0x80u, 0x8Fu, 0x90u, 0x9Fu, 0xA0u, 0xBFu, 0xC0u, 0xFFu}) {
                const std::string three = two + static_cast<char>(c);
                if (is_valid_utf8(three) != oracle_valid(three)) ++wrong;
                const std::string four = three + "\x80";
                if (is_valid_utf8(four) != oracle_valid(four)) ++wrong;
            }
        }
    CHECK(wrong == 0);
}

TEST_CASE("utf8: every code point survives writing and reading") {
    std::size_t wrong = 0;
    for (char32_t c = 0; c < 0x110000; ++c) {
        std::string text;
        append_utf8(text, c);
        const CodePoint read = next_code_point(text);
        const bool surrogate = c >= 0xD800 && c < 0xE000;
        if (read.valid == surrogate) ++wrong;
        if (!surrogate && (read.value != c || read.size != text.size())) ++wrong;
    }
    CHECK(wrong == 0);
}

TEST_CASE("utf8: what is made valid is valid, stays so, and loses nothing that was valid") {
    CHECK(to_valid_utf8("a\xFF"
                        "b") == "a\uFFFDb");
    CHECK(to_valid_utf8("\xE2\x82") == "\uFFFD");
    CHECK(to_valid_utf8("\xE2\x82\xE2\x82\xAC") == "\uFFFD\u20AC");
    // The example of the Unicode standard, table 3-8.
    CHECK(to_valid_utf8("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41") ==
          "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA");
    CHECK(to_valid_utf8("\xF1\x80\x80\xE1\x80\xC2"
                        "b\x80") == "\uFFFD\uFFFD\uFFFDb\uFFFD");
    CHECK(rc::check([] {
        const std::string raw = nearly_text();
        const std::string valid = to_valid_utf8(raw);
        RC_ASSERT(oracle_valid(valid));
        RC_ASSERT(is_valid_utf8(valid));
        RC_ASSERT(to_valid_utf8(valid) == valid);
        RC_ASSERT(valid.size() <= 3 * raw.size());
        if (oracle_valid(raw)) RC_ASSERT(valid == raw);
        if (oracle_valid(raw)) RC_ASSERT(utf8_length(raw) == u8_mbsnlen(bytes(raw), raw.size()));
    }));
}

TEST_CASE("utf8: a cut is never longer than asked and never splits a character") {
    CHECK(cut_utf8("a\u20ACb", 3) == "a");
    CHECK(cut_utf8("a\u20ACb", 4) == "a\u20AC");
    CHECK(cut_utf8("\U0001F4A9", 3).empty());
    CHECK(cut_utf8("abc", 0).empty());
    CHECK(rc::check([] {
        const std::string raw = nearly_text();
        const auto limit = *rc::gen::inRange<std::size_t>(0, raw.size() + 3);
        const std::string_view cut = cut_utf8(raw, limit);
        RC_ASSERT(cut.size() <= limit);
        RC_ASSERT(raw.starts_with(cut));
        RC_ASSERT(cut.size() + 3 >= std::min(limit, raw.size()));
        if (oracle_valid(raw)) RC_ASSERT(oracle_valid(cut));
    }));
}

TEST_CASE("utf8: all that Unicode calls invisible or direction-changing is deceptive") {
    std::vector<unsigned> missed;
    for (ucs4_t c = 0; c < 0x110000; ++c) {
        if (c >= 0xD800 && c < 0xE000) continue;
        const bool invisible =
            uc_is_property_default_ignorable_code_point(c) || uc_is_property_bidi_control(c) ||
            uc_is_general_category(c, UC_CONTROL) || uc_is_general_category(c, UC_LINE_SEPARATOR) ||
            uc_is_general_category(c, UC_PARAGRAPH_SEPARATOR);
        if (invisible && !is_deceptive(c)) missed.push_back(c);
    }
    CHECK(missed == std::vector<unsigned>{});
    for (const char32_t c : {U'a', U' ', U'\u00E9', U'\u4E2D', U'\u0627', U'\U0001F4A9'})
        CHECK_FALSE(is_deceptive(c));
}

TEST_CASE("utf8: visible text holds nothing deceptive") {
    CHECK(make_visible("a\x1B[2Jb", false) == "a<U+001B>[2Jb");
    CHECK(make_visible("a\u202Eb\xFF", false) == "a<U+202E>b<0xFF>");
    CHECK(make_visible("a\n\tb\r", true) == "a\n\tb<U+000D>");
    CHECK(make_visible("a\nb", false) == "a<U+000A>b");
    CHECK(rc::check([](bool keep_lines) {
        const std::string visible = make_visible(nearly_text(), keep_lines);
        RC_ASSERT(oracle_valid(visible));
        for (std::string_view rest = visible; !rest.empty();) {
            const CodePoint c = next_code_point(rest);
            const bool line = keep_lines && (c.value == '\n' || c.value == '\t');
            RC_ASSERT(line || !is_deceptive(c.value));
            rest.remove_prefix(c.size);
        }
        RC_ASSERT(make_visible(visible, keep_lines) == visible);
    }));
}

TEST_CASE("crypto: known answers") {
    CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(sha256_hex({}) == sha256_hex(""));
    CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    CHECK(sha256_hex(std::string(1'000'000, 'a')) ==
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    CHECK(sha256_hex(std::string(1, '\0')) ==
          "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    CHECK(sha256_base64("abc") == "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    // Made once with: printf abc | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102...1f, and
    // with the empty message. (RFC 4231 has no key of 32 bytes.)
    std::string key;
    for (char c = 0; c < 32; ++c) key += c;
    CHECK(hmac_sha256_hex(key, "abc") ==
          "f0133729c4163dede81e21cd47839256da58171238c8a0d874397c73b14e1e47");
    CHECK(hmac_sha256_hex(key, "") ==
          "d38b42096d80f45f826b44a9d5607de72496a415d3f4a1a8c88e3bb9da8dc1cb");
    CHECK_THROWS_AS(hmac_sha256_hex(key.substr(1), "abc"), Error);
    CHECK_THROWS_AS(hmac_sha256_hex(key + "x", "abc"), Error);
    CHECK_THROWS_AS(hmac_sha256_hex("", ""), Error);
}

TEST_CASE("crypto: encodings") {
    CHECK(to_hex(std::string("\x00\xFF\x10", 3)) == "00ff10");
    CHECK(to_hex("").empty());
    CHECK(to_base64url("\xFB\xFF\xFE") == "-__-");
    CHECK(to_base64url("a") == "YQ");
    CHECK(to_base64url("").empty());
    CHECK(to_base64url(random_bytes(32)).size() == 43);
}

TEST_CASE("crypto: constant-time comparison compares") {
    CHECK(equal_constant_time("", ""));
    CHECK(equal_constant_time({}, {}));
    CHECK_FALSE(equal_constant_time("a", ""));
    CHECK_FALSE(equal_constant_time("a", "ab"));
    CHECK_FALSE(equal_constant_time(std::string_view("a\0b", 3), std::string_view("a\0c", 3)));
    CHECK(rc::check([](const std::string& a, const std::string& b) {
        RC_ASSERT(equal_constant_time(a, b) == (a == b));
        RC_ASSERT(equal_constant_time(a, std::string(a)));
    }));
    std::string text(64, 'x');
    for (std::size_t i = 0; i < text.size(); ++i)
        for (int bit = 0; bit < 8; ++bit) {
            std::string other = text;
            other[i] = static_cast<char>(other[i] ^ (1 << bit));
            CHECK_FALSE(equal_constant_time(text, other));
        }
}

TEST_CASE("crypto: ids are of their form and do not repeat") {
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        const std::string id = make_id("exec_");
        CHECK(is_id(id, "exec_"));
        seen.insert(id);
    }
    CHECK(seen.size() == 1000);
    CHECK_FALSE(is_id("exec_0123456789abcdef", "scope_"));
    CHECK_FALSE(is_id("exec_0123456789abcdeF", "exec_"));
    CHECK_FALSE(is_id("exec_0123456789abcde", "exec_"));
    CHECK_FALSE(is_id("exec_0123456789abcdef0", "exec_"));
    CHECK_FALSE(is_id("", "exec_"));
    CHECK_FALSE(is_id(std::string_view("exec_0123456789abcde\0", 21), "exec_"));
    for (int i = 0; i < 1000; ++i) CHECK(random_below(7) < 7);
    CHECK(random_below(1) == 0);
    CHECK(random_bytes(0).empty());
}
