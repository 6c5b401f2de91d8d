// What agents and humans can do with a request, and who can.
#include "base/crypto.h"
#include "orchestrator/world.h"
#include "store/sessions.h"
#include "support/catch.h"

#include <filesystem>
#include <fstream>

using namespace oauth3::test;
using namespace oauth3::orchestrator;
using oauth3::base::Json;
using oauth3::base::Millis;
using oauth3::base::Seconds;
using oauth3::policy::Scope;
using oauth3::policy::Status;
using std::chrono::hours;

namespace {

using Texts = std::vector<std::string>;

Settings settings(std::size_t parallel, std::size_t max_pending = 50) {
    Settings out;
    out.parallel_runs = parallel;
    out.max_pending = max_pending;
    return out;
}

Scope scope_of(Seconds max_timeout = Seconds(60)) {
    Scope out;
    out.description = "scope";
    out.max_timeout = max_timeout;
    return out;
}

}  // namespace

TEST_CASE("submit, approve, run, settle: the main job") {
    World world;
    const auto submitted = world.submit("print", "", {{"a", 1}});
    CHECK(submitted.status == Status::pending);
    CHECK(submitted.code_hash == oauth3::base::sha256_hex("print"));
    CHECK(submitted.expires_at == kStart + hours(24));
    CHECK(submitted.session_id.starts_with("session_"));
    world.loop.run_ready();
    CHECK(world.outside.started().empty());

    world.clock.move(Millis(10));
    const auto decided = world.approve(submitted.id);
    CHECK(decided.made);
    CHECK(decided.row.status == Status::approved);
    CHECK(world.outside.started().empty());  // the reply leaves before the run begins
    world.wait_for(submitted.id, Status::completed);
    const auto row = world.row(submitted.id);
    CHECK(row.approved_at == kStart + Millis(10));
    CHECK(row.authority == "owner:owner_0000000000000001");
    CHECK(row.level == "once");
    CHECK_FALSE(row.error.has_value());
    const auto result = world.server->result(row);
    REQUIRE(result.has_value());
    CHECK(result->out == "print");
    CHECK(result->success);
    CHECK(world.server->code(row) == "print");
    CHECK(world.changed == Texts{row.id, row.id, row.id});
    Texts actions;
    for (const auto& event : world.events()) actions.push_back(event.action);
    CHECK(actions ==
          Texts{"request.created", "request.decided", "request.started", "request.finished"});
}

TEST_CASE("conformance 11: of two decisions one wins, and the code runs once") {
    World world;
    const auto id = world.submit("hold").id;
    CHECK(world.approve(id).made);
    const auto second = world.deny(id, "no");
    CHECK_FALSE(second.made);
    CHECK(second.row.status == Status::approved);
    CHECK_FALSE(world.approve(id, Level::session).made);
    world.wait_for(id, Status::executing);
    CHECK_FALSE(world.approve(id).made);
    world.outside.release();
    world.wait_for(id, Status::completed);
    CHECK_FALSE(world.approve(id).made);
    CHECK_FALSE(world.deny(id).made);
    world.loop.run_ready();
    CHECK(world.outside.started() == Texts{"hold"});
    CHECK(world.row(id).level == "once");

    const auto denied = world.submit("never").id;
    CHECK(world.deny(denied, "not today").made);
    CHECK_FALSE(world.approve(denied).made);
    world.loop.run_ready();
    CHECK(world.row(denied).status == Status::denied);
    CHECK(world.row(denied).error == "not today");
    CHECK(world.row(denied).completed_at == kStart);
    const auto silent = world.submit("never").id;
    world.deny(silent);
    CHECK_FALSE(world.row(silent).error.has_value());
    CHECK(world.outside.started() == Texts{"hold"});
}

