// Sessions from their first run to their end: who sees them, what is counted, narrowing, revoking.
#include "orchestrator/world.h"
#include "support/catch.h"

using namespace oauth3::test;
using namespace oauth3::orchestrator;
using oauth3::base::Millis;
using oauth3::base::Seconds;
using oauth3::ledger::Event;
using oauth3::policy::Narrowing;
using oauth3::policy::NotNarrower;
using oauth3::policy::Scope;
using oauth3::policy::Status;
using oauth3::store::SessionRow;
using std::chrono::hours;
using std::chrono::minutes;

namespace {

using Texts = std::vector<std::string>;

constexpr const char* kTenantId = "tenant_0000000000000001";

Settings parallel(std::size_t runs) {
    Settings out;
    out.parallel_runs = runs;
    return out;
}

/// A living session in which `code` may run.
void open_session(World& world, const std::string& code, const std::string& id = "s",
                  std::optional<std::int64_t> max_runs = std::nullopt) {
    Scope scope;
    scope.description = "scope";
    scope.max_runs = max_runs;
    world.approve(world.submit_scope(scope, id, code).id);
}

Texts ids(const std::vector<SessionRow>& rows) {
    Texts out;
    for (const auto& row : rows) out.push_back(row.id);
    return out;
}

std::vector<Event> of_action(World& world, const std::string& action) {
    std::vector<Event> out;
    for (const Event& event : world.events())
        if (event.action == action) out.push_back(event);
    return out;
}

std::optional<SessionRow> revoke(World& world, const std::string& id = "s",
                                 const std::string& reason = "enough") {
    return world.server->revoke_session(world.owner(), kTenantId, id, reason);
}

SessionRow narrowed(World& world, const Narrowing& to) {
    const auto out = world.server->narrow_session(world.agent(), kTenantId, "s", to);
    REQUIRE(out.has_value());
    REQUIRE(std::holds_alternative<SessionRow>(*out));
    return std::get<SessionRow>(*out);
}

}  // namespace

TEST_CASE("sessions are listed by their last activity, to their agent and its owner only") {
    World world;
    open_session(world, "print", "a");
    world.clock.move(Millis(1));
    open_session(world, "print", "b");
    CHECK(ids(world.server->sessions(world.agent(), std::nullopt)) == Texts{"b", "a"});
    world.clock.move(minutes(10));
    world.wait_for(world.submit("print", "a").id, Status::completed);
    CHECK(ids(world.server->sessions(world.agent(), std::nullopt)) == Texts{"a", "b"});
    CHECK(ids(world.server->sessions(world.owner(), std::nullopt)) == Texts{"a", "b"});
    CHECK(ids(world.server->sessions(world.owner(), kTenantId)) == Texts{"a", "b"});
    // An agent cannot choose a tenant.
    CHECK(ids(world.server->sessions(world.agent(), "tenant_0000000000000002")).size() == 2);
    CHECK(world.server->sessions(world.owner(), "tenant_0000000000000002").empty());
    CHECK(world.server->session(world.owner(), kTenantId, "a").has_value());
    CHECK(world.server->tenants_with_session(world.owner(), "a") == Texts{kTenantId});

    Narrowing to;
    to.max_timeout = Seconds(1);
    for (const Principal& who : {world.other_agent(), world.other_owner(),
                                 Principal{Role::agent, "k", world.owner().owner_id, "tenant_x"},
                                 Principal{Role::admin, "k", "", ""}}) {
        CHECK(world.server->sessions(who, std::nullopt).empty());
        CHECK(world.server->sessions(who, kTenantId).empty());
        CHECK_FALSE(world.server->session(who, kTenantId, "a").has_value());
        CHECK(world.server->tenants_with_session(who, "a").empty());
        CHECK_FALSE(world.server->revoke_session(who, kTenantId, "a", "").has_value());
        CHECK_FALSE(world.server->narrow_session(who, kTenantId, "a", to).has_value());
    }
    CHECK_FALSE(world.server->session(world.owner(), "tenant_0000000000000002", "a").has_value());
    CHECK_FALSE(world.server->session(world.owner(), kTenantId, "A").has_value());
    CHECK(world.server->session(world.agent(), kTenantId, "a")->session.policy.max_timeout ==
          Seconds(60));

    world.clock.move(minutes(110));  // b has been idle for 2 hours, a has not
    CHECK(ids(world.server->sessions(world.agent(), std::nullopt)) == Texts{"a"});
    CHECK_FALSE(world.server->session(world.agent(), kTenantId, "b").has_value());
    CHECK_FALSE(revoke(world, "b").has_value());
    CHECK_FALSE(world.server->narrow_session(world.agent(), kTenantId, "b", to).has_value());
}

