// Code that runs again without asking (wire 6.2): what it is keyed by, how long it holds, who sees
// and who ends it.
#include "orchestrator/world.h"
#include "support/catch.h"

using namespace oauth3::test;
using namespace oauth3::orchestrator;
using oauth3::base::Json;
using oauth3::base::Millis;
using oauth3::base::Seconds;
using oauth3::policy::Status;
using oauth3::store::TrustRow;
using std::chrono::hours;

namespace {

using Texts = std::vector<std::string>;

constexpr const char* kTenantId = "tenant_0000000000000001";

Settings parallel(std::size_t runs) {
    Settings out;
    out.parallel_runs = runs;
    return out;
}

/// Submits code with exactly these secrets, in a session of its own.
oauth3::store::RequestRow submit(World& world, const std::string& code, const Texts& secrets = {},
                                 const Json& args = Json::object(),
                                 const Principal* who = nullptr) {
    ExecuteSubmission submission;
    submission.skill_id = "skill";
    submission.code = code;
    submission.declaration = std::get<oauth3::skill::Declaration>(oauth3::skill::parse(code));
    submission.secrets = secrets;
    submission.args = args;
    auto result = world.server->submit(who == nullptr ? world.agent() : *who, submission);
    REQUIRE(std::holds_alternative<Submitted>(result));
    return std::get<Submitted>(std::move(result)).row;
}

TrustRow trusted(World& world, const std::string& id, Level level, bool pin_args = false) {
    Decision decision{true, level, ""};
    decision.pin_args = pin_args;
    REQUIRE(world.server->decide(world.owner(), id, decision)->made);
    const auto rows = world.server->trust(world.owner(), std::nullopt);
    REQUIRE_FALSE(rows.empty());
    return rows.front();
}

std::size_t count(World& world, const std::string& action) {
    std::size_t out = 0;
    for (const auto& event : world.events()) out += event.action == action ? 1 : 0;
    return out;
}

}  // namespace

TEST_CASE("conformance 24: trusted code runs in any session, with its own secrets and networks") {
    World world;
    const std::string code = "// @network a.example\nprint";
    const TrustRow trust = trusted(world, submit(world, code, {"A"}).id, Level::day);
    CHECK(trust.secrets == Texts{"A"});
    CHECK(trust.networks == Texts{"a.example"});
    CHECK(trust.expires_at == kStart + hours(24));
    CHECK_FALSE(trust.last_used_at.has_value());
    world.clock.move(Millis(5));

    const auto again = submit(world, code, {"A"}, {{"any", "args"}});
    CHECK(again.status == Status::approved);
    CHECK(again.authority == "trust:" + trust.id);
    CHECK(again.violations.empty());
    CHECK(again.approved_at == kStart + Millis(5));
    CHECK(submit(world, code, {"A", "A"}).status == Status::approved);  // the same set
    // A different set is not trusted, be it larger or smaller; nor is other code.
    CHECK(submit(world, code, {"A", "B"}).status == Status::pending);
    CHECK(submit(world, code, {"B"}).status == Status::pending);
    CHECK(submit(world, code).status == Status::pending);
    CHECK(submit(world, "// @network a.example b.example\nprint", {"A"}).status == Status::pending);
    CHECK(submit(world, "print", {"A"}).status == Status::pending);
    CHECK(submit(world, code + " ", {"A"}).status == Status::pending);
    const Principal other = world.other_agent();
    CHECK(submit(world, code, {"A"}, Json::object(), &other).status == Status::pending);

    const auto used = world.server->trust(world.agent(), std::nullopt);
    REQUIRE(used.size() == 1);
    CHECK(used[0].uses == 2);
    CHECK(used[0].last_used_at == kStart + Millis(5));

    ExecuteSubmission dry;
    dry.code = code;
    dry.declaration = std::get<oauth3::skill::Declaration>(oauth3::skill::parse(code));
    dry.secrets = {"A"};
    CHECK(world.server->would(world.agent(), dry).trusted);
    CHECK(world.server->trust(world.agent(), std::nullopt)[0].uses == 2);

    REQUIRE(world.server->revoke_trust(world.agent(), trust.id).has_value());
    CHECK(submit(world, code, {"A"}).status == Status::pending);
    CHECK_FALSE(world.server->would(world.agent(), dry).trusted);
    CHECK(world.server->trust(world.agent(), std::nullopt).empty());
    CHECK_FALSE(world.server->revoke_trust(world.agent(), trust.id).has_value());
    CHECK(count(world, "trust.created") == 1);
    CHECK(count(world, "trust.revoked") == 1);
}

