#include "http/cookie.h"

#include "base/error.h"
#include "support/catch.h"

#include <rapidcheck.h>

#include <algorithm>

using namespace oauth3;
using http::Cookie;

namespace {

http::Request with(std::vector<std::string> cookies) {
    http::Request request;
    for (std::string& text : cookies) request.fields.emplace_back("cookie", std::move(text));
    return request;
}

std::optional<std::string> value(const http::Request& request, std::string_view name) {
    const auto found = http::cookie_value(request, name);
    return found ? std::optional<std::string>(*found) : std::nullopt;
}

rc::Gen<std::string> letters(const std::string& allowed) {
    return rc::gen::container<std::string>(rc::gen::elementOf(allowed));
}

const std::string kToken = "abcXYZ019!#$%&'*+-.^_`|~";
const std::string kValue = "abcXYZ019!#$%&'()*+-./:<=>?@[]^_`{|}~";

std::string code_of(const Cookie& cookie) {
    try {
        return render_set_cookie(cookie);
    } catch (const base::Error& error) {
        return error.code();
    }
}

}  // namespace

TEST_CASE("cookies are found by their exact name, the first one") {
    const auto request = with({"a=1; b=2;c=3 ;  d = 4\t; a=5; e; =6; f=; g==7=", "b=8; h=\"9\""});
    CHECK(value(request, "a") == "1");
    CHECK(value(request, "b") == "2");
    CHECK(value(request, "c") == "3");
    CHECK(value(request, "d") == "4");
    CHECK(value(request, "f") == "");
    CHECK(value(request, "g") == "=7=");
    CHECK(value(request, "h") == "\"9\"");
    for (const char* absent : {"A", "e", "1", "b=2", "a ", " a", "aa", "ab"}) {
        CAPTURE(absent);
        CHECK_FALSE(value(request, absent));
    }
    CHECK_FALSE(value(with({}), "a"));
    CHECK_FALSE(value(with({"", ";", ";;; ", "=", " = "}), "a"));
}

TEST_CASE("a name inside another cookie's name or value does not count") {
    const auto request = with({"xsession=1; session2=2; y=session=3; z=\";session=4\""});
    // RFC 6265 knows no quotes that hide a semicolon: servers and browsers cut there.
    CHECK(value(request, "session") == "4\"");
    CHECK_FALSE(value(with({"xsession=1; session2=2; y=session=3"}), "session"));
}

TEST_CASE("whatever list a browser sends, each cookie is read back") {
    CHECK(rc::check([] {
        const auto pairs = *rc::gen::container<http::Fields>(
            rc::gen::pair(rc::gen::nonEmpty(letters(kToken)), letters(kValue)));
        std::string text;
        for (const auto& [name, content] : pairs) {
            if (!text.empty()) text += "; ";
            text += name + "=" + content;
        }
        const auto request = with({text});
        for (const auto& pair : pairs) {
            const auto first = std::find_if(pairs.begin(), pairs.end(), [&](const auto& other) {
                return other.first == pair.first;
            });
            RC_ASSERT(value(request, pair.first) == first->second);
        }
    }));
}

TEST_CASE("any bytes in a Cookie header are read without harm") {
    CHECK(rc::check([](const std::vector<std::string>& texts, const std::string& name) {
        const auto request = with(texts);
        const auto found = http::cookie_value(request, name);
        if (!found) return;
        RC_ASSERT(found->find(';') == std::string_view::npos);
        // It is a part of what was sent.
        RC_ASSERT(std::any_of(texts.begin(), texts.end(), [&](const std::string& text) {
            return text.find(*found) != std::string::npos;
        }));
    }));
}

TEST_CASE("a Set-Cookie says what it is told, safe by default") {
    Cookie cookie{"oauth3_session", "abc"};
    CHECK(render_set_cookie(cookie) == "oauth3_session=abc; Path=/; HttpOnly; SameSite=Strict");
    cookie.secure = true;
    cookie.http_only = false;
    cookie.max_age = base::Seconds(43'200);
    cookie.name = "__Host-oauth3_session";
    CHECK(render_set_cookie(cookie) ==
          "__Host-oauth3_session=abc; Max-Age=43200; Path=/; Secure; SameSite=Strict");
    cookie.value = "";
    cookie.max_age = base::Seconds(-5);
    CHECK(render_set_cookie(cookie) ==
          "__Host-oauth3_session=; Max-Age=0; Path=/; Secure; SameSite=Strict");
}

TEST_CASE("prefixes of names are kept honest") {
    CHECK(code_of({"__Host-a", "1"}) == "bad_cookie");
    CHECK(code_of({"__Secure-a", "1"}) == "bad_cookie");
    Cookie cookie{"__Host-a", "1"};
    cookie.secure = true;
    cookie.path = "/deeper";
    CHECK(code_of(cookie) == "bad_cookie");
    cookie.name = "__Secure-a";
    CHECK(code_of(cookie) == "__Secure-a=1; Path=/deeper; Secure; HttpOnly; SameSite=Strict");
}

TEST_CASE("nothing can add an attribute or a header of its own") {
    CHECK(rc::check([](const std::string& name, const std::string& content,
                       const std::string& path) {
        Cookie cookie{name, content};
        cookie.path = "/" + path;
        const std::string text = code_of(cookie);
        if (text == "bad_cookie") return;
        RC_ASSERT(std::count(text.begin(), text.end(), ';') == 3);
        RC_ASSERT(http::is_field_value(text));
        RC_ASSERT(text == name + "=" + content + "; Path=/" + path + "; HttpOnly; SameSite=Strict");
    }));
    for (const char* bad : {"a;b", "a b", "a,b", "a\"b", "a\\b", "a\nb", "a\x7F", "\xC3\xA4"}) {
        CAPTURE(bad);
        CHECK(code_of({"n", bad}) == "bad_cookie");
    }
    for (const char* bad : {"", "a=b", "a;b", "a b", "a\r\nX: y"}) {
        CAPTURE(bad);
        CHECK(code_of({bad, "v"}) == "bad_cookie");
    }
}
