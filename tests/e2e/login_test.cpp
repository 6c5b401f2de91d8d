// Logging in and out, as a browser does it over HTTP (wire 2.4).

#include "e2e/browser.h"
#include "e2e/harness.h"
#include "http/form.h"
#include "support/catch.h"

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

bool holds(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// The secret part of a new log-in link.
std::string new_link(const Server& server) {
    const auto cli = server.cli({"login-link", "--json", "--data-dir", server.data()});
    const Ended ended = cli->wait();
    INFO(ended.err);
    REQUIRE(ended.exit_code == 0);
    const std::string url = base::parse_json(ended.out)["url"];
    return url.substr(url.find("once=") + 5);
}

/// A log-in form as a caller sends it that keeps no cookies.
Reply send_form(const Server& server, const Form& form, const std::string& cookie,
                std::vector<std::string> headers = {}) {
    headers.insert(headers.end(), {"Content-Type: application/x-www-form-urlencoded",
                                   "Accept: text/html", "Cookie: " + cookie});
    return server.call({.method = "POST",
                        .path = "/login",
                        .body = encode_form(form),
                        .headers = std::move(headers)});
}

const std::string kCookie = "oauth3_login=" + std::string(43, 'c');
const std::string kCsrf(43, 'c');

}  // namespace

TEST_CASE("conformance 10: a login link works once and is not used up by a GET") {
    const Server server;
    const std::string once = new_link(server);
    for (int i = 0; i < 3; ++i) {
        const Reply page = server.get("/login?once=" + once);
        CHECK(page.status == 200);
        CHECK(holds(page.body, "Continue"));
        CHECK(server.call({.method = "HEAD", .path = "/login?once=" + once}).status == 200);
    }
    Browser first(server);
    const Reply in = first.log_in_by_link(once);
    CHECK(in.status == 303);
    CHECK(in.headers.at("location") == "/dashboard");
    CHECK(first.get("/dashboard").status == 200);

    Browser second(server);
    const Reply again = second.log_in_by_link(once);
    CHECK(again.status == 401);
    CHECK(holds(again.body, "<form"));
    CHECK(second.session() == "");
    CHECK_FALSE(holds(server.get("/login?once=" + once).body, "Continue"));
    // The second click of the same browser is no failure: it is logged in.
    CHECK(first.log_in_by_link(once).status == 303);
    CHECK(first.get("/dashboard").status == 200);
}

TEST_CASE("conformance 10: the sixth failed login in a minute is 429, a right one still passes") {
    const Server server;
    const std::string once = new_link(server);
    Browser human(server);
    for (int i = 0; i < 5; ++i) {
        const Reply reply = human.log_in_by_key("oauth3_owner_" + std::string(43, 'A'));
        INFO(i << " " << reply.body);
        CHECK(reply.status == 401);
        CHECK(holds(reply.body, "name=\"key\""));
    }
    for (int i = 0; i < 3; ++i) {
        const Reply reply =
            i == 0 ? human.log_in_by_link(std::string(43, 'A')) : human.log_in_by_key("nonsense");
        CHECK(reply.status == 429);
        const int seconds = std::stoi(reply.headers.at("retry-after"));
        CHECK(seconds >= 1);
        CHECK(seconds <= 60);
        CHECK(holds(reply.headers.at("content-type"), "text/html"));
    }
    const Reply json = server.call({.method = "POST",
                                    .path = "/login",
                                    .body = R"({"key":"nonsense","csrf":")" + kCsrf + "\"}",
                                    .headers = {"Content-Type: application/json",
                                                "Accept: application/json", "Cookie: " + kCookie}});
    CHECK(json.status == 429);
    CHECK(json.text("code") == "rate_limited");
    CHECK(human.log_in_by_key(server.owner_key()).status == 303);
    Browser other(server);
    CHECK(other.log_in_by_link(once).status == 303);
}

TEST_CASE("a log-in leads to the path it was asked for, and to no other host") {
    const Server server;
    const std::pair<std::string, std::string> kCases[] = {
        {"/approve/exec_0000000000000000?token=abc", "/approve/exec_0000000000000000?token=abc"},
        {"/dashboard?before=x", "/dashboard?before=x"},
        {"", "/dashboard"},
        {"//evil.example/", "/dashboard"},
        {"/\\evil.example/", "/dashboard"},
        {"/\t/evil.example/", "/dashboard"},
        {"https://evil.example/", "/dashboard"},
        {"dashboard", "/dashboard"},
        {"/a\r\nSet-Cookie: x=y", "/dashboard"},
    };
    for (const auto& [wanted, leads] : kCases) {
        INFO(wanted);
        const Reply in = send_form(
            server, {{"key", server.owner_key()}, {"next", wanted}, {"csrf", kCsrf}}, kCookie);
        REQUIRE(in.status == 303);
        CHECK(in.headers.at("location") == leads);
        // The form carries no more than what it would lead to.
        const Reply page = server.get("/login?next=" + http::percent_encode(wanted));
        CHECK(input_value(page.body, "next") == leads);
        const Reply failed = send_form(
            server, {{"key", server.owner_key() + "x"}, {"next", wanted}, {"csrf", "no"}}, kCookie);
        CHECK(failed.status == 403);
        CHECK(input_value(failed.body, "next") == leads);
    }
}

