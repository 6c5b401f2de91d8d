#include "base/json.h"
#include "cli/audit_chain.h"
#include "client/stand_in.h"
#include "ledger/chain.h"
#include "program.h"
#include "support/catch.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

// `audit verify`: whatever is changed in a chain, it is found, and by its first broken event.

using namespace oauth3;
using namespace oauth3::test;
using base::Json;

namespace {

const RunOptions kOwner{.environment = {{"OAUTH3_OWNER_KEY", "oauth3_owner_k"}}};

Json chain(std::int64_t count) {
    Json out = Json::array();
    std::string last = ledger::first_prev();
    for (std::int64_t i = 0; i < count; ++i) {
        ledger::Event event;
        event.at = 1767225600000 + i;
        event.actor = "server";
        event.action = "request.created";
        if (i % 2 == 0) event.tenant_id = "tenant_1";
        event.detail = {{"n", i}, {"ä", "\u2028"}};
        ledger::link(event, i, last);
        last = event.hash;
        out.push_back(ledger::to_json(event));
    }
    return out;
}

/// Pages of `size` events, oldest first after a cursor, as the server gives them.
StandIn::Handler serving(Json events, std::size_t size) {
    return [events = std::move(events), size](const HttpRequest& request) -> HttpReply {
        const std::size_t at = request.target.find("after=");
        const std::size_t after =
            at == std::string::npos ? 0 : std::stoul(request.target.substr(at + 6));
        Json page = Json::array();
        for (std::size_t i = after; i < events.size() && page.size() < size; ++i)
            page.push_back(events[i]);
        const bool more = after + page.size() < events.size();
        return {.body = Json{{"events", page},
                             {"next", more ? Json(std::to_string(after + page.size())) : Json()}}
                            .dump()};
    };
}

Finished verify(const Home& home, const Json& events, std::size_t page = 3) {
    StandIn server(serving(events, page));
    return run_program(home, {"audit", "verify", "--url", server.url()}, kOwner);
}

}  // namespace

TEST_CASE("a chain that holds is counted, and its last hash is told") {
    const Home home;
    for (const std::int64_t count : {0, 1, 3, 7}) {
        const Json events = chain(count);
        const Finished done = verify(home, events);
        CHECK(done.code == 0);
        CHECK(base::parse_json(done.out) ==
              Json{{"valid", true},
                   {"events", count},
                   {"last_hash", count == 0 ? Json(ledger::first_prev()) : events.back()["hash"]}});
    }
}

TEST_CASE("every change of a chain is found at its first broken event") {
    const Home home;
    const Json good = chain(7);
    struct Case {
        const char* what;
        std::int64_t broken_at;
        std::function<void(Json&)> change;
    };
    const std::vector<Case> cases{
        {"content", 3, [](Json& e) { e[2]["detail"]["n"] = 9; }},
        {"action", 1, [](Json& e) { e[0]["action"] = "x"; }},
        {"time", 7, [](Json& e) { e[6]["at"] = 1; }},
        {"an added member", 2, [](Json& e) { e[1]["extra"] = true; }},
        {"a removed member", 3, [](Json& e) { e[2].erase("tenant_id"); }},
        {"an event removed", 4, [](Json& e) { e.erase(3); }},
        {"the first removed", 1, [](Json& e) { e.erase(0); }},
        {"two swapped", 5, [](Json& e) { std::swap(e[4], e[5]); }},
        {"one twice", 5, [](Json& e) { e.insert(e.begin() + 4, Json(e[3])); }},
        {"hash", 6, [](Json& e) { e[5]["hash"] = std::string(64, 'a'); }},
        {"prev", 6, [](Json& e) { e[5]["prev"] = std::string(64, 'a'); }},
        {"hash of another type", 2, [](Json& e) { e[1]["hash"] = 5; }},
        {"seq of another type", 2, [](Json& e) { e[1]["seq"] = "2"; }},
        {"no object", 2, [](Json& e) { e[1] = Json::array(); }},
        {"rehashed alone", 4, [](Json& e) {
             // Whoever changes an event and its hash breaks the next.
             ledger::Event event;
             event.seq = 3;
             event.at = 1;
             event.actor = "server";
             event.action = "nothing";
             event.prev = e[2]["prev"];
             event.hash = ledger::hash_of(event);
             e[2] = ledger::to_json(event);
         }}};
    for (const Case& c : cases) {
        CAPTURE(c.what);
        Json events = good;
        c.change(events);
        for (const std::size_t page : {std::size_t{2}, std::size_t{500}}) {
            const Finished done = verify(home, events, page);
            CHECK(done.code == 1);
            const Json document = base::parse_json(done.out);
            CHECK(document.value("valid", true) == false);
            CHECK(document.value("broken_at", 0) == c.broken_at);
            CHECK(document.value("events", -1) == c.broken_at - 1);
            CHECK(done.err.find(fmt::format("Event {} ", c.broken_at)) != std::string::npos);
        }
    }
}

