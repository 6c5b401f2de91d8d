// The page behind an approval link: for reading only, and nothing of it is the agent's to shape.

#include "base/crypto.h"
#include "e2e/harness.h"
#include "support/catch.h"

#include <algorithm>
#include <set>

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

bool holds(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// The tags of a page that are not among the few that only lay out text, or carry an attribute
/// that could do more.
std::string foreign_tags(const std::string& html) {
    const std::set<std::string> plain{"!doctype", "html", "head", "title",   "style",   "body",
                                      "main",     "h1",   "h2",   "header",  "p",       "section",
                                      "dl",       "dt",   "dd",   "br",      "code",    "pre",
                                      "ul",       "ol",   "li",   "strong",  "meta",    "div",
                                      "span",     "time", "a",    "details", "summary", "bdi"};
    std::string out;
    for (std::size_t at = html.find('<'); at != std::string::npos; at = html.find('<', at + 1)) {
        const std::string tag = html.substr(at + 1, html.find('>', at) - at - 1);
        const std::size_t slash = tag.rfind('/', 0) == 0 ? 1 : 0;
        const std::string name = tag.substr(slash, tag.find(' ') - slash);
        const std::string rest = tag.substr(std::min(tag.size(), slash + name.size()));
        // Attributes that only lay out, name or lead to a path of this server.
        const bool harmless = name == "meta" || name == "!doctype" || name == "html" ||
                              rest.find(" on") == std::string::npos;
        const std::size_t href = rest.find("href=\"");
        const bool leads_away =
            href != std::string::npos && rest[href + 6] != '/' && rest[href + 6] != '#';
        if (plain.count(name) == 0 || !harmless || leads_away ||
            rest.find("http-equiv") != std::string::npos || rest.find("src") != std::string::npos)
            out += "<" + tag + ">";
    }
    return out;
}

}  // namespace

TEST_CASE("conformance 33: the page shows code and args with markup and bidi inert and visible") {
    const Server server;
    const Json named = server
                           .post("/signup", "",
                                 {{"name",
                                   "<b>ag\xE2\x80\xAE"
                                   "ent</b>"}})
                           .json();
    const auto key = named["api_key"].get<std::string>();
    const std::string code =
        "// @skill a<img src=x onerror=alert(1)>\n"
        "// @description </style><script>alert(2)</script>\n"
        "console.log('</code></li></ol><script>alert(3)</script>') // \xE2\x80\xAE hidden\n"
        "const x = `\"'&amp;`; // \xE2\x80\x8B zero \x1b[31m red \r end\n";
    const Submitted made =
        server.submit(key, code,
                      {{"skill_id", "i<script>d"},
                       {"args", {{"A", "</pre><script>alert(4)</script>\xE2\x80\xAE"}}}});
    const Reply page = server.get("/approve/" + made.id + "?token=" + made.token);
    REQUIRE(page.status == 200);
    CHECK(page.headers.at("content-type").rfind("text/html", 0) == 0);
    const std::string& html = page.body;
    CHECK_FALSE(holds(html, "<script"));
    CHECK_FALSE(holds(html, "<img"));
    CHECK_FALSE(holds(html, "<b>"));
    CHECK_FALSE(holds(html, "\xE2\x80\xAE"));
    CHECK_FALSE(holds(html, "\xE2\x80\x8B"));
    CHECK_FALSE(holds(html, "\x1b"));
    CHECK_FALSE(holds(html, "\r"));
    CHECK(holds(html, "&lt;script&gt;alert(3)&lt;/script&gt;"));
    CHECK(holds(html, "&lt;script&gt;alert(4)&lt;/script&gt;"));
    CHECK(holds(html, "202E"));
    CHECK(holds(html, "&amp;amp;"));
    CHECK(holds(html, base::sha256_hex(code)));
    CHECK(holds(html, named["tenant_id"].get<std::string>()));
    CHECK(holds(html, "30 s"));
    CHECK(holds(html, made.session));
    CHECK(holds(html, "oauth3 approve " + made.id));
    // Nothing to press and nothing to load. Its own token is in the link to itself, once: a Strict
    // cookie does not come along on the click from another site.
    CHECK(foreign_tags(html) == "");
    const std::string self = "href=\"/approve/" + made.id + "?token=" + made.token + "\"";
    const std::size_t at = html.find(self);
    REQUIRE(at != std::string::npos);
    CHECK(html.find(made.token, at + self.size()) == std::string::npos);
    CHECK(holds(html, "href=\"/login?next=%2Fapprove%2F" + made.id + "\""));
    CHECK(holds(html, "Log in to decide"));
    CHECK(holds(html, "I am logged in"));
    CHECK_FALSE(holds(html, "Dashboard"));
    CHECK_FALSE(holds(html, "/dashboard"));

    const std::string& policy = page.headers.at("content-security-policy");
    const std::size_t open = html.find("<style>") + 7;
    const std::string style = html.substr(open, html.find("</style>") - open);
    CHECK(policy == "default-src 'none'; style-src 'sha256-" + base::sha256_base64(style) +
                        "'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'");
    CHECK(page.headers.at("x-frame-options") == "DENY");
    CHECK(page.headers.at("referrer-policy") == "same-origin");
    CHECK(page.headers.at("cache-control") == "no-store");
    CHECK(page.headers.at("x-content-type-options") == "nosniff");
}

