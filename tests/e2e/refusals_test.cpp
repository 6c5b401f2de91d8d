// What is not available is refused, never half accepted; what is malformed is refused with its
// code.

#include "e2e/database.h"
#include "e2e/harness.h"
#include "support/catch.h"

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

void check_refused(const Reply& reply, long status, const std::string& code) {
    INFO(reply.status << " " << reply.body << reply.problem);
    CHECK(reply.status == status);
    CHECK(reply.text("code") == code);
    CHECK(reply.text("error") != "");
    CHECK(reply.headers.count("content-type") == 1);
    // Neither paths nor internals.
    for (const char* word : {OAUTH3_SOURCE_DIR, "oauth3-e2e", "std::", "exception", "SQL"})
        CHECK(reply.text("error").find(word) == std::string::npos);
}

}  // namespace

TEST_CASE("rules, typed arguments and budgets of a scope are taken whole or refused") {
    const Server server;
    const std::string key = server.sign_up();
    const auto ask = [&](const std::string& name, const Json& value) {
        Json body{{"description", "d"}};
        body[name] = value;
        return server.post("/scope", key, body);
    };
    const Json rule{{"host", "a.example"}, {"methods", {"GET"}}, {"paths", {"/**"}}};
    const Json good{{"rules", Json::array({rule, {{"host", "a.example"}}})},
                    {"args", {{{"param", "A"}, {"pattern", "x"}}}},
                    {"budgets", {{"requests", 1}, {"bytes", 0}, {"secret_uses", {{"A", 2}}}}}};
    for (const auto& [name, value] : good.items()) {
        INFO(name);
        CHECK(ask(name, value).status == 200);
        // null equals absent.
        CHECK(ask(name, nullptr).status == 200);
    }
    const auto with = [](Json object, const char* name, const Json& value) {
        object[name] = value;
        return Json::array({object});
    };
    const Json bad_rules[] = {
        0, "x", Json::array({0}), Json::array({Json::object()}), with(rule, "host", nullptr),
        with(rule, "host", "https://a.example"), with(rule, "methods", {"get it"}),
        with(rule, "methods", 5), with(rule, "paths", {"no slash"}), with(rule, "paths", {"/../x"}),
        with(rule, "paths", {"/%zz"}), with(rule, "pahts", {"/x"})};
    for (const Json& bad : bad_rules) {
        INFO(bad.dump());
        const Reply reply = ask("rules", bad);
        check_refused(reply, 400, "bad_request");
        // The rules, or the member of the rule that has the wrong type.
        CHECK(reply.text("field") == (bad == with(rule, "methods", 5) ? "methods" : "rules"));
    }
    const Json bad_budgets[] = {0, "x", Json::array(), {{"requests", -1}}, {{"requests", "1"}},
                                {{"secret_uses", {{"a b", 1}}}}, {{"reqeusts", 1}}};
    for (const Json& bad : bad_budgets) {
        INFO(bad.dump());
        const Reply reply = ask("budgets", bad);
        check_refused(reply, 400, "bad_request");
        CHECK(reply.text("field") == (bad.contains("requests") ? "requests" : "budgets"));
    }
    const Json arg{{"param", "A"}, {"pattern", "x"}};
    const Json compare{{"param", "A"}, {"op", "<"}, {"value", 1}};
    const Json bad_args[] = {Json::array({0}),
                             Json::array({Json::object()}),
                             with(arg, "param", "a b"),
                             with(arg, "pattern", "("),
                             with(arg, "pattern", R"((a)\1)"),
                             with(arg, "pattern", "a(?=b)"),
                             with(arg, "pattern", std::string(201, 'a')),
                             with(arg, "op", "=="),
                             with(compare, "op", "=~"),
                             with(compare, "value", "1"),
                             with(compare, "value", nullptr)};
    for (const Json& bad : bad_args) {
        INFO(bad.dump());
        const Reply reply = ask("args", bad);
        check_refused(reply, 400, "invalid_constraint");
        CHECK(reply.text("field") == "args");
    }
    // Typed constraints are `args` by another name, and the index tells which of them is wrong.
    const Json regex{{"type", "regex"}, {"param", "A"}, {"pattern", "x"}};
    const Json predicate{{"type", "predicate"}, {"param", "A"}, {"op", "=="}, {"value", 1}};
    CHECK(ask("constraints", Json::array({regex, predicate, "be nice"})).status == 200);
    for (const Json& bad : {Json{{"type", "unheard of"}}, Json::object(),
                            Json{{"type", "natural_language"}}, Json{{"type", "regex"}}}) {
        const Reply reply = ask("constraints", Json::array({regex, bad}));
        check_refused(reply, 400, "invalid_constraint");
        CHECK(reply.json()["index"] == 1);
    }
    // What belongs to a decision is none of a scope's.
    CHECK(ask("pin_args", true).json()["warnings"].dump().find("pin_args") != std::string::npos);
}

