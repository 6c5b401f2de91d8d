// From approved to the end: the queue, the last check, what goes wrong, and the next life.
#include "base/crypto.h"
#include "base/files.h"
#include "orchestrator/world.h"
#include "store/backup.h"
#include "store/sessions.h"
#include "support/catch.h"

#include <filesystem>

using namespace oauth3::test;
using namespace oauth3::orchestrator;
using oauth3::base::Millis;
using oauth3::base::Seconds;
using oauth3::policy::Status;
using std::chrono::hours;

namespace {

using Texts = std::vector<std::string>;

Settings parallel(std::size_t runs) {
    Settings out;
    out.parallel_runs = runs;
    return out;
}

/// Changes the stored session "s" behind the server's back, as another owner call would.
void change_session(World& world, const std::function<void(oauth3::policy::Session&)>& change) {
    oauth3::store::Sessions sessions(*world.database);
    auto row = *sessions.find(world.agent().tenant_id, "s");
    change(row.session);
    oauth3::store::Transaction tx(*world.database);
    sessions.put(tx, row);
    tx.commit();
}

/// Keeps the results, or the ledger, from being written.
void block(World& world, const std::string& table) {
    world.sql("CREATE TEMP TRIGGER block BEFORE INSERT ON " + table +
              " BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END");
}

void unblock(World& world) {
    world.sql("DROP TRIGGER block");
}

}  // namespace

TEST_CASE("no more runs at once than there is room for, and first come, first served") {
    World world(parallel(3));
    Texts ids, codes;
    for (int i = 0; i < 10; ++i) {
        codes.push_back("hold " + std::to_string(i));
        ids.push_back(world.submit(codes.back()).id);
        world.approve(ids.back());
    }
    world.loop.run_ready();
    int executing = 0;
    for (const auto& id : ids) executing += world.status(id) == Status::executing ? 1 : 0;
    CHECK(executing == 3);
    for (std::size_t i = 0; i < ids.size(); ++i) {
        world.outside.release();
        world.loop.run_until([&] {
            std::size_t done = 0;
            for (const auto& id : ids) done += world.status(id) == Status::completed ? 1 : 0;
            return done == i + 1;
        });
    }
    CHECK(world.outside.most_at_once() <= 3);
    CHECK(world.outside.started().size() == 10);
    // They were started in their order, however the threads then took them up.
    Texts started;
    for (const auto& event : world.events())
        if (event.action == "request.started") started.push_back(*event.request_id);
    CHECK(started == ids);
}

TEST_CASE("tenants take turns, each with its oldest first") {
    Queue queue;
    for (const char* id : {"a1", "a2", "a3"}) queue.push("a", id);
    queue.push("b", "b1");
    Texts order{queue.pop().second};
    queue.push("c", "c1");
    while (!queue.empty()) order.push_back(queue.pop().second);
    CHECK(order == Texts{"a1", "b1", "a2", "c1", "a3"});
    queue.push("a", "a4");
    CHECK(queue.pop() == std::pair<std::string, std::string>("a", "a4"));
    CHECK(queue.empty());
}

TEST_CASE("one tenant's many runs do not keep another's from starting") {
    World world(parallel(1));
    Texts ids;
    for (int i = 0; i < 4; ++i) ids.push_back(world.submit("hold " + std::to_string(i)).id);
    for (const auto& id : ids) world.approve(id);
    world.wait_for(ids[0], Status::executing);
    ExecuteSubmission submission;
    submission.skill_id = "skill";
    submission.code = "print other";
    const auto other =
        std::get<Submitted>(world.server->submit(world.other_agent(), submission)).row.id;
    REQUIRE(world.server->decide(world.other_owner(), other, {true, Level::once, ""})->made);
    world.outside.release(2);
    world.wait_for(other, Status::completed);
    CHECK(world.status(ids[3]) == Status::approved);
}

