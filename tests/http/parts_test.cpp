#include "base/error.h"
#include "http/address.h"
#include "http/form.h"
#include "http/message.h"
#include "http/render.h"
#include "http/router.h"
#include "support/catch.h"

#include <rapidcheck.h>

#include <set>

using namespace oauth3;
using http::Match;

TEST_CASE("percent coding is exact") {
    CHECK(http::percent_decode("a%20b%2Fc") == "a b/c");
    CHECK(http::percent_decode("a+b") == "a+b");
    CHECK(http::percent_decode("%e2%82%AC") == "\xe2\x82\xac");
    CHECK(http::percent_decode("%00") == std::string(1, '\0'));
    for (const char* bad : {"%", "%4", "a%", "%zz", "%4g", "%%41", "% 1", "%-1", "%0x41"}) {
        CAPTURE(bad);
        CHECK_FALSE(http::percent_decode(bad).has_value());
    }
    CHECK(http::percent_encode("a b/c&d=e+f~") == "a%20b%2Fc%26d%3De%2Bf~");
}

TEST_CASE("percent coding is its own inverse for any bytes") {
    CHECK(rc::check([](const std::string& text) {
        const std::string encoded = http::percent_encode(text);
        for (const char c : encoded) RC_ASSERT(c > 0x20 && c < 0x7f && c != '&' && c != '=');
        RC_ASSERT(http::percent_decode(encoded) == text);
    }));
}

TEST_CASE("a form is read back as it was written") {
    CHECK(rc::check([](const http::Fields& fields) {
        std::string text;
        http::Fields expected;
        for (const auto& [name, value] : fields) {
            if (!text.empty()) text += '&';
            text += http::percent_encode(name) + "=" + http::percent_encode(value);
            expected.emplace_back(name, value);
        }
        RC_ASSERT(http::parse_form(text) == expected);
    }));
}

TEST_CASE("forms: order, doubles, plus and malformed parts") {
    const auto form = http::parse_form("a=1&b=x+y&a=2&c&=d&&e=f=g%3D");
    REQUIRE(form);
    CHECK(*form ==
          http::Fields{{"a", "1"}, {"b", "x y"}, {"a", "2"}, {"c", ""}, {"", "d"}, {"e", "f=g="}});
    CHECK(http::form_value(*form, "a") == "1");
    CHECK_FALSE(http::form_value(*form, "z").has_value());
    CHECK_FALSE(http::parse_form("a=1&b=%").has_value());
    CHECK_FALSE(http::parse_form("%x=1").has_value());
    CHECK(http::parse_form("") == http::Fields{});
}

TEST_CASE("any bytes as a form are refused or read, never more than they hold") {
    CHECK(rc::check([] {
        const auto text = *rc::gen::container<std::string>(
            rc::gen::elementOf(std::string("%+&=a1fG\xff\n") + '\0'));
        const auto form = http::parse_form(text);
        http::Request request;
        request.query = text;
        const auto first = request.query_value("a");
        if (!form) return;
        std::size_t size = 0;
        for (const auto& [name, value] : *form) size += name.size() + value.size();
        RC_ASSERT(size <= text.size());
        const auto same = http::form_value(*form, "a");
        RC_ASSERT(first.has_value() == same.has_value());
        if (first) RC_ASSERT(*first == *same);
    }));
}

TEST_CASE("query values: first wins, a malformed pair hides no other") {
    http::Request request;
    request.query = "bad=%&wait=true?x=1&timeout=500&timeout=9&empty&sp=a+b%20c";
    CHECK(request.query_value("wait") == "true?x=1");
    CHECK(request.query_value("timeout") == "500");
    CHECK(request.query_value("empty") == "");
    CHECK(request.query_value("sp") == "a b c");
    CHECK_FALSE(request.query_value("bad").has_value());
    CHECK_FALSE(request.query_value("absent").has_value());
}

TEST_CASE("header look-up ignores case and keeps order") {
    http::Request request;
    request.fields = {{"X-A", "1"}, {"accept", "x"}, {"x-a", "2"}};
    CHECK(request.header("x-A") == "1");
    CHECK(request.headers("X-a") == std::vector<std::string_view>{"1", "2"});
    CHECK(request.header("Host").empty());
    CHECK(request.has_header("Accept"));
    CHECK_FALSE(request.has_header("Accept2"));
    CHECK_FALSE(http::equal_ignoring_case("a", "ab"));
    CHECK_FALSE(http::equal_ignoring_case("[", "{"));
}

