// What is kept and what is forgotten: dry runs, lists, the ledger, retention.
#include "orchestrator/world.h"
#include "support/catch.h"

#include <SQLiteCpp/SQLiteCpp.h>

using namespace oauth3::test;
using namespace oauth3::orchestrator;
using oauth3::base::Millis;
using oauth3::base::Seconds;
using oauth3::policy::Scope;
using oauth3::policy::Status;
using oauth3::store::EventFilter;
using oauth3::store::ListFilter;
using std::chrono::hours;

namespace {

using Texts = std::vector<std::string>;

/// Every value of every table, and the counters beside them.
std::string whole_database(World& world) {
    SQLite::Database& sql = world.database->sqlite();
    std::string out;
    SQLite::Statement tables(sql, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1");
    while (tables.executeStep()) {
        const std::string name = tables.getColumn(0).getString();
        out += "\n# " + name;
        SQLite::Statement rows(sql, "SELECT * FROM \"" + name + "\"");
        while (rows.executeStep()) {
            out += '\n';
            for (int i = 0; i < rows.getColumnCount(); ++i)
                out += rows.getColumn(i).getString() + '|';
        }
    }
    return out + "\n" + sql.execAndGet("PRAGMA data_version").getString() + "/" +
           std::to_string(sql.getTotalChanges());
}

ExecuteSubmission submission(const std::string& code, const std::optional<std::string>& session) {
    ExecuteSubmission out;
    out.skill_id = "skill";
    out.code = code;
    out.declaration = std::get<oauth3::skill::Declaration>(oauth3::skill::parse(code));
    out.secrets = out.declaration.secrets;
    out.session_id = session;
    return out;
}

std::int64_t count(World& world, const std::string& table) {
    return world.database->sqlite().execAndGet("SELECT count(*) FROM " + table).getInt64();
}

Texts listed(World& world, const Principal& who, const ListFilter& filter = {}) {
    Texts out;
    for (const auto& row : world.server->list(who, filter)) out.push_back(row.id);
    return out;
}

/// Ticks until nothing more is removed; how many ticks it took.
int purge_all(World& world) {
    for (int ticks = 0;; ++ticks) {
        const auto gone = world.server->purge(world.clock.now());
        if (gone.requests + gone.programs + gone.sessions == 0) return ticks;
    }
}

}  // namespace

TEST_CASE("conformance 36: a dry run writes nothing and says what submitting would do") {
    World world;
    Scope scope;
    scope.description = "scope";
    scope.secrets = {"KNOWN"};
    const std::string code = "// @secrets KNOWN\nprint";
    world.approve(world.submit_scope(scope, "s", code).id);
    const std::string before = whole_database(world);
    const auto changed = world.changed.size();

    auto would = world.server->would(world.agent(), submission(code, "s"));
    CHECK(would.fits);
    CHECK(would.session_exists);
    CHECK(would.session_id == "s");
    CHECK(would.missing_secrets == Texts{"KNOWN"});
    CHECK(would.violations.empty());

    would = world.server->would(
        world.agent(), submission("// @secrets OTHER\n// @network x.org\n// @timeout 90\n", "s"));
    CHECK_FALSE(would.fits);
    CHECK(would.violations == Texts{"new secret: OTHER", "new network: x.org", "timeout 90 > 60",
                                    "code not approved in this session"});
    CHECK(would.gaps.secrets == Texts{"OTHER"});
    CHECK(oauth3::policy::texts_of(would.gaps.networks) == Texts{"x.org"});
    CHECK(would.missing_secrets.empty());

    would = world.server->would(world.agent(), submission(code, "unknown"));
    CHECK_FALSE(would.fits);
    CHECK_FALSE(would.session_exists);
    CHECK(would.violations.empty());
    CHECK(would.missing_secrets.empty());
    would = world.server->would(world.agent(), submission(code, std::nullopt));
    CHECK(would.session_id.starts_with("session_"));
    // The session of another tenant is not there.
    CHECK_FALSE(world.server->would(world.other_agent(), submission(code, "s")).session_exists);

    CHECK(whole_database(world) == before);
    CHECK(world.changed.size() == changed);
    world.loop.run_ready();
    CHECK(world.outside.started().empty());
    // What it said is what happens.
    CHECK(world.submit(code, "s").status == Status::approved);
}

TEST_CASE("a dry run tells of a session that has ended what a submission would tell") {
    World world;
    Scope scope;
    world.approve(world.submit_scope(scope, "s", "print").id);
    world.clock.move(hours(2));
    const auto would = world.server->would(world.agent(), submission("print", "s"));
    CHECK_FALSE(would.fits);
    CHECK(would.session_exists);
    CHECK(would.violations == world.submit("print", "s").violations);
}

TEST_CASE("a cursor is an id, and one that the caller may not see has nothing before it") {
    World world;
    Texts ids;
    for (int i = 0; i < 5; ++i) ids.insert(ids.begin(), world.submit("code").id);
    const auto foreign =
        std::get<Submitted>(world.server->submit(world.other_agent(), submission("code", {}))).row;
    ids.insert(ids.begin(), world.submit("code").id);
    for (const Principal& who : {world.agent(), world.owner()}) {
        CHECK(listed(world, who) == ids);
        ListFilter filter;
        filter.limit = 2;
        filter.before = ids[1];
        CHECK(listed(world, who, filter) == Texts{ids[2], ids[3]});
        for (const std::string& none :
             {foreign.id, std::string("exec_0000000000000000"), std::string(), ids.back()}) {
            filter.before = none;
            CHECK(listed(world, who, filter).empty());
        }
    }
    ListFilter filter;
    filter.tenant_id = foreign.tenant_id;
    CHECK(listed(world, world.owner(), filter).empty());
    CHECK(listed(world, world.agent(), filter) == ids);  // an agent has no choice
    filter = {};
    filter.session_id = world.row(ids[2]).session_id;
    CHECK(listed(world, world.owner(), filter) == Texts{ids[2]});
    filter.status = Status::pending;
    filter.tenant_id = world.agent().tenant_id;
    CHECK(listed(world, world.owner(), filter) == Texts{ids[2]});
    filter.status = Status::completed;
    CHECK(listed(world, world.owner(), filter).empty());
}

TEST_CASE("the ledger is listed newest first, and one request's story from its beginning") {
    World world;
    const auto first = world.submit("print").id;
    const auto second = world.submit("print").id;
    world.approve(first);
    world.wait_for(first, Status::completed);
    const auto actions = [&](const EventFilter& filter) {
        Texts out;
        for (const auto& event : world.server->events(world.owner(), filter))
            out.push_back(std::to_string(event.seq) + " " + event.action);
        return out;
    };
    CHECK(actions({}) == Texts{"5 request.finished", "4 request.started", "3 request.decided",
                               "2 request.created", "1 request.created"});
    EventFilter filter;
    filter.request_id = first;
    CHECK(actions(filter) == Texts{"1 request.created", "3 request.decided", "4 request.started",
                                   "5 request.finished"});
    filter.request_id = second;
    CHECK(actions(filter) == Texts{"2 request.created"});
    CHECK(world.server->events(world.other_owner(), filter).empty());
    CHECK(world.server->events(world.other_owner(), {}).empty());
    CHECK(world.server->events(world.agent(), {}).empty());
    filter = {};
    filter.limit = 2;
    filter.before = 4;
    CHECK(actions(filter) == Texts{"3 request.decided", "2 request.created"});
    filter = {};
    filter.after = 3;
    CHECK(actions(filter) == Texts{"4 request.started", "5 request.finished"});
    filter.tenant_id = world.agent().tenant_id;
    CHECK(actions(filter).size() == 2);
    filter.tenant_id = "tenant_x";
    CHECK(actions(filter).empty());
}

TEST_CASE("the last approved code is that of the same agent and skill before the request") {
    World world;
    const auto one = world.submit("one").id;
    world.approve(one);
    const auto denied = world.submit("denied").id;
    world.deny(denied);
    const auto two = world.submit("two").id;
    CHECK(world.server->last_approved_code(world.row(two)) == "one");
    CHECK_FALSE(world.server->last_approved_code(world.row(one)).has_value());
    const auto same = world.submit("one").id;
    CHECK_FALSE(world.server->last_approved_code(world.row(same)).has_value());
    world.approve(two);
    CHECK(world.server->last_approved_code(world.row(same)) == "two");
    CHECK(world.server->last_approved_code(world.row(two)) == "one");
    auto foreign =
        std::get<Submitted>(world.server->submit(world.other_agent(), submission("three", {}))).row;
    CHECK_FALSE(world.server->last_approved_code(foreign).has_value());
}

TEST_CASE("code that was approved with a scope is approved code") {
    World world;
    const auto ask = [&](const std::string& code, const std::optional<std::string>& skill) {
        ScopeSubmission scope;
        scope.scope.description = "scope";
        scope.code = code;
        scope.declaration.emplace();
        scope.declaration->skill = skill;
        return std::get<Submitted>(world.server->submit(world.agent(), scope)).row.id;
    };
    const auto asked = ask("asked only", "skill");
    const auto nameless = ask("nameless", std::nullopt);
    world.approve(nameless);
    const auto before = world.submit("run").id;
    CHECK_FALSE(world.server->last_approved_code(world.row(before)).has_value());
    world.approve(asked);
    const auto run = world.submit("run").id;
    CHECK(world.server->last_approved_code(world.row(run)) == "asked only");
    const auto denied = ask("denied", "skill");
    world.deny(denied);
    CHECK(world.server->last_approved_code(world.row(world.submit("run").id)) == "asked only");
    // A scope is compared, too; but not one whose code has no name with another such.
    CHECK(world.server->last_approved_code(world.row(ask("newer", "skill"))) == "asked only");
    CHECK_FALSE(
        world.server->last_approved_code(world.row(ask("other", std::nullopt))).has_value());
}

TEST_CASE("what ended long ago goes, with results and programs, and its story stays") {
    World world;
    world.clock.set(kStart);
    const auto old = world.submit("old").id;
    world.approve(old);
    world.wait_for(old, Status::completed);
    const auto shared = world.submit("shared").id;
    world.deny(shared);
    const auto waiting = world.submit("waiting").id;
    const auto held = world.submit("hold").id;
    world.approve(held);
    world.wait_for(held, Status::executing);
    const auto events = world.events().size();

    world.clock.move(hours(24 * 30) - Millis(1));
    CHECK(purge_all(world) == 0);
    CHECK(count(world, "requests") == 4);
    const auto young = world.submit("shared").id;
    world.clock.move(Millis(1));
    CHECK(purge_all(world) == 1);
    CHECK_FALSE(world.server->find(world.owner(), old).has_value());
    CHECK_FALSE(world.server->find(world.owner(), shared).has_value());
    CHECK(count(world, "results") == 0);
    CHECK(world.server->code(world.row(young)) == "shared");
    // Neither what is undecided nor what runs is old, however long ago it came.
    CHECK(count(world, "requests WHERE status IN ('pending', 'executing')") == 3);
    CHECK(count(world, "programs") == 3);
    CHECK(world.events().size() == events + 1);
    CHECK_FALSE(oauth3::ledger::first_break(world.events()));
    EventFilter filter;
    filter.request_id = old;
    CHECK(world.server->events(world.owner(), filter).size() == 4);

    // The next tick ends the one that waited; it is kept for its own 30 days.
    world.server->tick();
    CHECK(world.status(waiting) == Status::expired);
    world.clock.move(hours(24 * 29));
    world.server->tick();
    CHECK(world.status(waiting) == Status::expired);
    world.outside.release();
    world.wait_for(held, Status::completed);
}

TEST_CASE("a program stays as long as a living session lets it run") {
    Settings settings;
    settings.retention = kMinRetention;
    World world(settings);
    Scope scope;
    scope.expires_in = Seconds(24 * 3600);
    world.approve(world.submit_scope(scope, "s", "print").id);
    // Kept alive by approvals, day after day, the session outlives the request it began with.
    for (int i = 0; i < 8 * 24; ++i) {
        world.clock.move(hours(1));
        world.approve(world.submit_scope(scope, "s").id);
        world.server->purge(world.clock.now());
    }
    const auto session = world.server->session(world.agent(), world.agent().tenant_id, "s");
    REQUIRE(session.has_value());
    CHECK(count(world, "requests WHERE code_hash IS NOT NULL") == 0);
    CHECK(count(world, "programs") == 1);
    // When the session itself is long over, it goes, and its program with it.
    world.clock.move(hours(24 * 9));
    purge_all(world);
    CHECK(count(world, "sessions") == 0);
    CHECK(count(world, "programs") == 0);
    CHECK(count(world, "requests") == 0);
}

TEST_CASE("much that is old goes in small batches") {
    World world;
    for (int i = 0; i < 45; ++i) world.deny(world.submit("code " + std::to_string(i)).id);
    for (int i = 0; i < 45; ++i) world.approve(world.submit("same").id);
    world.loop.run_until([&] { return count(world, "results") == 45; });
    world.clock.move(hours(24 * 31));
    std::size_t left = 90;
    for (int i = 0; i < 5; ++i) {
        const auto gone = world.server->purge(world.clock.now());
        CHECK(gone.requests == (i < 4 ? 20 : 10));
        left -= gone.requests;
        CHECK(count(world, "requests") == static_cast<std::int64_t>(left));
    }
    CHECK(world.server->purge(world.clock.now()).requests == 0);
    CHECK(count(world, "programs") == 0);
    CHECK(count(world, "results") == 0);

    // Big results go fewer at a time: freeing them takes long.
    oauth3::runtime::Outcome big;
    big.cause = oauth3::runtime::Cause::finished;
    big.out = std::string(1 << 20, 'x');
    world.outside.outcomes["big"] = big;
    for (int i = 0; i < 3; ++i) world.approve(world.submit("big").id);
    world.loop.run_until([&] { return count(world, "results") == 3; });
    world.clock.move(hours(24 * 31));
    CHECK(world.server->purge(world.clock.now()).requests == 1);
    CHECK(purge_all(world) == 2);
}

TEST_CASE("nothing old, nothing written") {
    World world;
    world.deny(world.submit("code").id);
    const std::string before = whole_database(world);
    for (int i = 0; i < 5; ++i) world.server->tick();
    CHECK(whole_database(world) == before);
}

TEST_CASE("an approved request that waits for secrets expires as long after its approval") {
    World world;
    const auto id = world.submit("code").id;
    world.clock.move(hours(20));
    // This server cannot make a request wait for secrets yet; a later one's database may hold one.
    world.sql("UPDATE requests SET status = 'awaiting_secrets', approved_at = " +
              std::to_string(oauth3::base::to_millis(world.clock.now())));
    world.clock.move(hours(24) - Millis(1));
    world.server->tick();
    CHECK(world.status(id) == Status::awaiting_secrets);
    CHECK(world.server->find(world.owner(), id)->status == Status::awaiting_secrets);
    world.clock.move(Millis(1));
    if (GENERATE(true, false))
        world.server->tick();
    else
        CHECK(world.server->find(world.owner(), id)->status == Status::expired);
    CHECK(world.status(id) == Status::expired);
    CHECK(world.row(id).error == "approval expired");
    // The step from pending that was made behind the server's back.
    world.sql("DELETE FROM ledger");
    world.sql("DELETE FROM requests");
}