TEST_CASE("the page needs the token of its own request") {
    const Server server;
    const std::string key = server.sign_up();
    const Submitted made = server.submit(key, "console.log(1)\n");
    const Submitted other = server.submit(key, "0");
    const std::string path = "/approve/" + made.id;
    for (const std::string& closed : {path, std::string("/approve/exec_0000000000000000")}) {
        CHECK(server.get(closed).status == 303);
        CHECK(server.call({.path = closed, .headers = {"Accept: application/json"}}).status == 401);
    }
    std::string changed = made.token;
    changed[0] = changed[0] == 'a' ? 'b' : 'a';
    for (const std::string& token : {std::string(), changed, other.token, made.token + "0",
                                     made.token.substr(1), std::string(64, '0'), made.id, key}) {
        const Reply reply = server.get(path + "?token=" + token);
        INFO(token);
        CHECK(reply.status == 403);
        CHECK_FALSE(holds(reply.body, "console.log"));
        const Reply json = server.call(
            {.path = path + "?token=" + token, .headers = {"Accept: application/json"}});
        CHECK(json.status == 403);
        CHECK(json.text("code") == "approval_token_invalid");
    }
    // A wrong token tells nothing about whether the request exists.
    CHECK(server.get("/approve/exec_0000000000000000?token=" + made.token).status == 403);
    CHECK(server.get(path + "?token=" + made.token).status == 200);
    // The token opens no other route.
    for (const char* route : {"/requests/", "/execute/"}) {
        const std::string tail = std::string(route) == "/execute/" ? "/status" : "";
        CHECK(server.get(route + made.id + tail + "?token=" + made.token).status == 401);
    }
    // The owner's key opens it without a token, an agent's does not.
    CHECK(server.get(path, server.owner_key()).status == 200);
    CHECK(server.get(path, key).status == 403);
    CHECK(server.get("/approve/exec_0000000000000000", server.owner_key()).status == 404);
}