TEST_CASE("each constraint has its class, and the scope says so") {
    const Server server;
    const std::string key = server.sign_up();
    const Submitted scope = server.submit_scope(
        key,
        {{"description", "d"},
         {"constraints", {"read only", Json{{"type", "natural_language"}, {"rule", "be nice"}}}},
         {"allowMutating", false},
         {"surprise", 1}});
    const Json& constraints = scope.reply["constraints"];
    REQUIRE(constraints.size() == 3);
    CHECK(constraints[0]["text"] == "read only");
    CHECK(constraints[0]["class"] == "enforced");
    CHECK(constraints[0]["compiled"] == "methods GET, HEAD");
    CHECK(constraints[1]["text"] == "be nice");
    CHECK(constraints[1]["class"] == "advisory");
    CHECK(constraints[1]["compiled"] == "");
    // allowMutating: false acts as "read only".
    CHECK(constraints[2]["class"] == "enforced");
    CHECK(constraints[2]["compiled"] == "methods GET, HEAD");
    CHECK(scope.reply["warnings"].dump().find("surprise") != std::string::npos);
    const std::string page = server.get("/approve/" + scope.id + "?token=" + scope.token).body;
    CHECK(page.find("ADVISORY") != std::string::npos);
    CHECK(page.find("ENFORCED") != std::string::npos);
    CHECK(page.find("oauth3 cannot check this") != std::string::npos);
    const Reply single = server.post(
        "/scope", key, {{"description", "d"}, {"constraints", "one"}, {"secrets", "ONE"}});
    CHECK(single.status == 200);
    CHECK(single.json()["constraints"].size() == 1);
}

TEST_CASE("levels that do not exist are refused, and scopes ignore all that do") {
    const Server server;
    const std::string key = server.sign_up();
    const Submitted made = server.submit(key, "console.log(1)\n");
    for (const char* level : {"scope", "always", "", "ONCE", "24H", "day"}) {
        check_refused(server.decide(made.id, "approve", {{"level", level}}), 400, "invalid_level");
        check_refused(server.post("/approve/" + made.id, server.owner_key(),
                                  {{"action", "approve"}, {"level", level}}),
                      400, "invalid_level");
    }
    const Reply pinned =
        server.decide(made.id, "approve", {{"level", "session"}, {"pin_args", true}});
    check_refused(pinned, 400, "bad_request");
    CHECK(pinned.text("field") == "pin_args");
    for (const Json& bad : {Json(0), Json::array(), Json("x"), Json{{"surprise", 1}}})
        check_refused(server.decide(made.id, "approve", {{"narrow", bad}}), 400, "bad_request");
    check_refused(server.decide(made.id, "approve", {{"pin_args", 1}}), 400, "bad_request");
    check_refused(server.decide(made.id, "approve", {{"any_code", "no"}}), 400, "bad_request");
    check_refused(server.decide(made.id, "approve", {{"secrets", {{"A", "x"}}}}), 400,
                  "bad_request");
    for (const char* action : {"", "maybe", "secrets", "APPROVE"})
        check_refused(server.decide(made.id, action), 400, "invalid_action");
    check_refused(
        server.post("/requests/" + made.id + "/decision", server.owner_key(), Json::object()), 400,
        "invalid_action");
    CHECK(server.state(made.id) == "pending");
    for (const char* level : {"24h", "forever", "trust_code", "scope", "session", "once"}) {
        const Submitted scope = server.submit_scope(key, {{"description", "d"}});
        CHECK(server.decide(scope.id, "approve", {{"level", level}}).status == 200);
    }
    const Submitted scope = server.submit_scope(key, {{"description", "d"}});
    check_refused(server.decide(scope.id, "approve", {{"level", "always"}}), 400, "invalid_level");
    CHECK(server.decide(made.id, "approve", {{"level", "session"}, {"pin_args", false}}).status ==
          200);
}

TEST_CASE("skill_url is refused, a dry run is answered, and neither makes a row") {
    const Server server;
    const std::string key = server.sign_up();
    check_refused(server.post("/execute", key,
                              {{"skill_id", "x"}, {"skill_url", "https://github.com/o/r/x.ts"}}),
                  400, "skill_url_refused");
    const Reply dry =
        server.post("/execute", key, {{"skill_id", "x"}, {"skill_code", "0"}, {"dry_run", true}});
    CHECK(dry.status == 200);
    CHECK(dry.json()["would_auto_approve"] == false);
    CHECK(dry.text("reason") == "needs_approval");
    check_refused(server.post("/execute", key, {{"skill_id", "x"}}), 400, "missing_skill_code");
    check_refused(server.post("/execute", key, {{"skill_code", "0"}}), 400, "missing_skill_id");
    check_refused(server.post("/scope", key, Json::object()), 400, "missing_description");
    CHECK(Database(server.data()).number("SELECT count(*) FROM requests") == 0);
    // If both are given, the code wins.
    CHECK(server
              .post("/execute", key,
                    {{"skill_id", "x"},
                     {"skill_code", "0"},
                     {"skill_url", "https://x/"},
                     {"dry_run", false}})
              .status == 200);
}