TEST_CASE("a scope becomes a session, in which its code needs nobody") {
    World world;
    const auto scope = world.submit_scope(scope_of(), "s", "print");
    CHECK(scope.status == Status::pending);
    CHECK(scope.session_id == "s");
    const auto early = world.submit("print", "s");
    CHECK(early.status == Status::pending);
    CHECK(early.violations.empty());  // there is no session yet

    auto decided = world.approve(scope.id);
    CHECK(decided.made);
    CHECK(decided.row.status == Status::completed);
    CHECK_FALSE(decided.expanded);
    CHECK_FALSE(world.row(scope.id).approved_at.has_value());
    CHECK_FALSE(world.server->result(world.row(scope.id)).has_value());

    const auto run = world.submit("print", "s", {{"any", "args"}});
    CHECK(run.status == Status::approved);
    CHECK(run.authority == "session");
    world.wait_for(run.id, Status::completed);
    const auto other = world.submit("other", "s");
    CHECK(other.status == Status::pending);
    CHECK(other.violations == Texts{"code not approved in this session"});
    CHECK(world.submit("print", "t").status == Status::pending);
    CHECK(world.submit("print").status == Status::pending);

    // Another approval widens it.
    Scope more = scope_of(Seconds(90));
    more.constraints = {oauth3::policy::compile_constraint("be nice")};
    decided = world.approve(world.submit_scope(more, "s", "other").id);
    CHECK(decided.expanded);
    CHECK(decided.constraints == 1);
    CHECK(world.submit("other", "s").status == Status::approved);
    CHECK(world.submit("print", "s").status == Status::approved);
    Texts actions;
    for (const auto& event : world.events())
        if (event.action.starts_with("session.")) actions.push_back(event.action);
    CHECK(actions == Texts{"session.created", "session.widened"});
    CHECK(oauth3::store::Sessions(*world.database).find(run.tenant_id, "s")->session.runs_used == 3);
}

TEST_CASE("an execution approved for its session may run again there, one approved once may not") {
    World world;
    world.approve(world.submit("print", "s").id, Level::once);
    CHECK(world.submit("print", "s").status == Status::pending);
    world.approve(world.submit("print", "s").id, Level::session);
    CHECK(world.submit("print", "s").status == Status::approved);
    CHECK(world.submit("print", "t").status == Status::pending);
    // Exactly its own timeout: a header that asks for more is other code, and does not fit.
    const auto longer = world.submit("// @timeout 31\nprint", "s");
    CHECK(longer.violations == Texts{"timeout 31 > 30", "code not approved in this session"});
}

TEST_CASE("a session ends after two idle hours, or a day, and is then begun anew") {
    World world;
    const auto later = [&] { return world.submit("print", "s").status; };
    world.approve(world.submit("print", "s").id, Level::session);
    for (int i = 0; i < 12; ++i) {
        world.clock.move(hours(2) - Millis(1));
        CHECK(later() == Status::approved);  // each run keeps it alive
    }
    world.clock.move(Seconds(60));
    const auto row = world.submit("print", "s");
    CHECK(row.status == Status::pending);
    CHECK(row.violations == Texts{"the session has ended"});
    const auto decided = world.approve(row.id, Level::session);
    CHECK_FALSE(decided.expanded);
    CHECK(later() == Status::approved);
    world.clock.move(hours(2));
    CHECK(later() == Status::pending);
    // What the ended session allowed is not taken over into the new one.
    world.approve(world.submit("other", "s").id, Level::session);
    CHECK(world.submit("other", "s").status == Status::approved);
    CHECK(later() == Status::pending);
}

TEST_CASE("an undecided request ends at its deadline, whoever looks first") {
    World world;
    const auto looked = world.submit("a").id, decided = world.submit("b").id,
               ticked = world.submit("c").id, cancelled = world.submit("d").id,
               scope = world.submit_scope(scope_of(), "s", "print").id;
    world.clock.move(hours(24) - Millis(1));
    world.server->tick();
    CHECK(world.status(ticked) == Status::pending);
    world.clock.move(Millis(1));
    CHECK(world.server->find(world.agent(), looked)->status == Status::expired);
    CHECK_FALSE(world.approve(decided).made);
    CHECK(world.server->cancel(world.agent(), cancelled)->was_final);
    CHECK_FALSE(world.approve(scope).made);
    world.server->tick();
    for (const auto& id : {looked, decided, ticked, cancelled, scope}) {
        CHECK(world.status(id) == Status::expired);
        CHECK(world.row(id).error == "approval expired");
        CHECK(std::count(world.changed.begin(), world.changed.end(), id) == 1);
    }
    world.loop.run_ready();
    CHECK(world.outside.started().empty());
    CHECK(world.submit("print", "s").violations.empty());
}