TEST_CASE("an exported chain is checked without a server") {
    const Home home;
    const Json events = chain(5);
    Json newest_first = events;
    std::reverse(newest_first.begin(), newest_first.end());
    std::string lines;
    for (const Json& event : events) lines += event.dump() + "\n";
    std::string pages;
    for (const Json& event : newest_first)
        pages += Json{{"events", Json::array({event})}, {"next", nullptr}}.dump() + "\r\n\n";
    for (const std::string& text : {events.dump(2), newest_first.dump(), lines, pages,
                                    Json{{"events", newest_first}, {"next", nullptr}}.dump()}) {
        const Finished done =
            run_program(home, {"audit", "verify", "--file", home.file("e", text)});
        CHECK(done.code == 0);
        CHECK(base::parse_json(done.out)["events"] == 5);
    }
    const auto code = [&](const std::string& text) {
        return run_program(home, {"audit", "verify", "--file", home.file("e", text)});
    };
    // An excerpt proves nothing of what came before it.
    Json excerpt = events;
    excerpt.erase(0);
    CHECK(base::parse_json(code(excerpt.dump()).out)["broken_at"] == 1);
    Json bad = events;
    bad[3]["at"] = 5;
    CHECK(base::parse_json(code(bad.dump()).out)["broken_at"] == 4);
    for (const char* text : {"{", "5", "{\"events\":5}", "{}\n{", "\xff"})
        CHECK(code(text).code == 1);
    CHECK(run_program(home, {"audit", "verify", "--file", "/none"}).code == 2);
}

TEST_CASE("a server that tells its events without end or order does not keep us") {
    const Home home;
    const Json events = chain(2);
    const std::string page =
        Json{{"events", events}, {"next", "2"}}.dump();  // the same page for ever
    StandIn circles([&](const HttpRequest&) { return HttpReply{.body = page}; });
    CHECK(run_program(home, {"audit", "verify", "--url", circles.url()}, kOwner).code == 1);
    StandIn empty(
        [](const HttpRequest&) { return HttpReply{.body = R"({"events":[],"next":"7"})"}; });
    CHECK(run_program(home, {"audit", "verify", "--url", empty.url()}, kOwner).code == 0);
    StandIn odd([](const HttpRequest&) { return HttpReply{.body = R"({"events":{}})"}; });
    CHECK(run_program(home, {"audit", "verify", "--url", odd.url()}, kOwner).code == 1);
}

TEST_CASE("the check knows the chain of the ledger itself") {
    cli::AuditChain check;
    for (const Json& event : chain(50)) REQUIRE(check.add(event));
    CHECK(check.count() == 50);
    // After a break nothing counts any more.
    CHECK(!check.add(Json::object()));
    CHECK(check.broken_at() == 51);
    CHECK(!check.add(chain(51).back()));
    CHECK(check.count() == 50);
}