TEST_CASE("a log-in form must come back with the cookie that it was given") {
    const Server server;
    const std::string once = new_link(server);
    const Form by_link{{"once", once}, {"csrf", kCsrf}};
    const Form by_key{{"key", server.owner_key()}, {"csrf", kCsrf}};
    for (const Form& form : {by_link, by_key}) {
        for (const std::string& cookie :
             {std::string("a=b"), std::string("oauth3_login="),
              "oauth3_login=" + std::string(43, 'd'), std::string("oauth3_session=") + kCsrf}) {
            const Reply reply = send_form(server, form, cookie);
            INFO(cookie);
            CHECK(reply.status == 403);
            CHECK_FALSE(holds(reply.headers.at("set-cookie"), "oauth3_session"));
        }
        CHECK(send_form(server, {form[0]}, kCookie).status == 403);
        CHECK(send_form(server, {form[0], {"csrf", ""}}, "oauth3_login=").status == 403);
        const Reply foreign = send_form(server, form, kCookie, {"Origin: http://evil.example"});
        CHECK(foreign.status == 403);
    }
    // None of that has used the link up, or counted as a failed log-in.
    const Reply in = send_form(server, by_link, kCookie);
    CHECK(in.status == 303);
    // The form's own cookie is as hidden and as strict as the other one.
    const std::string cookie = server.get("/login").headers.at("set-cookie");
    CHECK(holds(cookie, "oauth3_login="));
    CHECK(holds(cookie, "HttpOnly"));
    CHECK(holds(cookie, "SameSite=Strict"));
}

TEST_CASE("each log-in is new, the one before ends, and logging out ends it for good") {
    const Server server;
    Browser human(server);
    REQUIRE(human.log_in_by_key(server.owner_key()).status == 303);
    const std::string first = human.session();
    const std::string first_line = human.cookie_line();
    CHECK(first.size() == 43);
    REQUIRE(human.log_in_by_key(server.owner_key()).status == 303);
    CHECK(human.session() != first);
    CHECK(server.call({.path = "/dashboard", .headers = {first_line}}).status == 303);
    CHECK(human.get("/dashboard").status == 200);

    const std::string line = human.cookie_line();
    CHECK(human.post("/logout", {}).status == 403);
    CHECK(human.get("/dashboard").status == 200);
    const std::string csrf = human.csrf();
    const Reply out = human.post("/logout", {{"csrf", csrf}});
    CHECK(out.status == 303);
    CHECK(out.headers.at("location") == "/login");
    CHECK(human.session() == "");
    for (const char* path : {"/dashboard", "/requests", "/me"})
        CHECK(server.call({.path = path, .headers = {line}}).status != 200);
    CHECK(server
              .call({.method = "POST",
                     .path = "/logout",
                     .body = "csrf=" + csrf,
                     .headers = {"Content-Type: application/x-www-form-urlencoded", line}})
              .status == 401);
}

TEST_CASE("a page for humans leads to the log-in, whether or not what it names exists") {
    const Server server;
    const Submitted made = server.submit(server.sign_up(), "0");
    Browser stranger(server);
    for (const std::string& id :
         {made.id, std::string("exec_0000000000000000"), std::string("x")}) {
        const Reply reply = stranger.get("/approve/" + id);
        CHECK(reply.status == 303);
        CHECK(reply.headers.at("location") == "/login?next=%2Fapprove%2F" + id);
        const Reply session = stranger.get("/dashboard/session/" + id + "?tenant=t");
        CHECK(session.status == 303);
        CHECK(holds(session.headers.at("location"), "/login?next=%2Fdashboard%2Fsession%2F" + id));
    }
    const Reply dashboard = stranger.get("/dashboard?token=" + made.token);
    CHECK(dashboard.status == 303);
    CHECK(holds(dashboard.headers.at("location"), "/login?next=%2Fdashboard"));
}

TEST_CASE("the log-in page tells strangers nothing and loads nothing") {
    const Server server;
    for (const char* path : {"/login", "/login?once=AAAA", "/login?next=%22%3E%3Cscript%3E"}) {
        const Reply page = server.get(path);
        CHECK(page.status == 200);
        CHECK(holds(page.headers.at("content-security-policy"), "default-src 'none'"));
        CHECK(page.headers.at("x-frame-options") == "DENY");
        CHECK(page.headers.at("cache-control") == "no-store");
        CHECK_FALSE(holds(page.body, "<script"));
        CHECK_FALSE(holds(page.body, "src="));
    }
}
