#include "ledger/chain.h"

#include "support/any_json.h"
#include "support/catch.h"

#include <openssl/sha.h>

#include <functional>

using namespace oauth3::ledger;
using oauth3::base::Json;

namespace {

/// OpenSSL over text put together here, so that nothing of the room is trusted.
std::string sha256_of(const std::string& text) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    ::SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    std::string out;
    for (const unsigned char byte : digest) out += fmt::format("{:02x}", byte);
    return out;
}

std::vector<Event> chain_of(std::size_t length) {
    std::vector<Event> out;
    for (std::size_t i = 0; i < length; ++i) {
        Event event;
        event.at = 1767225600000 + static_cast<std::int64_t>(i);
        event.actor = i % 2 == 0 ? "server" : "owner:owner_0123456789abcdef";
        event.action = "request.changed";
        if (i % 3 != 0) event.tenant_id = "tenant_4b1f0c2d9e8a7f60";
        if (i % 3 == 1) event.request_id = fmt::format("exec_{:016x}", i);
        event.detail = {{"from", "approved"}, {"n", i}};
        if (out.empty())
            link(event, 0, first_prev());
        else
            link(event, out.back().seq, out.back().hash);
        out.push_back(event);
    }
    return out;
}

}  // namespace

TEST_CASE("the chain is hashed as the wire says, byte for byte") {
    Event first;
    first.actor = "server";
    first.action = "signup";
    link(first, 0, first_prev());
    const std::string zeros(64, '0');
    const std::string first_text =
        R"({"action":"signup","actor":"server","at":0,"detail":{},"prev":"0000000000000000000000000000000000000000000000000000000000000000","seq":1})";
    CHECK(first.hash == sha256_of(zeros + first_text));
    // The same once more, made with sha256sum.
    CHECK(first.hash == "fb9977cede3b19b37637f5acd04f55d5426b3acf53b397e933e3779443b172a6");

    Event second;
    second.at = 1767225600000;
    second.actor = "agent:tenant_4b1f0c2d9e8a7f60";
    second.action = "request.created";
    second.tenant_id = "tenant_4b1f0c2d9e8a7f60";
    second.request_id = "exec_0123456789abcdef";
    second.detail = {{"text", "\u00FC\n"}, {"b", {true, nullptr}}, {"a", 1.5}};
    link(second, first.seq, first.hash);
    const std::string second_text =
        R"({"action":"request.created","actor":"agent:tenant_4b1f0c2d9e8a7f60","at":1767225600000,)"
        "\"detail\":{\"a\":1.5,\"b\":[true,null],\"text\":\"\u00FC\\n\"},\"prev\":\"" +
        first.hash +
        R"(","request_id":"exec_0123456789abcdef","seq":2,"tenant_id":"tenant_4b1f0c2d9e8a7f60"})";
    CHECK(second.hash == sha256_of(first.hash + second_text));
    CHECK(second.hash == "ce3700d32a73cb6ee2aa30321c76cd1f9fc01ac6e8d0d128ac40505e1550d403");
    CHECK(to_json(second)["hash"] == second.hash);
    CHECK_FALSE(first_break({first, second}).has_value());
}

TEST_CASE("an absent member is not an empty one") {
    Event event = chain_of(1)[0];
    event.tenant_id = "";
    CHECK(first_break({event}) == 1);
    CHECK(to_json(chain_of(1)[0]).count("tenant_id") == 0);
    CHECK(to_json(chain_of(1)[0]).count("request_id") == 0);
}

TEST_CASE("whatever is changed in a chain, it is found where it was changed") {
    const auto good = chain_of(12);
    CHECK_FALSE(first_break(good).has_value());
    CHECK_FALSE(first_break({}).has_value());
    const std::vector<std::function<void(Event&)>> changes{
        [](Event& e) { ++e.seq; },
        [](Event& e) { --e.at; },
        [](Event& e) { e.actor += 'x'; },
        [](Event& e) { e.action = "request.decided"; },
        [](Event& e) { e.tenant_id = "tenant_0000000000000000"; },
        [](Event& e) { e.request_id = "exec_ffffffffffffffff"; },
        [](Event& e) { e.detail["n"] = 99; },
        [](Event& e) { e.detail["more"] = nullptr; },
        [](Event& e) { e.detail.erase("from"); },
        [](Event& e) { e.detail = Json::array(); },
        [](Event& e) { e.prev[0] = e.prev[0] == '0' ? '1' : '0'; },
        [](Event& e) { e.prev.clear(); },
        [](Event& e) { e.hash[63] = e.hash[63] == '0' ? '1' : '0'; },
        [](Event& e) { e.hash.clear(); },
        [](Event& e) { e.hash[0] = 'G'; },
    };
    for (std::size_t at = 0; at < good.size(); ++at)
        for (const auto& change : changes) {
            auto bad = good;
            change(bad[at]);
            CHECK(first_break(bad) == bad[at].seq);
        }
    for (std::size_t at = 0; at < good.size(); ++at) {
        auto rehashed = good;  // the forger makes the hash right again, but the next row tells
        rehashed[at].actor = "forger";
        rehashed[at].hash = hash_of(rehashed[at]);
        if (at + 1 < good.size()) CHECK(first_break(rehashed) == good[at + 1].seq);

        if (at + 1 < good.size()) {
            auto removed = good;
            removed.erase(removed.begin() + static_cast<std::ptrdiff_t>(at));
            CHECK(first_break(removed) == good[at + 1].seq);
            auto swapped = good;
            std::swap(swapped[at], swapped[at + 1]);
            CHECK(first_break(swapped) == good[at + 1].seq);
        }
        auto doubled = good;
        doubled.insert(doubled.begin() + static_cast<std::ptrdiff_t>(at), good[at]);
        CHECK(first_break(doubled) == good[at].seq);
        auto inserted = good;
        Event stranger = good[at];
        link(stranger, at == 0 ? 0 : good[at - 1].seq, at == 0 ? "" : good[at - 1].hash);
        stranger.actor = "stranger";
        stranger.hash = hash_of(stranger);
        inserted.insert(inserted.begin() + static_cast<std::ptrdiff_t>(at), stranger);
        CHECK(first_break(inserted) == good[at].seq);
    }
}

TEST_CASE("a later part of a chain is checked against what came before it") {
    const auto good = chain_of(10);
    const std::vector<Event> tail(good.begin() + 4, good.end());
    CHECK_FALSE(first_break(tail, good[3].seq, good[3].hash).has_value());
    CHECK(first_break(tail) == 5);
    CHECK(first_break(tail, good[2].seq, good[2].hash) == 5);
    CHECK(first_break(tail, good[3].seq, good[2].hash) == 5);
}

TEST_CASE("any detail can be linked, and any other detail has another hash") {
    CHECK(rc::check([] {
        Event event = chain_of(1)[0];
        event.detail = oauth3::test::any_json();
        link(event, 0, "ignored");
        RC_ASSERT(event.prev == first_prev());
        RC_ASSERT(!first_break({event}));
        Event other = event;
        other.detail = oauth3::test::any_json();
        RC_ASSERT((hash_of(other) == event.hash) == (oauth3::base::canonical_json(other.detail) ==
                                                     oauth3::base::canonical_json(event.detail)));
    }));
}