TEST_CASE("the start of a run moves the last activity, not only its approval") {
    World world(parallel(1));
    open_session(world, "print");
    const auto blocker = world.submit("hold").id;
    world.approve(blocker);
    world.wait_for(blocker, Status::executing);
    world.clock.move(minutes(90));
    const auto waiting = world.submit("print", "s").id;
    world.clock.move(minutes(100));  // within two hours of the approval
    world.outside.release();
    world.wait_for(waiting, Status::completed);
    CHECK(world.server->session(world.agent(), kTenantId, "s")->session.last_activity ==
          kStart + minutes(190));
    // A clock that jumps back does not take activity away.
    world.clock.set(kStart + minutes(100));
    world.wait_for(world.submit("print", "s").id, Status::completed);
    CHECK(world.server->session(world.agent(), kTenantId, "s")->session.last_activity >=
          kStart + minutes(100));
}

TEST_CASE("a run does not bring a session back that has ended") {
    World world;
    open_session(world, "print");
    world.clock.move(hours(3));
    const auto once = world.submit("hold", "s").id;
    CHECK(world.status(once) == Status::pending);
    world.approve(once);
    world.wait_for(once, Status::executing);
    CHECK_FALSE(world.server->session(world.agent(), kTenantId, "s").has_value());
    world.outside.release();
    world.wait_for(once, Status::completed);
    CHECK(world.submit("print", "s").status == Status::pending);
}

TEST_CASE("conformance 29: of ten executions with max_runs 2, two are approved by the session") {
    World world;
    open_session(world, "print", "s", 2);
    std::vector<oauth3::store::RequestRow> rows;
    for (int i = 0; i < 10; ++i) rows.push_back(world.submit("print", "s"));
    for (std::size_t i = 0; i < rows.size(); ++i) {
        CHECK((rows[i].status == Status::approved) == (i < 2));
        if (i >= 2) CHECK(rows[i].violations == Texts{"no runs left (2/2)"});
    }
    // The check at the start does not count them once more.
    world.wait_for(rows[0].id, Status::completed);
    world.wait_for(rows[1].id, Status::completed);
    CHECK(world.server->session(world.agent(), kTenantId, "s")->session.runs_used == 2);
    // What the human approves itself is not of the session's runs.
    world.approve(rows[2].id);
    world.wait_for(rows[2].id, Status::completed);
    CHECK(world.server->session(world.agent(), kTenantId, "s")->session.runs_used == 2);
    Scope more;
    more.description = "more";
    more.max_runs = 3;
    world.approve(world.submit_scope(more, "s").id);
    CHECK(world.submit("print", "s").status == Status::approved);
    CHECK(world.submit("print", "s").violations == Texts{"no runs left (3/3)"});
}

TEST_CASE("revoking denies what is queued and kills what runs") {
    World world(parallel(2));
    open_session(world, "hold");
    open_session(world, "hold", "other");
    const auto first = world.submit("hold", "s").id;
    const auto elsewhere = world.submit("hold", "other").id;
    world.wait_for(first, Status::executing);
    world.wait_for(elsewhere, Status::executing);
    const auto second = world.submit("hold", "s").id;   // waits for room
    const auto by_hand = world.submit("once", "s").id;  // approved by the human, also queued
    world.approve(by_hand);
    const auto undecided = world.submit("new code", "s").id;
    world.changed.clear();

    const auto ended = revoke(world, "s", "seen enough");
    REQUIRE(ended.has_value());
    CHECK(ended->session.ended);
    CHECK(ended->ended_reason == "seen enough");
    CHECK(ended->ended_at == kStart);
    for (const std::string& id : {second, by_hand}) {
        CHECK(world.status(id) == Status::denied);
        CHECK(world.row(id).error == "session revoked");
        CHECK(world.row(id).completed_at == kStart);
    }
    CHECK(world.changed == Texts{second, by_hand});
    world.wait_for(first, Status::failed);
    CHECK(world.row(first).error == "session revoked");
    CHECK(world.server->result(world.row(first))->exit_code == 137);
    CHECK(world.status(elsewhere) == Status::executing);
    CHECK(world.status(undecided) == Status::pending);
    world.outside.release();
    world.wait_for(elsewhere, Status::completed);
    world.loop.run_ready();
    CHECK(world.outside.started() == Texts{"hold", "hold"});

    const auto told = of_action(world, "session.revoked");
    REQUIRE(told.size() == 1);
    CHECK(told[0].actor == "owner:owner_0000000000000001");
    CHECK(told[0].tenant_id == kTenantId);
    CHECK(told[0].detail == oauth3::base::Json{{"session_id", "s"}, {"reason", "seen enough"}});

    CHECK_FALSE(revoke(world).has_value());
    CHECK_FALSE(world.server->session(world.agent(), kTenantId, "s").has_value());
    CHECK(world.submit("hold", "s").violations == Texts{"the session has ended"});
    // A later approval with the same id begins anew, with nothing of what was before.
    world.approve(undecided, Level::session);
    const auto anew = world.server->session(world.agent(), kTenantId, "s");
    REQUIRE(anew.has_value());
    CHECK(anew->session.policy.code_hashes.size() == 1);
    CHECK(anew->session.runs_used == 0);
    CHECK_FALSE(anew->ended_at.has_value());
    CHECK_FALSE(anew->ended_reason.has_value());
    CHECK(world.submit("hold", "s").status == Status::pending);
}