TEST_CASE("conformance 24: trust for 24 hours ends to the millisecond, trust for ever does not") {
    World world;
    const TrustRow day = trusted(world, submit(world, "day").id, Level::day);
    trusted(world, submit(world, "ever").id, Level::forever);
    world.clock.move(hours(24) - Millis(1));
    CHECK(submit(world, "day").status == Status::approved);
    world.clock.move(Millis(1));
    CHECK(submit(world, "day").status == Status::pending);
    CHECK(world.server->trust(world.owner(), std::nullopt).size() == 1);
    CHECK_FALSE(world.server->revoke_trust(world.owner(), day.id).has_value());
    CHECK(submit(world, "ever").status == Status::approved);
    world.clock.move(hours(24 * 3650));
    CHECK(submit(world, "ever").status == Status::approved);
    CHECK(submit(world, "day").status == Status::pending);
}

TEST_CASE("a clock that steps back and forth neither prolongs trust nor double-counts its uses") {
    World world;
    trusted(world, submit(world, "print").id, Level::day);
    world.clock.move(hours(3));
    const auto late = submit(world, "print").id;
    world.clock.move(-hours(5));
    const auto early = submit(world, "print").id;
    world.wait_for(late, Status::completed);
    world.wait_for(early, Status::completed);
    auto rows = world.server->trust(world.agent(), std::nullopt);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].uses == 2);
    CHECK(rows[0].last_used_at == kStart + hours(3));  // never back
    CHECK(rows[0].expires_at == kStart + hours(24));
    world.clock.set(kStart + hours(24));
    CHECK(submit(world, "print").status == Status::pending);
}

TEST_CASE("conformance 24: pinned arguments are part of the key, as the program gets them") {
    World world;
    const TrustRow trust =
        trusted(world, submit(world, "print", {}, {{"n", 1}, {"t", "x"}}).id, Level::forever, true);
    CHECK(trust.args_hash.has_value());
    const auto status = [&](const Json& args) { return submit(world, "print", {}, args).status; };
    CHECK(status({{"n", 1}, {"t", "x"}}) == Status::approved);
    for (const Json& other :
         {Json::object(), Json{{"n", 1}}, Json{{"n", 2}, {"t", "x"}}, Json{{"n", 1.0}, {"t", "x"}},
          Json{{"n", "1"}, {"t", "x"}}, Json{{"n", 1}, {"t", "x"}, {"m", 0}}})
        CHECK(status(other) == Status::pending);
    // Another approval without them trusts the code with any.
    trusted(world, submit(world, "print").id, Level::forever);
    CHECK(status({{"n", 2}}) == Status::approved);
    CHECK(world.server->trust(world.owner(), std::nullopt).size() == 2);
}

TEST_CASE("nobody else sees or ends trust") {
    World world;
    const TrustRow trust = trusted(world, submit(world, "print").id, Level::forever);
    for (const Principal& who : {world.agent(), world.owner()})
        CHECK(world.server->trust(who, std::nullopt).size() == 1);
    CHECK(world.server->trust(world.owner(), kTenantId).size() == 1);
    CHECK(world.server->trust(world.owner(), "tenant_0000000000000002").empty());
    for (const Principal& who : {world.other_agent(), world.other_owner(),
                                 Principal{Role::agent, "k", world.owner().owner_id, "tenant_x"},
                                 Principal{Role::admin, "k", "", ""}}) {
        CHECK(world.server->trust(who, std::nullopt).empty());
        CHECK(world.server->trust(who, kTenantId).empty());
        CHECK_FALSE(world.server->revoke_trust(who, trust.id).has_value());
    }
    CHECK(submit(world, "print").status == Status::approved);
    for (const char* unknown : {"", "trust_0000000000000000", "' OR 1=1 --"})
        CHECK_FALSE(world.server->revoke_trust(world.owner(), unknown).has_value());
}