TEST_CASE("the session is asked once more when the run starts") {
    World world(parallel(1));
    world.approve(world.submit("print", "s").id, Level::session);
    const auto blocker = world.submit("hold").id;
    world.approve(blocker);
    world.wait_for(blocker, Status::executing);
    const auto id = world.submit("print", "s").id;
    REQUIRE(world.status(id) == Status::approved);
    const std::size_t before = world.outside.started().size();

    const std::string altered = "approved grant no longer matches: the session's ";
    const std::string ended = "the session no longer allows this run: it has ended";
    const auto [change, end, error] = GENERATE_COPY(table<int, Status, std::string>(
        {{0, Status::completed, ""},
         {1, Status::denied, ended},
         {2, Status::failed, altered + "code_hashes differs"},
         {3, Status::failed, altered + "max_timeout differs"},
         {4, Status::denied, ended}}));
    if (change == 1) change_session(world, [](auto& s) { s.ended = true; });
    if (change == 2) change_session(world, [](auto& s) { s.policy.code_hashes.clear(); });
    if (change == 3) change_session(world, [](auto& s) { s.policy.max_timeout = Seconds(29); });
    if (change == 4) world.clock.move(hours(2));
    world.outside.release();
    world.wait_for(id, end);
    CHECK(world.outside.started().size() == before + (end == Status::completed ? 1 : 0));
    CHECK(world.row(id).error.value_or("") == error);
    CHECK(std::count(world.changed.begin(), world.changed.end(), id) >= 1);
}

TEST_CASE("a run that a human approved does not need its session") {
    World world(parallel(1));
    const auto blocker = world.submit("hold").id;
    world.approve(blocker);
    const auto id = world.submit("print", "s").id;
    world.approve(id, Level::session);
    world.wait_for(blocker, Status::executing);
    change_session(world, [](auto& s) { s.ended = true; });
    world.outside.release();
    world.wait_for(id, Status::completed);
}

TEST_CASE("what was changed between the approval and the run is not run") {
    World world(parallel(1));
    const auto blocker = world.submit("hold").id;
    world.approve(blocker);
    world.wait_for(blocker, Status::executing);
    const auto id = world.submit("print", "", {{"n", 1}}).id;
    world.approve(id);
    const std::string evil = oauth3::base::sha256_hex("evil");
    std::string sql = GENERATE_COPY(
        as<std::string>{}, "UPDATE requests SET args = '{\"n\":2}' WHERE id = '@'",
        "UPDATE requests SET args = '{\"n\":1.0}' WHERE id = '@'",
        "UPDATE requests SET args = '{\"n\":1,\"m\":1}' WHERE id = '@'",
        "UPDATE requests SET timeout = 3600 WHERE id = '@'",
        "UPDATE requests SET secrets = '[\"TOKEN\"]' WHERE id = '@'",
        "UPDATE requests SET networks = '[\"evil.example\"]' WHERE id = '@'",
        "UPDATE requests SET grant_digest = NULL WHERE id = '@'",
        "UPDATE programs SET code = CAST('evil' AS BLOB) WHERE hash = (SELECT code_hash FROM "
        "requests WHERE id = '@')",
        "INSERT INTO programs VALUES ('" + evil +
            "', CAST('evil' AS BLOB)); UPDATE requests SET code_hash = '" + evil +
            "' WHERE id = '@'");
    CAPTURE(sql);
    world.sql(sql.replace(sql.find('@'), 1, id));
    world.outside.release();
    world.wait_for(id, Status::failed);
    CHECK(world.row(id).error->starts_with("approved grant no longer matches"));
    CHECK(world.outside.started() == Texts{"hold"});
    CHECK_FALSE(world.server->result(world.row(id)).has_value());
}

TEST_CASE("what needs secrets or network can be approved and then fails clearly") {
    World world;
    const std::string header =
        GENERATE(as<std::string>{}, "// @secrets TOKEN\n", "// @network api.example.org\n");
    const auto id = world.submit(header + "print").id;
    world.approve(id);
    world.wait_for(id, Status::failed);
    CHECK(world.row(id).error == "this server cannot give a run secrets or network access yet");
    CHECK(world.outside.started().empty());
}

TEST_CASE("the program gets its code, arguments and timeout as they were approved") {
    World world;
    const std::string code = "// @timeout 77\nprint \u00FC\r\n";
    const auto id = world.submit(code, "", {{"NAME", "v"}, {"n", 1.5}}).id;
    world.approve(id);
    world.wait_for(id, Status::completed);
    CHECK(world.outside.started() == Texts{code});
}

TEST_CASE("a runner that throws costs one run, not the server") {
    World world;
    const auto id = world.submit("throw").id, other = world.submit("print").id;
    world.approve(id);
    world.approve(other);
    world.wait_for(id, Status::failed);
    CHECK(world.row(id).error == "the sandbox could not be set up");
    CHECK_FALSE(world.server->result(world.row(id)).has_value());
    world.wait_for(other, Status::completed);
}