TEST_CASE("addresses are read strictly") {
    const auto v4 = http::parse_address("127.0.0.1:3737");
    REQUIRE(v4);
    CHECK(v4->host == "127.0.0.1");
    CHECK(v4->port == 3737);
    CHECK(v4->is_loopback());
    CHECK(v4->to_string() == "127.0.0.1:3737");
    const auto v6 = http::parse_address("[0:0::1]:0");
    REQUIRE(v6);
    CHECK(v6->host == "::1");
    CHECK(v6->is_loopback());
    CHECK(v6->to_string() == "[::1]:0");
    CHECK_FALSE(http::parse_address("0.0.0.0:1")->is_loopback());
    CHECK_FALSE(http::parse_address("[::]:1")->is_loopback());
    CHECK(http::parse_address("[::ffff:127.0.0.1]:1")->is_loopback());
    for (const char* bad : {"",
                            ":",
                            ":1",
                            "127.0.0.1",
                            "127.0.0.1:",
                            "127.0.0.1:65536",
                            "127.0.0.1:-1",
                            "127.0.0.1:+1",
                            "127.0.0.1: 1",
                            "127.0.0.1:1 ",
                            " 127.0.0.1:1",
                            "127.1:1",
                            "0x7f.0.0.1:1",
                            "127.0.0.01:1",
                            "2130706433:1",
                            "localhost:1",
                            "::1:1",
                            "[::1]",
                            "[::1]1",
                            "[127.0.0.1]:1",
                            "[fe80::1%lo]:1",
                            "[::1:1",
                            "::1]:1",
                            "127.0.0.1:000001",
                            "*:1"}) {
        CAPTURE(bad);
        CHECK_FALSE(http::parse_address(bad).has_value());
    }
    CHECK_FALSE(http::parse_address(std::string_view("127.0.0.1\0:1", 12)).has_value());
    CHECK(http::is_loopback("127.255.255.254"));
    CHECK_FALSE(http::is_loopback("128.0.0.1"));
    CHECK_FALSE(http::is_loopback("127.0.0.1.example.org"));
    CHECK_FALSE(http::is_loopback(""));
}

namespace {

http::Route route(const char* method, const char* pattern) {
    return {method, pattern, [](const http::Request&) { return http::Response(); }};
}

std::string found(const http::Router& router, const char* method, const std::string& path) {
    const Match match = router.match(method, path);
    switch (match.kind) {
        case Match::Kind::not_found:
            return "404";
        case Match::Kind::method_not_allowed: {
            std::string text = "405";
            for (const auto& name : match.allowed) text += " " + name;
            return text;
        }
        case Match::Kind::matched:
            break;
    }
    std::string text = match.route->method + " " + match.route->pattern;
    for (const auto& param : match.params) text += " " + param;
    return text;
}

}  // namespace

TEST_CASE("the router finds the one right route") {
    http::Router router;
    for (const char* pattern : {"/", "/execute/:id/status", "/view/:id", "/execute/all/status",
                                "/execute/:id", "/deep/:a/:b/end"}) {
        router.add(route("GET", pattern));
    }
    router.add(route("POST", "/execute"));
    router.add(route("DELETE", "/view/:id"));
    router.add(route("POST", "/execute/all/:what"));
    CHECK(found(router, "GET", "/") == "GET /");
    CHECK(found(router, "HEAD", "/") == "GET /");
    CHECK(found(router, "GET", "/execute/exec_1/status") == "GET /execute/:id/status exec_1");
    CHECK(found(router, "GET", "/execute/all/status") == "GET /execute/all/status");
    // The literal way leads to another method only, the other way to the right one.
    CHECK(found(router, "POST", "/execute/all/status") == "POST /execute/all/:what status");
    CHECK(found(router, "GET", "/execute/all") == "GET /execute/:id all");
    CHECK(found(router, "GET", "/view/a%2Fb%20c") == "GET /view/:id a/b c");
    CHECK(found(router, "GET", "/deep/1/2/end") == "GET /deep/:a/:b/end 1 2");
    CHECK(found(router, "GET", "/execute") == "405 POST");
    CHECK(found(router, "PUT", "/view/x") == "405 DELETE GET HEAD");
    CHECK(found(router, "get", "/view/x") == "405 DELETE GET HEAD");
    for (const char* path :
         {"", "view/x", "/view", "/view/", "/view/x/", "//view/x", "/view//x", "/view/%",
          "/view/%zz", "/%76iew/x", "/VIEW/x", "*", "/execute/a/b/c", "/view/x?y"}) {
        CAPTURE(path);
        CHECK((found(router, "GET", path) == "404" || std::string(path) == "/view/x?y"));
    }
}