TEST_CASE("fields of the wrong shape are refused with their code") {
    const Server server;
    const std::string key = server.sign_up();
    const auto execute = [&](Json more) {
        Json body{{"skill_id", "x"}, {"skill_code", "0"}};
        body.update(more);
        return server.post("/execute", key, body);
    };
    for (const char* id : {"", "a b", "ä", "a/b", "../x"})
        check_refused(execute({{"session_id", id}}), 400, "invalid_session_id");
    check_refused(execute({{"session_id", std::string(65, 'a')}}), 400, "invalid_session_id");
    check_refused(execute({{"session_id", 5}}), 400, "bad_request");
    check_refused(execute({{"skill_code", std::string("a\0b", 3)}}), 400, "invalid_skill");
    check_refused(execute({{"skill_code", 5}}), 400, "bad_request");
    check_refused(execute({{"skill_id", std::string(101, 'a')}}), 400, "bad_request");
    check_refused(execute({{"skill_id",
                            "a\xE2\x80\xAE"
                            "b"}}),
                  400, "bad_request");
    check_refused(execute({{"args", Json::array()}}), 400, "bad_request");
    check_refused(execute({{"secrets", {"lower"}}}), 400, "bad_request");
    check_refused(execute({{"secrets", {"PATH"}}}), 400, "reserved_name");
    check_refused(execute({{"secrets", {1}}}), 400, "bad_request");
    const auto scope = [&](Json more) {
        Json body{{"description", "d"}};
        body.update(more);
        return server.post("/scope", key, body);
    };
    check_refused(scope({{"description", std::string(2001, 'x')}}), 400, "bad_request");
    check_refused(scope({{"networks", {"https://a.example"}}}), 400, "bad_request");
    check_refused(scope({{"networks", {"*.example"}}}), 400, "bad_request");
    check_refused(scope({{"expires_in", 59}}), 400, "bad_request");
    check_refused(scope({{"max_timeout", 59}}), 400, "bad_request");
    check_refused(scope({{"max_timeout", 60.5}}), 400, "bad_request");
    check_refused(scope({{"expires_in", "60"}}), 400, "bad_request");
    check_refused(scope({{"constraints", 5}}), 400, "bad_request");
    CHECK(scope({{"expires_in", 9007199254740991}}).status == 200);
    // Values of an object of secrets are discarded, not stored.
    const Reply object = execute({{"secrets", {{"GH_TOKEN", "planted-value-1"}}}});
    CHECK(object.status == 200);
    const Json shown =
        server.get("/requests/" + object.text("request_id"), server.owner_key()).json();
    CHECK(shown["secrets"] == Json{"GH_TOKEN"});
    CHECK(shown.dump().find("planted-value-1") == std::string::npos);
}

