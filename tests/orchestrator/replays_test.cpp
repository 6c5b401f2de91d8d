// A call with an Idempotency-Key is one call, however often it comes and whatever breaks.
#include "orchestrator/replays.h"

#include "orchestrator/world.h"
#include "support/catch.h"

using namespace oauth3::test;
using namespace oauth3::orchestrator;
namespace base = oauth3::base;
namespace store = oauth3::store;

namespace {

std::string submit_once(World& world, Replays& replays, const std::string& key,
                        const std::string& body, const std::string& route = "execute") {
    const auto outcome = replays.answer({world.agent().tenant_id, route, key, body}, [&] {
        return store::IdempotentReply{"", 200, world.submit(body).id};
    });
    const auto* answered = std::get_if<Answered>(&outcome);
    return answered == nullptr ? "mismatch" : answered->reply;
}

std::int64_t rows(World& world) {
    return world.database->sqlite().execAndGet("SELECT count(*) FROM requests").getInt64();
}

}  // namespace

TEST_CASE("conformance 34: the same key and body is one row, another body is a mismatch") {
    World world;
    Replays replays(*world.database, world.clock);
    const std::string first = submit_once(world, replays, "k", "a");
    CHECK(submit_once(world, replays, "k", "a") == first);
    CHECK(submit_once(world, replays, "k", "b") == "mismatch");
    CHECK(rows(world) == 1);
    CHECK(submit_once(world, replays, "k", "b", "scope") != first);
    CHECK(submit_once(world, replays, "k2", "a") != first);
    CHECK(rows(world) == 3);

    world.clock.move(kReplayLife - base::Millis(1));
    CHECK(submit_once(world, replays, "k", "a") == first);
    world.clock.move(base::Millis(1));
    CHECK(submit_once(world, replays, "k", "b") != first);
    CHECK(rows(world) == 4);
}

TEST_CASE("a call that came to nothing leaves nothing, and may be made again") {
    World world;
    Replays replays(*world.database, world.clock);
    const Principal agent = world.agent();
    const RepeatableCall call{agent.tenant_id, "execute", "k", "a"};
    CHECK_THROWS(replays.answer(call, [&]() -> store::IdempotentReply {
        world.submit("a");
        throw base::Error("x", "the disk is full");
    }));
    CHECK(rows(world) == 0);
    submit_once(world, replays, "k", "a");
    CHECK(rows(world) == 1);
    CHECK(contradictions(*world.database).empty());
}

TEST_CASE("old replies are forgotten a hundred at a time, young ones stay") {
    World world;
    Replays replays(*world.database, world.clock);
    const auto keep = [&](const std::string& key) {
        replays.answer({world.agent().tenant_id, "execute", key, "b"}, [] {
            return store::IdempotentReply{"", 200, "r"};
        });
    };
    for (int i = 0; i < 150; ++i) keep("old" + std::to_string(i));
    world.clock.move(kReplayLife + base::Millis(1));
    keep("young");
    const auto count = [&] {
        return world.database->sqlite()
            .execAndGet("SELECT count(*) FROM idempotent_replies")
            .getInt();
    };
    replays.purge();
    CHECK(count() == 51);
    replays.purge();
    CHECK(count() == 1);
    // With nothing to forget, what others remember until the next write stays.
    const std::uint64_t generation = world.database->generation();
    replays.purge();
    CHECK(world.database->generation() == generation);
}