TEST_CASE("what is approved does not expire while it waits for room") {
    World world(settings(1));
    const auto first = world.submit("hold").id, second = world.submit("print").id;
    world.approve(first);
    world.approve(second);
    world.wait_for(first, Status::executing);
    world.clock.move(hours(48));
    world.server->tick();
    CHECK(world.status(second) == Status::approved);
    world.outside.release();
    world.wait_for(second, Status::completed);
}

TEST_CASE("cancelling: before the decision, in the queue, while it runs, and too late") {
    World world(settings(1));
    const auto pending = world.submit("a").id;
    auto cancelled = world.server->cancel(world.agent(), pending);
    CHECK(cancelled->row.status == Status::cancelled);
    CHECK(world.row(pending).error == "cancelled");
    CHECK_FALSE(world.approve(pending).made);

    const auto running = world.submit("hold").id, queued = world.submit("b").id;
    world.approve(running);
    world.approve(queued);
    world.wait_for(running, Status::executing);
    CHECK(world.server->cancel(world.agent(), queued)->row.status == Status::cancelled);
    cancelled = world.server->cancel(world.owner(), running);
    CHECK(cancelled->stopping);
    world.wait_for(running, Status::cancelled);
    CHECK(world.row(running).error == "cancelled");
    CHECK(world.server->result(world.row(running))->exit_code == 137);
    CHECK(world.server->cancel(world.agent(), running)->was_final);
    world.loop.run_ready();
    CHECK(world.outside.started() == Texts{"hold"});

    const auto scope = world.submit_scope(scope_of(), "s", "print").id;
    CHECK(world.server->cancel(world.agent(), scope)->row.status == Status::cancelled);
    CHECK_FALSE(world.approve(scope).made);
    CHECK(world.submit("print", "s").status == Status::pending);
}

TEST_CASE("who may not see a request cannot do anything to it") {
    World world;
    const auto id = world.submit("print", "s").id;
    for (const Principal& who : {world.other_agent(), world.other_owner(),
                                 Principal{Role::agent, "k", world.owner().owner_id, "tenant_x"},
                                 Principal{Role::agent, "k", world.owner().owner_id, ""},
                                 Principal{Role::admin, "k", "", ""}}) {
        CHECK_FALSE(world.server->find(who, id).has_value());
        CHECK_FALSE(world.server->cancel(who, id).has_value());
        CHECK_FALSE(world.server->decide(who, id, {true, Level::session, ""}).has_value());
        CHECK(world.server->list(who, {}).empty());
    }
    // Nor may an agent decide or list what is its own.
    CHECK_FALSE(world.server->decide(world.agent(), id, {true, Level::once, ""}).has_value());
    CHECK(world.server->list(world.other_agent(), {}).empty());
    CHECK(world.server->list(world.owner(), {}).size() == 1);
    for (const char* unknown : {"", "exec_0000000000000000", "' OR 1=1 --"})
        CHECK_FALSE(world.server->decide(world.owner(), unknown, {true, Level::once, ""}));
    CHECK(world.status(id) == Status::pending);

    // A foreign tenant's session of the same name is another one.
    world.approve(id, Level::session);
    CHECK(world.submit("print", "s").status == Status::approved);
    ExecuteSubmission theirs;
    theirs.skill_id = "skill";
    theirs.code = "print";
    theirs.session_id = "s";
    const auto result = world.server->submit(world.other_agent(), theirs);
    CHECK(std::get<Submitted>(result).row.status == Status::pending);
    CHECK_FALSE(std::get<Submitted>(result).session_exists);
}

TEST_CASE("a tenant has at most so many undecided requests, what is auto-approved does not count") {
    World world(settings(4, 3));
    world.approve(world.submit("print", "s").id, Level::session);
    Texts ids;
    for (int i = 0; i < 3; ++i) ids.push_back(world.submit("other").id);
    ExecuteSubmission submission;
    submission.skill_id = "skill";
    submission.code = "more";
    CHECK(std::get<TooManyPending>(world.server->submit(world.agent(), submission)).limit == 3);
    CHECK(std::holds_alternative<TooManyPending>(
        world.server->submit(world.agent(), ScopeSubmission{})));
    CHECK(world.submit("print", "s").status == Status::approved);
    CHECK(std::holds_alternative<Submitted>(world.server->submit(world.other_agent(), submission)));
    world.deny(ids[0]);
    CHECK(world.submit("more").status == Status::pending);
    CHECK(std::holds_alternative<TooManyPending>(world.server->submit(world.agent(), submission)));
}