TEST_CASE("bodies that two readers could read differently are bad_json") {
    const Server server;
    const std::string key = server.sign_up();
    const auto send = [&](const std::string& body) {
        return server.call({.method = "POST", .path = "/execute", .key = key, .body = body});
    };
    std::string deep = R"({"skill_id":"x","skill_code":"0","args":)";
    std::string end = "}";
    for (int i = 0; i < 63; ++i) {
        deep += R"({"a":)";
        end += "}";
    }
    // 64 levels with the outer object pass the reader; one more does not.
    CHECK(send(deep + "0" + end).text("code") != "bad_json");
    check_refused(send(deep + "{}" + end), 400, "bad_json");
    check_refused(send(std::string(100'000, '[')), 400, "bad_json");
    for (const std::string& body :
         {std::string(R"({"skill_id":"x","skill_code":"0","skill_code":"1"})"),
          std::string(R"({"skill_id":"x","skill_code":"0","args":{"A":1,"\u0041":2}})"),
          std::string(R"({"skill_id":"x","skill_code":"\ud800"})"),
          std::string(R"({"skill_id":"x","skill_code":"\udc00\ud800"})"),
          std::string("{\"skill_id\":\"x\",\"skill_code\":\"\xff\"}"),
          std::string("{\"skill_id\":\"x\",\"skill_code\":\"\xed\xa0\x80\"}"),
          std::string(R"({"skill_id":"x","skill_code":"0"} {})"),
          std::string(R"({"skill_id":"x","skill_code":"0",})"), std::string("[]"),
          std::string("null"), std::string("\"x\""), std::string("{"),
          std::string(R"({"skill_id":"x","skill_code":"0","args":{"A":NaN}})"),
          std::string(R"({"skill_id":"x","skill_code":"0","args":{"A":1e999}})"),
          std::string("{}\0", 3), std::string("{}\0{}", 5)})
        check_refused(send(body), 400, "bad_json");
    CHECK(Database(server.data()).number("SELECT count(*) FROM requests") <= 1);
}

TEST_CASE("another content type is 415, unless the body is empty") {
    const Server server;
    const std::string key = server.sign_up();
    const std::string body = R"({"skill_id":"x","skill_code":"0"})";
    const auto send = [&](const std::string& type, const std::string& what) {
        return server.call({.method = "POST",
                            .path = "/execute",
                            .key = key,
                            .body = what,
                            .headers = {"Content-Type: " + type}});
    };
    for (const char* type :
         {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
          "application/jsonp", "application/json+x", "text/json"})
        check_refused(send(type, body), 415, "unsupported_media_type");
    CHECK(server
              .call({.method = "POST",
                     .path = "/execute",
                     .key = key,
                     .body = body,
                     .headers = {"Content-Type;"}})
              .status == 415);
    CHECK(send("application/json; charset=utf-8", body).status == 200);
    CHECK(send("Application/JSON", body).status == 200);
    check_refused(send("text/plain", ""), 400, "missing_skill_code");
}

TEST_CASE("unknown routes are 404 and wrong methods 405 with Allow, all as JSON") {
    const Server server;
    for (const char* path : {"/nowhere", "/execute/x", "/requests/x/y", "//execute", "/execute/",
                             "/EXECUTE", "/execute/x/status/", "/execute/a%2fb/status/x"})
        check_refused(server.get(path), 404, "not_found");
    const Reply reply = server.call({.method = "DELETE", .path = "/execute"});
    check_refused(reply, 405, "method_not_allowed");
    CHECK(reply.headers.at("allow").find("POST") != std::string::npos);
    // HEAD works like GET.
    const Reply head = server.call({.method = "HEAD", .path = "/health"});
    CHECK(head.status == 200);
    CHECK(head.body == "");
    for (const char* path : {"/health", "/nowhere", "/execute/x/status"}) {
        const Reply any = server.get(path);
        CHECK(any.headers.at("x-content-type-options") == "nosniff");
        CHECK(any.headers.at("cache-control") == "no-store");
    }
}

TEST_CASE("an agent with too many undecided requests is told to wait, others are not") {
    const Server server({"--max-pending", "3"});
    const std::string key = server.sign_up();
    const std::string other = server.sign_up();
    const Submitted first = server.submit(key, "console.log(1)\n", {{"session_id", "s"}});
    server.submit(key, "1");
    server.submit_scope(key, {{"description", "d"}});
    const auto refused = [&] {
        for (const Reply& reply :
             {server.post("/execute", key, {{"skill_id", "x"}, {"skill_code", "0"}}),
              server.post("/scope", key, {{"description", "d"}})}) {
            check_refused(reply, 429, "too_many_pending");
            REQUIRE(reply.headers.count("retry-after") == 1);
            CHECK(std::stoi(reply.headers.at("retry-after")) > 0);
        }
    };
    refused();
    CHECK(Database(server.data()).number("SELECT count(*) FROM requests") == 3);
    CHECK(server.submit(other, "0").reply["status"] == "pending");
    // A decision makes room for one; what needs no decision needs no room.
    REQUIRE(server.decide(first.id, "approve", {{"level", "session"}}).status == 200);
    server.submit(key, "2");
    refused();
    CHECK(server.submit(key, "console.log(1)\n", {{"session_id", "s"}}).reply["status"] ==
          "approved");
}

TEST_CASE("lists are paged without gap or repeat") {
    const Server server({"--max-pending", "100"});
    const std::string key = server.sign_up();
    std::vector<std::string> made;
    for (int i = 0; i < 23; ++i) made.insert(made.begin(), server.submit(key, "0").id);
    std::vector<std::string> listed;
    std::string before;
    for (int page = 0; page < 10; ++page) {
        const Reply reply = server.get(
            "/requests?status=pending&limit=10" + (before.empty() ? "" : "&before=" + before),
            server.owner_key());
        REQUIRE(reply.status == 200);
        const Json document = reply.json();
        for (const Json& row : document["requests"]) listed.push_back(row["id"].get<std::string>());
        if (document["next"].is_null()) break;
        before = reply.text("next");
        REQUIRE(before != "");
    }
    CHECK(listed == made);
    for (const char* limit : {"0", "-5", "x", "99999999999999999999", "1000"})
        CHECK(server.get(std::string("/requests?limit=") + limit, server.owner_key()).status ==
              200);
    check_refused(server.get("/requests?status=unheard", server.owner_key()), 400, "bad_request");
}