TEST_CASE("an outcome that cannot be stored is kept and stored later") {
    World world(parallel(1));
    const std::string table = GENERATE(as<std::string>{}, "results", "ledger");
    const auto id = world.submit("hold").id, next = world.submit("print").id;
    world.approve(id);
    world.wait_for(id, Status::executing);
    world.approve(next);
    world.loop.run_ready();
    block(world, table);
    world.outside.release();
    world.loop.run_next();  // the outcome has come, and cannot be stored
    world.server->tick();
    world.loop.run_ready();
    // The request still executes and keeps its place.
    CHECK(world.status(id) == Status::executing);
    CHECK(world.status(next) == Status::approved);
    CHECK_FALSE(world.server->result(world.row(id)).has_value());
    CHECK(contradictions(*world.database) == Texts{});
    unblock(world);
    world.loop.run_until([&] {
        world.server->tick();
        return world.status(id) == Status::completed;
    });
    CHECK(world.server->result(world.row(id))->out == "hold");
    world.wait_for(next, Status::completed);
    CHECK(world.outside.started() == Texts{"hold", "print"});
}

TEST_CASE("a run that cannot be started now is started later, once") {
    World world;
    const auto id = world.submit("print").id;
    world.approve(id);
    block(world, "ledger");
    world.loop.run_ready();
    world.server->tick();
    CHECK(world.status(id) == Status::approved);
    CHECK(world.outside.started().empty());
    unblock(world);
    world.server->tick();
    world.wait_for(id, Status::completed);
    CHECK(world.outside.started() == Texts{"print"});
}

TEST_CASE("a decision that cannot be stored was not made") {
    World world;
    const auto id = world.submit("print", "s").id;
    block(world, "ledger");
    CHECK_THROWS(world.server->decide(world.owner(), id, {true, Level::session, ""}));
    CHECK_THROWS(world.submit("other"));
    CHECK(world.status(id) == Status::pending);
    world.loop.run_ready();
    CHECK(world.outside.started().empty());
    CHECK(world.changed.empty());
    unblock(world);
    CHECK(world.submit("print", "s").status == Status::pending);  // nor is there a session
    CHECK(world.approve(id).made);
}

TEST_CASE("stopping the server ends what runs as failed and leaves what waits for the next start") {
    World world(parallel(2));
    Texts ids;
    for (int i = 0; i < 4; ++i) ids.push_back(world.submit("hold " + std::to_string(i)).id);
    const auto pending = world.submit("pending").id;
    for (const auto& id : ids) world.approve(id);
    // Started, but perhaps not yet taken up by a thread.
    world.loop.run_ready();
    world.server->shut_down();
    for (int i = 0; i < 2; ++i) {
        CHECK(world.status(ids[static_cast<std::size_t>(i)]) == Status::failed);
        CHECK(world.row(ids[static_cast<std::size_t>(i)]).error ==
              "server stopped during execution");
    }
    CHECK(world.status(ids[2]) == Status::approved);
    CHECK(world.status(ids[3]) == Status::approved);
    world.restart(false);
    world.outside.release(2);
    world.wait_for(ids[2], Status::completed);
    world.wait_for(ids[3], Status::completed);
    CHECK(world.status(pending) == Status::pending);
    CHECK(world.approve(pending).made);
    world.wait_for(pending, Status::completed);
}

TEST_CASE(
    "from the moment that the server begins to stop, what is queued waits for the next start") {
    World world(parallel(1));
    const auto running = world.submit("hold").id, queued = world.submit("print").id,
               late = world.submit("print late").id;
    world.approve(running);
    world.approve(queued);
    world.wait_for(running, Status::executing);
    world.server->close();
    world.outside.release();
    world.wait_for(running, Status::completed);
    world.approve(late);
    world.loop.run_ready();
    world.server->tick();
    CHECK(world.status(queued) == Status::approved);
    CHECK(world.status(late) == Status::approved);
    world.restart(true);
    world.wait_for(queued, Status::completed);
    world.wait_for(late, Status::completed);
    CHECK(world.outside.started() == Texts{"hold", "print", "print late"});
}