TEST_CASE("a run that ends by itself while its session is revoked keeps its own end") {
    World world;
    open_session(world, "print");
    const auto id = world.submit("print", "s").id;
    world.loop.run_next();  // it starts, and may have ended outside
    REQUIRE(world.status(id) == Status::executing);
    CHECK(world.server->revoke_session(world.agent(), kTenantId, "s", "").has_value());
    world.loop.run_until([&] { return oauth3::policy::is_final(world.status(id)); });
    CHECK(world.status(id) == Status::completed);
    CHECK(world.outside.started() == Texts{"print"});
}

TEST_CASE("revoked and then stopped, or killed with the server, a run stays without success") {
    const bool orderly = GENERATE(true, false);
    World world;
    open_session(world, "hold");
    const auto id = world.submit("hold", "s").id;
    world.wait_for(id, Status::executing);
    CHECK(revoke(world).has_value());
    if (!orderly) world.loop.run_until([&] { return world.status(id) == Status::failed; });
    world.restart(orderly);
    CHECK(world.status(id) == Status::failed);
    CHECK(world.row(id).error == "session revoked");
    CHECK_FALSE(world.server->session(world.agent(), kTenantId, "s").has_value());
}

TEST_CASE("a disk that is full leaves session and runs as they were") {
    World world(parallel(1));
    open_session(world, "hold");
    const auto running = world.submit("hold", "s").id;
    world.wait_for(running, Status::executing);
    const auto queued = world.submit("hold", "s").id;
    world.sql(
        "CREATE TRIGGER full BEFORE UPDATE ON requests BEGIN SELECT RAISE(ABORT, 'full'); END");
    CHECK_THROWS(revoke(world));
    CHECK(world.server->session(world.agent(), kTenantId, "s").has_value());
    CHECK(world.status(queued) == Status::approved);
    CHECK(of_action(world, "session.revoked").empty());
    world.sql("DROP TRIGGER full");
    CHECK(world.status(running) == Status::executing);
    CHECK(revoke(world).has_value());
    CHECK(world.status(queued) == Status::denied);
    world.wait_for(running, Status::failed);
}

TEST_CASE("narrowing cannot add anything, and what it cuts no longer runs") {
    World world;
    open_session(world, "print");
    open_session(world, "more");  // widens the session by further code
    const auto before = *world.server->session(world.agent(), kTenantId, "s");
    REQUIRE(before.session.policy.code_hashes.size() == 2);
    Narrowing wider;
    wider.max_timeout = Seconds(61);
    auto refused = world.server->narrow_session(world.owner(), kTenantId, "s", wider);
    CHECK(std::get<NotNarrower>(*refused).field == "max_timeout");
    wider = {};
    wider.code_hashes = Texts{std::string(64, 'a')};
    refused = world.server->narrow_session(world.agent(), kTenantId, "s", wider);
    CHECK(std::get<NotNarrower>(*refused).field == "code_hashes");
    CHECK(of_action(world, "session.narrowed").empty());

    Narrowing to;
    to.code_hashes = Texts{oauth3::skill::code_hash("print")};
    to.max_runs = 1;
    to.expires_in = Seconds(100);
    const auto after = narrowed(world, to);
    CHECK(after.session.policy.code_hashes == *to.code_hashes);
    CHECK(after.session.expires_at == kStart + Seconds(100));
    const auto told = of_action(world, "session.narrowed");
    REQUIRE(told.size() == 1);
    CHECK(told[0].actor == std::string("agent:") + kTenantId);
    CHECK(told[0].detail["session_id"] == "s");
    CHECK(told[0].detail["policy"]["max_runs"] == 1);
    CHECK(world.submit("more", "s").violations == Texts{"code not approved in this session"});
    CHECK(world.submit("print", "s").status == Status::approved);
    CHECK(world.submit("print", "s").violations == Texts{"no runs left (1/1)"});
    world.clock.move(Seconds(100));
    CHECK_FALSE(world.server->session(world.agent(), kTenantId, "s").has_value());
}