TEST_CASE("the JSON variant of the page, by Accept") {
    const Server server;
    const std::string key = server.sign_up();
    const std::string code = "// @skill j\n// @description D\n// @timeout 5\nconsole.log(1)\n";
    const Submitted made = server.submit(key, code, {{"args", {{"A", {1, "x"}}}}});
    const auto get = [&](const std::string& id, const std::string& token, const char* accept) {
        return server.call({.path = "/approve/" + id + "?token=" + token,
                            .headers = {std::string("Accept: ") + accept}});
    };
    const Reply reply = get(made.id, made.token, "application/json");
    REQUIRE(reply.status == 200);
    CHECK(reply.headers.at("content-type") == "application/json");
    const Json shown = reply.json();
    CHECK(shown["id"] == made.id);
    CHECK(shown["status"] == "pending");
    CHECK(shown["state"] == "pending");
    CHECK(shown["skill_id"] == "test");
    CHECK(shown["code"] == code);
    CHECK(shown["code_hash"] == base::sha256_hex(code));
    CHECK(shown["args"] == Json{{"A", {1, "x"}}});
    CHECK(shown["analysis"].is_null());
    CHECK(shown["metadata"]["skill"] == "j");
    CHECK(shown["metadata"]["timeout"] == 5);
    CHECK(shown.contains("created_at"));
    CHECK(shown.contains("expires_at"));
    for (const char* accept : {"text/html", "application/json, text/html", "*/*", ""})
        CHECK(get(made.id, made.token, accept).headers.at("content-type").rfind("text/html", 0) ==
              0);
    const Reply none =
        server.call({.path = "/approve/" + made.id, .headers = {"Accept: application/json"}});
    CHECK(none.status == 401);
    CHECK(none.text("code") == "auth_required");

    const Submitted scope = server.submit_scope(key, {{"description", "S"},
                                                      {"constraints", {"be nice"}},
                                                      {"networks", {"a.example:8443"}},
                                                      {"secrets", {"TOKEN"}},
                                                      {"skill_code", code}});
    const Json asked = get(scope.id, scope.token, "application/json").json();
    REQUIRE(asked.contains("scope_request"));
    const Json& request = asked["scope_request"];
    CHECK(request["session_id"] == scope.session);
    CHECK(request["description"] == "S");
    CHECK(request["constraints"] == Json{"be nice"});
    CHECK(request["structured_constraints"][0]["class"] == "advisory");
    CHECK(request["secrets"] == Json{"TOKEN"});
    CHECK(request["networks"] == Json{"a.example:8443"});
    CHECK(request["rules"] == Json::array());

    REQUIRE(server.decide(made.id, "approve").status == 200);
    server.poll(key, made.id);
    const Json done = get(made.id, made.token, "application/json").json();
    CHECK(done["status"] == "completed");
    CHECK(done["result"]["stdout"] == "1");
}

TEST_CASE("after the decision the page shows how it ended, escaped and cut") {
    const Server server;
    const std::string key = server.sign_up();
    const Submitted made = server.submit(
        key, "console.log('<i>' + 'é'.repeat(600) + 'TAIL'); throw new Error('</pre><u>boom')\n");
    REQUIRE(server.decide(made.id, "approve").status == 200);
    REQUIRE(server.poll(key, made.id)["status"] == "failed");
    const std::string html = server.get("/approve/" + made.id + "?token=" + made.token).body;
    CHECK(holds(html, "failed"));
    CHECK(holds(html, "&lt;i&gt;é"));
    CHECK_FALSE(holds(html, "<i>"));
    CHECK_FALSE(holds(html, "<u>"));
    CHECK_FALSE(holds(html, "ééTAIL</pre>"));
    CHECK(holds(html, "boom"));
    CHECK_FALSE(holds(html, "oauth3 approve " + made.id));
}

TEST_CASE("the code alone can be read by its agent, its owner and through its link") {
    const Server server;
    const std::string own = server.sign_up();
    const std::string foreign = server.sign_up();
    const std::string code = "// @skill v\nconsole.log('<view>')\n";
    const Submitted made = server.submit(own, code);
    const std::string path = "/view/" + made.id;
    const auto get = [&](const std::string& query, const std::string& key, const char* accept) {
        return server.call(
            {.path = path + query, .key = key, .headers = {std::string("Accept: ") + accept}});
    };
    const std::string token = "?token=" + made.token;
    for (const auto& [query, key] :
         {std::pair<std::string, std::string>{"", own}, {"", server.owner_key()}, {token, ""}}) {
        const Json json = get(query, key, "application/json").json();
        CHECK(json["id"] == made.id);
        CHECK(json["code"] == code);
        CHECK(json["code_hash"] == base::sha256_hex(code));
        CHECK(json["metadata"]["skill"] == "v");
        CHECK(json.size() == 4);
        const Reply html = get(query, key, "text/html");
        CHECK(html.status == 200);
        CHECK(holds(html.body, "&lt;view&gt;"));
        CHECK(holds(html.body, base::sha256_hex(code)));
        CHECK_FALSE(holds(html.body, "<form"));
    }
    CHECK(get("", foreign, "application/json").status == 404);
    CHECK(get("", "", "application/json").status == 401);
    CHECK(get("?token=" + std::string(64, '0'), "", "application/json").status == 403);
    CHECK(server.call({.path = "/view/exec_0000000000000000", .key = own}).status == 404);
}