TEST_CASE("nothing of a restored backup runs a second time") {
    World world(parallel(1));
    const auto data = world.folder.path() / "data", file = world.folder.path() / "backup";
    oauth3::base::write_private_file(data / "link.key", "key");
    const auto running = world.submit("hold", "s").id, queued = world.submit("print").id,
               undecided = world.submit("print later").id;
    world.approve(running, Level::session);
    world.approve(queued);
    world.wait_for(running, Status::executing);
    oauth3::store::backup(data, file);
    world.outside.release();
    world.wait_for(queued, Status::completed);

    world.server->shut_down();
    world.server.reset();
    world.database.reset();
    std::filesystem::remove_all(data);
    oauth3::store::restore(file, data);
    world.restart(false);
    world.loop.run_ready();
    CHECK(world.status(queued) == Status::failed);
    CHECK(world.row(queued).error == "restored from a backup; ask again");
    CHECK(world.row(running).error == "server restarted during execution");
    CHECK(world.outside.started() == Texts{"hold", "print"});
    CHECK(world.server->sessions(world.owner(), std::nullopt).empty());
    CHECK(world.submit("hold", "s").status == Status::pending);
    // What nobody had decided can be decided still, and runs.
    world.approve(undecided, Level::session);
    world.wait_for(undecided, Status::completed);
    const auto again = world.submit("hold again", "t").id;
    world.approve(again, Level::session);
    world.wait_for(again, Status::executing);
    world.restart(true);
    CHECK(world.row(again).error == "server stopped during execution");
    CHECK_FALSE(world.server->sessions(world.owner(), std::nullopt).empty());
}

TEST_CASE("while nothing can be written, what is over is told as such and cannot be decided") {
    World world;
    const auto id = world.submit("print").id;
    world.clock.move(hours(24));
    block(world, "ledger");
    const auto row = world.server->find(world.agent(), id);
    REQUIRE(row);
    CHECK(row->status == Status::expired);
    CHECK(row->error == "approval expired");
    CHECK(row->completed_at == world.clock.now());
    CHECK_FALSE(world.approve(id).made);
    CHECK(world.status(id) == Status::pending);
    unblock(world);
    CHECK(world.server->find(world.agent(), id)->status == Status::expired);
    CHECK(world.status(id) == Status::expired);
}

TEST_CASE("conformance 15: after a crash, what was executing has failed, what was approved runs") {
    World world(parallel(1));
    const auto running = world.submit("hold").id, queued = world.submit("print 2").id,
               waiting = world.submit("print 3").id, third = world.submit("print 4").id;
    world.approve(running);
    world.wait_for(running, Status::executing);
    world.approve(queued);
    world.approve(third);
    // What a dead process leaves: its rows as they stand. The run's own end is lost with it.
    oauth3::store::Requests requests(*world.database);
    const auto before = world.row(running);
    block(world, "results");
    world.restart(true);
    CHECK(world.status(running) == Status::failed);
    CHECK(world.row(running).error == "server restarted during execution");
    CHECK_FALSE(world.server->result(world.row(running)).has_value());
    world.wait_for(queued, Status::completed);
    world.wait_for(third, Status::completed);
    CHECK(world.outside.started() == Texts{"hold", "print 2", "print 4"});
    CHECK(world.status(waiting) == Status::pending);
    world.approve(waiting);
    world.wait_for(waiting, Status::completed);
    // A second recovery finds nothing to do.
    const std::size_t events = world.events().size();
    world.restart(true);
    world.loop.run_ready();
    CHECK(world.events().size() == events);
}

TEST_CASE("the times of a request never run backwards, though the clock does") {
    World world(parallel(1));
    const auto back = [&] { world.clock.move(-hours(1)); };
    const auto id = world.submit("hold", "s").id;
    back();
    world.approve(id, Level::session);
    back();
    world.wait_for(id, Status::executing);
    const auto queued = world.submit("print", "s").id, second = world.submit("print").id,
               third = world.submit("print").id, fourth = world.submit("print").id;
    world.clock.move(hours(3));
    world.approve(second);
    REQUIRE(*world.row(second).approved_at > world.row(second).created_at);
    back();
    CHECK(world.server->cancel(world.agent(), second)->row.status == Status::cancelled);
    back();
    world.deny(third);
    world.server->cancel(world.agent(), fourth);
    world.server->cancel(world.agent(), queued);
    back();
    world.outside.release();
    world.wait_for(id, Status::completed);
    for (const auto& each : {id, queued, second, third, fourth}) {
        const auto row = world.row(each);
        const auto approved = row.approved_at.value_or(row.created_at);
        const auto executed = row.executed_at.value_or(approved);
        CHECK(row.created_at <= approved);
        CHECK(approved <= executed);
        REQUIRE(row.completed_at.has_value());
        CHECK(executed <= *row.completed_at);
    }
}

TEST_CASE("a clock that jumps back does not bring back what has expired") {
    World world;
    const auto id = world.submit("print").id;
    world.clock.move(hours(24));
    world.server->tick();
    world.clock.move(-hours(24));
    CHECK_FALSE(world.approve(id).made);
    CHECK(world.status(id) == Status::expired);
}