TEST_CASE("queued runs that a narrowed session no longer allows are denied at once") {
    World world(parallel(1));
    open_session(world, "print");
    open_session(world, "more");
    const auto blocker = world.submit("hold").id;
    world.approve(blocker);
    world.wait_for(blocker, Status::executing);
    const auto kept = world.submit("print", "s").id;
    const auto cut = world.submit("more", "s").id;
    Narrowing to;
    to.code_hashes = Texts{oauth3::skill::code_hash("print")};
    world.changed.clear();
    narrowed(world, to);
    CHECK(world.status(cut) == Status::denied);
    CHECK(world.row(cut).error == "the session was narrowed: code not approved in this session");
    CHECK(world.changed == Texts{cut});
    world.outside.release();
    world.wait_for(kept, Status::completed);
    CHECK(world.outside.started() == Texts{"hold", "print"});
}

TEST_CASE("fewer runs than are queued already deny them") {
    World world(parallel(1));
    open_session(world, "print");
    const auto blocker = world.submit("hold").id;
    world.approve(blocker);
    world.wait_for(blocker, Status::executing);
    const auto one = world.submit("print", "s").id;
    const auto two = world.submit("print", "s").id;
    Narrowing to;
    to.max_runs = 1;
    narrowed(world, to);
    world.outside.release();
    world.wait_for(two, Status::denied);
    CHECK(world.status(one) == Status::denied);
    CHECK(world.row(one).error == "the session was narrowed: no runs left (2/1)");
    CHECK(world.outside.started() == Texts{"hold"});
}

TEST_CASE("narrowing that changes nothing writes nothing") {
    World world;
    open_session(world, "print");
    const auto before = *world.server->session(world.agent(), kTenantId, "s");
    Narrowing same;
    same.code_hashes = before.session.policy.code_hashes;
    same.max_timeout = before.session.policy.max_timeout;
    const std::size_t events = world.events().size();
    for (const Narrowing& to : {Narrowing{}, same})
        CHECK(narrowed(world, to).session.policy.code_hashes == *same.code_hashes);
    CHECK(world.events().size() == events);
    same.expires_in = Seconds(100);
    narrowed(world, same);
    CHECK(world.events().size() == events + 1);
}

TEST_CASE("an approval that changes a session holds only for the session that the human saw") {
    World world;
    const auto decide = [&](const std::string& id, Decision decision) {
        const auto out = world.server->decide(world.owner(), id, decision);
        REQUIRE(out.has_value());
        return *out;
    };
    const auto first = world.submit("first", "s");
    const auto second = world.submit("second", "s");
    const auto third = world.submit("third", "s");
    const auto fourth = world.submit("fourth", "s");
    Scope scope;
    scope.description = "scope";
    const auto widening = world.submit_scope(scope, "s", "more");
    const std::string none = world.server->session_digest(first);
    CHECK(none == "none");
    CHECK(decide(first.id, {true, Level::session, "", none}).made);

    // Another approval has begun the session meanwhile.
    const std::size_t events = world.events().size();
    for (const auto& row : {second, widening}) {
        const Decided late = decide(row.id, {true, Level::session, "", none});
        CHECK(late.session_changed);
        CHECK_FALSE(late.made);
        CHECK(late.row.status == Status::pending);
        CHECK(world.status(row.id) == Status::pending);
    }
    CHECK(world.events().size() == events);
    const std::string seen = world.server->session_digest(second);
    CHECK(seen != none);
    CHECK(decide(second.id, {true, Level::session, "", seen}).made);
    // It has grown since.
    CHECK(decide(widening.id, {true, Level::once, "", seen}).session_changed);
    // What does not touch the session, or names none, does not depend on it.
    CHECK(decide(third.id, {true, Level::once, "", seen}).made);
    CHECK(decide(fourth.id, {false, Level::once, "", seen}).made);
    CHECK(decide(widening.id, {true, Level::once, ""}).made);
    // Once it has ended there is none.
    const auto fifth = world.submit("fifth", "s");
    const std::string living = world.server->session_digest(fifth);
    CHECK(revoke(world).has_value());
    CHECK(decide(fifth.id, {true, Level::session, "", living}).session_changed);
    CHECK(world.server->session_digest(fifth) == "none");
}