TEST_CASE("ending trust denies what it has queued and kills what it runs, and nothing else") {
    World world(parallel(1));
    const auto first = submit(world, "hold").id;
    const TrustRow trust = trusted(world, first, Level::day);
    world.wait_for(first, Status::executing);
    world.outside.release();
    world.wait_for(first, Status::completed);
    const auto running = submit(world, "hold").id;
    world.wait_for(running, Status::executing);
    const auto queued = submit(world, "hold").id;
    const auto by_hand = submit(world, "print").id;
    world.approve(by_hand);
    world.changed.clear();
    const auto ended = world.server->revoke_trust(world.owner(), trust.id);
    REQUIRE(ended.has_value());
    CHECK(ended->id == trust.id);
    CHECK(world.status(queued) == Status::denied);
    CHECK(world.row(queued).error == "trust revoked");
    CHECK(world.changed == Texts{queued});
    world.wait_for(running, Status::failed);
    CHECK(world.row(running).error == "trust revoked");
    world.wait_for(by_hand, Status::completed);
    CHECK(world.outside.started() == Texts{"hold", "hold", "print"});
}

TEST_CASE("a later approval of the same key replaces trust, and what is queued still runs") {
    World world(parallel(1));
    const auto waiting = submit(world, "print").id;
    const TrustRow day = trusted(world, submit(world, "print").id, Level::day);
    world.loop.run_ready();
    const auto blocker = submit(world, "hold").id;
    world.approve(blocker);
    world.wait_for(blocker, Status::executing);
    const auto queued = submit(world, "print").id;
    REQUIRE(world.row(queued).authority == "trust:" + day.id);
    const TrustRow ever = trusted(world, waiting, Level::forever);
    CHECK(ever.level == "forever");
    CHECK_FALSE(ever.expires_at.has_value());
    CHECK(ever.id == day.id);
    CHECK(world.server->trust(world.owner(), std::nullopt).size() == 1);
    world.outside.release();
    world.wait_for(queued, Status::completed);
    world.wait_for(waiting, Status::completed);
    world.clock.move(hours(25));
    CHECK(submit(world, "print").status == Status::approved);
    CHECK(count(world, "trust.created") == 2);
}

TEST_CASE("trust that somebody has written into the database approves nothing") {
    const std::string sql = GENERATE(
        as<std::string>{}, "UPDATE trust SET code_hash = '$evil'",
        "UPDATE trust SET secrets = '[\"A\",\"B\"]'", "UPDATE trust SET secrets = '[]'",
        "UPDATE trust SET networks = '[\"evil.example\"]'", "UPDATE trust SET args_hash = NULL",
        "UPDATE trust SET expires_at = NULL", "UPDATE trust SET expires_at = expires_at + 1",
        "UPDATE trust SET level = 'forever'", "UPDATE trust SET tenant_id = '$other'",
        "UPDATE trust SET ledger_seq = ledger_seq - 1",
        "UPDATE ledger SET detail = replace(detail, '24h', 'forever') WHERE action = "
        "'trust.created'");
    CAPTURE(sql);
    World world;
    const Json args{{"n", 1}};
    trusted(world, submit(world, "print", {"A"}, args).id, Level::day, true);
    REQUIRE(submit(world, "print", {"A"}, args).status == Status::approved);
    std::string text = sql;
    const auto put = [&text](const std::string& place, const std::string& value) {
        if (const auto at = text.find(place); at != std::string::npos)
            text.replace(at, place.size(), value);
    };
    put("$evil", oauth3::skill::code_hash("evil"));
    put("$other", "tenant_0000000000000002");
    world.sql(text);
    // What it was, what it now says, and what was asked before.
    const Principal other = world.other_agent();
    CHECK(submit(world, "print", {"A"}, args).status == Status::pending);
    CHECK(submit(world, "evil", {"A"}, args).status == Status::pending);
    CHECK(submit(world, "print", {"A", "B"}, args).status == Status::pending);
    CHECK(submit(world, "print", {}, args).status == Status::pending);
    CHECK(submit(world, "print", {"A"}, {{"n", 2}}).status == Status::pending);
    CHECK(submit(world, "print", {"A"}, args, &other).status == Status::pending);
    if (sql.find("ledger SET") != std::string::npos)
        world.sql(
            "UPDATE ledger SET detail = replace(detail, 'forever', '24h') WHERE action = "
            "'trust.created'");
}

TEST_CASE("trust that was revoked cannot be put back into the database") {
    World world;
    const TrustRow trust = trusted(world, submit(world, "print").id, Level::forever);
    world.sql("CREATE TEMP TABLE kept AS SELECT * FROM trust");
    REQUIRE(world.server->revoke_trust(world.owner(), trust.id).has_value());
    world.sql("INSERT INTO trust SELECT * FROM kept");
    CHECK(submit(world, "print").status == Status::pending);
}