TEST_CASE("the router refuses bad and doubled routes") {
    http::Router router;
    router.add(route("GET", "/a/:id"));
    CHECK_THROWS_AS(router.add(route("GET", "/a/:other")), base::Error);
    CHECK_THROWS_AS(router.add(route("GET", "a")), base::Error);
    CHECK_THROWS_AS(router.add(route("GET", "")), base::Error);
    CHECK_THROWS_AS(router.add(route("G T", "/b")), base::Error);
    CHECK_THROWS_AS(router.add(route("", "/b")), base::Error);
    CHECK_THROWS_AS(router.add(route("GET", "/b/:")), base::Error);
    CHECK_THROWS_AS(router.add({"GET", "/c", {}}), base::Error);
}

TEST_CASE("the router agrees with a simple search for any routes and paths") {
    CHECK(rc::check([] {
        const auto segment = rc::gen::element<std::string>("a", "b", ":p", ":q");
        const auto patterns = *rc::gen::container<std::vector<std::vector<std::string>>>(
            rc::gen::container<std::vector<std::string>>(segment));
        http::Router router;
        std::set<std::string> shapes;
        std::vector<std::vector<std::string>> added;
        for (const auto& pattern : patterns) {
            if (pattern.empty()) continue;
            std::string text;
            std::string shape;
            for (const auto& part : pattern) {
                text += "/" + part;
                shape += part[0] == ':' ? "/*" : "/" + part;
            }
            if (!shapes.insert(shape).second) continue;
            router.add({"GET", text, [](const http::Request&) { return http::Response(); }});
            added.push_back(pattern);
        }
        const auto path = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(
            rc::gen::element<std::string>("a", "b", "c", "")));
        std::string text;
        for (const auto& part : path) text += "/" + part;
        const bool expected = std::any_of(added.begin(), added.end(), [&path](const auto& pattern) {
            if (pattern.size() != path.size()) return false;
            for (std::size_t i = 0; i < path.size(); ++i) {
                if (pattern[i][0] == ':' ? path[i].empty() : pattern[i] != path[i]) return false;
            }
            return true;
        });
        const Match match = router.match("GET", text);
        RC_ASSERT((match.kind == Match::Kind::matched) == expected);
        if (!expected) return;
        std::size_t wanted = 0;
        for (const char c : match.route->pattern) wanted += c == ':' ? 1 : 0;
        RC_ASSERT(match.params.size() == wanted);
    }));
}

TEST_CASE("a response that would split is not sendable") {
    const auto sendable = [](std::string name, std::string value) {
        http::Response response;
        response.headers.emplace_back(std::move(name), std::move(value));
        return http::is_sendable(response);
    };
    CHECK(sendable("Location", "/a?b=c d\te\xc3\xa9"));
    for (const char* bad : {"a\r\nSet-Cookie: x=1", "a\nb", "a\rb", "\x7f", "\x1b[2J"}) {
        CHECK_FALSE(sendable("Location", bad));
    }
    CHECK_FALSE(sendable("Location", std::string("a\0b", 3)));
    for (const char* bad : {"", "a b", "a:", "a\r\nb", "ä"}) CHECK_FALSE(sendable(bad, "x"));
    http::Response response;
    for (const unsigned bad : {0U, 99U, 100U, 101U, 199U, 600U, 1000U}) {
        response.status = bad;
        CHECK_FALSE(http::is_sendable(response));
    }
}

TEST_CASE("what frames a response is the server's alone") {
    http::Response response;
    response.body = "12345";
    response.headers = {{"content-length", "1"},
                        {"Transfer-Encoding", "chunked"},
                        {"Connection", "upgrade"},
                        {"X-Mine", "kept"}};
    CHECK(http::render_head(response, "close", "now") ==
          "HTTP/1.1 200 OK\r\nX-Mine: kept\r\nContent-Length: 5\r\nConnection: close\r\n"
          "Date: now\r\n\r\n");
    response = {204, {}, "", false};
    CHECK(http::render_head(response, "", "now").find("Content-Length") == std::string::npos);
    CHECK(http::format_date(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT");
}
