// What a run is given: what a human left of a request, what a narrowed session left of a grant, and
// what a widened one does not change. And whatever happens in whatever order: one decision, and at
// most one run.
#include "orchestrator/world.h"
#include "policy/grant.h"
#include "support/catch.h"

#include <map>
#include <random>

using namespace oauth3::test;
using namespace oauth3::orchestrator;
using oauth3::base::Json;
using oauth3::base::Millis;
using oauth3::base::Network;
using oauth3::base::Seconds;
using oauth3::policy::Grant;
using oauth3::policy::Narrowing;
using oauth3::policy::NotNarrower;
using oauth3::policy::Rule;
using oauth3::policy::Scope;
using oauth3::policy::Status;
using oauth3::store::SessionRow;
using std::chrono::minutes;

namespace {

using Texts = std::vector<std::string>;

constexpr const char* kTenantId = "tenant_0000000000000001";
constexpr const char* kNoNetwork = "this server cannot give a run secrets or network access yet";

Settings parallel(std::size_t runs) {
    Settings out;
    out.parallel_runs = runs;
    return out;
}

Network network(const char* text) {
    return *oauth3::base::parse_network(text).network;
}

Rule rule(const char* host, Texts methods) {
    Rule out = oauth3::policy::open_rule(network(host));
    out.methods = oauth3::policy::Methods::only(std::move(methods));
    return out;
}

Grant granted(World& world, const std::string& id) {
    return oauth3::policy::grant_from_json(oauth3::base::parse_json(*world.row(id).granted));
}

/// The digests of grants that the ledger has of a request, but for those of its start.
Texts told_grants(World& world, const std::string& id) {
    Texts out;
    for (const auto& event : world.events())
        if (event.request_id == id && event.action != "request.started" &&
            event.detail.contains("grant"))
            out.push_back(event.detail["grant"]);
    return out;
}

/// Holds the only place, so that what is approved waits.
std::string block(World& world) {
    const auto id = world.submit("hold").id;
    world.approve(id);
    world.wait_for(id, Status::executing);
    return id;
}

void narrow(World& world, const Narrowing& to) {
    const auto out = world.server->narrow_session(world.agent(), kTenantId, "s", to);
    REQUIRE(out.has_value());
    REQUIRE(std::holds_alternative<SessionRow>(*out));
}

const std::string kAsks = "// @secrets A B\n// @network a.example b.example\n// @timeout 60\nprint";

Scope two_rules() {
    Scope out;
    out.description = "scope";
    out.secrets = {"A", "B"};
    out.networks = {network("a.example"), network("b.example")};
    out.rules = {rule("a.example", {"GET", "POST"}), rule("b.example", {"GET"})};
    return out;
}

}  // namespace

TEST_CASE("a session that was widened meanwhile does not touch what it has approved") {
    World world(parallel(1));
    Scope scope = two_rules();
    world.approve(world.submit_scope(scope, "s", "print").id);
    block(world);
    const auto id = world.submit("print", "s").id;
    const Texts before = told_grants(world, id);
    REQUIRE(before.size() == 1);
    Scope more = two_rules();
    more.constraints = {oauth3::policy::compile_constraint("read only"),
                        oauth3::policy::compile_constraint("be nice")};
    more.secrets = {"C"};
    more.networks = {network("c.example")};
    more.rules = {rule("c.example", {"PUT"})};
    more.max_runs = 5;
    world.approve(world.submit_scope(more, "s", "other").id);
    world.approve(world.submit("third", "s").id, Level::session);
    world.outside.release();
    world.wait_for(id, Status::completed);
    CHECK(told_grants(world, id) == before);
    CHECK(world.row(id).grant_digest == before[0]);
}

TEST_CASE("a narrowed session cuts the grants of what waits, and each cut is in the ledger") {
    World world(parallel(1));
    world.approve(world.submit_scope(two_rules(), "s", kAsks).id);
    block(world);
    const auto id = world.submit(kAsks, "s").id;
    const auto plain = world.submit("print", "t").id;
    world.approve(plain);
    REQUIRE(granted(world, id).rules.size() == 2);

    Narrowing to;
    to.rules = std::vector<Rule>{rule("a.example", {"GET"})};
    world.clock.move(Millis(7));
    narrow(world, to);
    CHECK(world.status(id) == Status::approved);
    CHECK(granted(world, id).rules == *to.rules);
    CHECK(world.row(id).grant_digest == oauth3::policy::digest(granted(world, id)));
    const Texts told = told_grants(world, id);
    REQUIRE(told.size() == 2);
    CHECK(told[0] != told[1]);
    CHECK(told[1] == *world.row(id).grant_digest);
    const auto event = [&] {
        for (const auto& each : world.events())
            if (each.action == "request.changed" && each.request_id == id) return each;
        FAIL("nothing was told");
        return oauth3::ledger::Event{};
    }();
    CHECK(event.actor == std::string("agent:") + kTenantId);
    CHECK(event.detail["why"] == "the session was narrowed");
    CHECK(event.detail["from"] == "approved");
    CHECK(event.detail["to"] == "approved");

    // Once more, to none at all; and once for a part that this run does not use.
    to = {};
    to.rules = std::vector<Rule>{};
    narrow(world, to);
    CHECK(granted(world, id).rules.empty());
    CHECK(told_grants(world, id).size() == 3);
    to = {};
    to.max_timeout = Seconds(60);
    to.max_runs = 3;
    narrow(world, to);
    CHECK(told_grants(world, id).size() == 3);
    // What the human approved itself is not the session's to cut.
    CHECK(told_grants(world, plain).size() == 1);

    // It passes the last check with what is left, and fails for another reason.
    world.outside.release();
    world.wait_for(id, Status::failed);
    CHECK(world.row(id).error == kNoNetwork);
    world.wait_for(plain, Status::completed);
}

TEST_CASE("what no longer fits a narrowed session is denied, each with all that is missing") {
    World world(parallel(1));
    world.approve(world.submit_scope(two_rules(), "s", kAsks).id);
    block(world);
    const auto id = world.submit(kAsks, "s").id;
    Narrowing to;
    to.secrets = Texts{"A"};
    to.networks = std::vector<Network>{network("a.example")};
    to.max_timeout = Seconds(59);
    world.changed.clear();
    narrow(world, to);
    CHECK(world.status(id) == Status::denied);
    CHECK(world.row(id).error ==
          "the session was narrowed: new secret: B; new network: b.example; timeout 60 > 59");
    CHECK(world.changed == Texts{id});
    world.outside.release();
    world.loop.run_until([&] { return world.outside.started().size() == 1; });
    CHECK_FALSE(world.row(id).executed_at.has_value());
}

TEST_CASE("a restart between a narrowing and the run changes nothing of either") {
    World world(parallel(1));
    const Scope scope = two_rules();
    world.approve(world.submit_scope(scope, "s", kAsks).id);
    world.approve(world.submit_scope(scope, "s", "print").id);
    block(world);
    const auto cut = world.submit(kAsks, "s").id;
    const auto kept = world.submit("print", "s").id;
    Narrowing to;
    to.rules = std::vector<Rule>{rule("b.example", {"GET"})};
    narrow(world, to);
    const auto digest = world.row(cut).grant_digest;
    world.restart(true);
    CHECK(world.row(cut).grant_digest == digest);
    world.wait_for(kept, Status::completed);
    world.wait_for(cut, Status::failed);
    CHECK(world.row(cut).error == kNoNetwork);
}

TEST_CASE("what a human cuts from an execution is what is granted, told and kept in the session") {
    World world(parallel(1));
    block(world);
    const auto id = world.submit(kAsks, "s").id;
    Decision decision{true, Level::session, ""};
    decision.narrowing = Narrowing{};
    decision.narrowing->secrets = Texts{"A"};
    decision.narrowing->networks = std::vector<Network>{network("a.example")};
    decision.narrowing->rules = std::vector<Rule>{rule("a.example", {"GET"})};
    decision.narrowing->max_timeout = Seconds(5);
    decision.narrowing_text =
        R"({"secrets":["A"],"networks":["a.example"],"rules":[{"host":"a.example","methods":["GET"]}],"max_timeout":5})";
    REQUIRE(world.server->decide(world.owner(), id, decision)->made);
    const Grant grant = granted(world, id);
    CHECK(grant.secrets == Texts{"A"});
    CHECK(oauth3::policy::texts_of(grant.networks) == Texts{"a.example"});
    CHECK(grant.rules == *decision.narrowing->rules);
    CHECK(grant.secret_hosts == oauth3::policy::SecretHosts{{"A", {"a.example"}}});
    CHECK(grant.timeout == Seconds(5));
    CHECK(told_grants(world, id) == Texts{oauth3::policy::digest(grant)});
    const auto session = world.server->session(world.owner(), kTenantId, "s");
    REQUIRE(session.has_value());
    const auto& policy = session->session.policy;
    CHECK(policy.secrets == Texts{"A"});
    CHECK(oauth3::policy::texts_of(policy.networks) == Texts{"a.example"});
    CHECK(policy.rules == *decision.narrowing->rules);
    CHECK(policy.max_timeout == Seconds(5));
    CHECK(world.submit(kAsks, "s").violations ==
          Texts{"new secret: B", "new network: b.example", "timeout 60 > 5"});
    // It is as the human left it when it starts.
    world.outside.release();
    world.wait_for(id, Status::failed);
    CHECK(world.row(id).error == kNoNetwork);
}

TEST_CASE("what is not narrower than the request is refused, and nothing is decided") {
    World world;
    const auto id = world.submit(kAsks, "s").id;
    const auto scope = world.submit_scope(two_rules(), "s", kAsks).id;
    const std::size_t events = world.events().size();
    const auto refused = [&](const std::string& of, const char* field,
                             const std::function<void(Narrowing&)>& change) {
        Decision decision{true, Level::session, ""};
        decision.narrowing = Narrowing{};
        change(*decision.narrowing);
        const auto out = world.server->decide(world.owner(), of, decision);
        CAPTURE(field);
        REQUIRE(out.has_value());
        CHECK_FALSE(out->made);
        REQUIRE(out->not_narrower.has_value());
        CHECK(out->not_narrower->field == field);
        CHECK(world.status(of) == Status::pending);
    };
    for (const std::string& of : {id, scope}) {
        refused(of, "secrets", [](auto& to) { to.secrets = Texts{"A", "C"}; });
        refused(of, "networks", [](auto& to) {
            to.networks = std::vector<Network>{network("a.example"), network("*.b.example")};
        });
        refused(of, "rules", [](auto& to) {
            to.rules = std::vector<Rule>{oauth3::policy::open_rule(network("c.example"))};
        });
        refused(of, "max_timeout", [](auto& to) { to.max_timeout = Seconds(61); });
    }
    refused(scope, "rules", [](auto& to) {
        to.rules = std::vector<Rule>{oauth3::policy::open_rule(network("a.example"))};
    });
    refused(scope, "expires_in", [](auto& to) { to.expires_in = Seconds(24 * 3600 + 1); });
    refused(scope, "code_hashes", [](auto& to) { to.code_hashes = Texts{std::string(64, 'a')}; });
    CHECK(world.events().size() == events);
    CHECK_FALSE(world.server->session(world.owner(), kTenantId, "s").has_value());
    CHECK(world.server->trust(world.owner(), std::nullopt).empty());
}

TEST_CASE("trust is for what a human left of the request") {
    World world;
    const auto id = world.submit("// @secrets A B\nprint").id;
    Decision decision{true, Level::forever, ""};
    decision.narrowing = Narrowing{};
    decision.narrowing->secrets = Texts{"A"};
    decision.narrowing_text = R"({"secrets":["A"]})";
    REQUIRE(world.server->decide(world.owner(), id, decision)->made);
    CHECK(world.server->trust(world.owner(), std::nullopt)[0].secrets == Texts{"A"});
    CHECK(world.submit("// @secrets A B\nprint").status == Status::pending);
}

TEST_CASE("a back-test runs nothing, writes nothing, and sees only executions of the tenant") {
    World world;
    Texts ids;
    for (const char* code : {"print", "other", "// @timeout 61\nprint", "print"})
        ids.push_back(world.submit(code).id);
    world.deny(ids[1], "no");
    world.approve(ids[0]);
    world.wait_for(ids[0], Status::completed);
    ExecuteSubmission foreign;
    foreign.code = "print";
    world.server->submit(world.other_agent(), foreign);
    world.submit_scope(two_rules(), "s");
    Scope scope;
    scope.description = "scope";
    scope.rules = {rule("a.example", {"GET"})};
    scope.networks = {network("a.example")};
    scope.max_runs = 1;
    const auto asked = world.row(world.submit_scope(scope, "s", "print").id);
    world.submit("print");  // later than the scope
    const std::size_t events = world.events().size();
    const auto tested = world.server->backtest(asked, 50);
    REQUIRE(tested.items.size() == 4);
    for (std::size_t i = 0; i < 4; ++i) CHECK(tested.items[i].row.id == ids[3 - i]);
    // Its rule allows any code, however often; only the time is beyond it.
    CHECK(tested.items[0].violations.empty());
    CHECK(tested.items[1].violations == Texts{"timeout 61 > 60"});
    CHECK(tested.items[2].violations.empty());
    CHECK(tested.items[2].denied);
    CHECK(tested.items[3].violations.empty());
    CHECK_FALSE(tested.items[3].denied);
    CHECK(world.server->backtest(asked, 2).items.size() == 2);
    // Of an execution: what would run if it were approved for its session.
    const auto run = world.row(world.submit("other").id);
    const auto code_only = world.server->backtest(run, 50);
    REQUIRE(code_only.items.size() == 5);
    CHECK(code_only.items[3].violations.empty());
    CHECK(code_only.items[4].violations == Texts{"code not approved in this session"});
    CHECK(world.events().size() == events + 1);
    CHECK_FALSE(world.server->session(world.owner(), kTenantId, "s").has_value());
}

namespace {

/// One owner's decisions, revocations and narrowings, clocks that step, and lives of the server, in
/// an order that chance makes.
class Chaos {
  public:
    explicit Chaos(unsigned seed) : random_(seed) {}

    void step() {
        switch (below(14)) {
            case 0:
            case 1:
            case 2:
                ids_.push_back(world_.submit(code(), session()).id);
                break;
            case 3: {
                Scope scope;
                scope.description = "scope";
                scope.max_runs = 3;
                scopes_.push_back(world_.submit_scope(scope, session(), code()).id);
                break;
            }
            case 4:
            case 5:
                decide(scopes_);
                break;
            case 6:
            case 7:
                decide(ids_);
                break;
            case 8:
                world_.clock.move(minutes(below(90) - 40));
                world_.server->tick();
                break;
            case 9:
                world_.server->revoke_session(world_.owner(), kTenantId, session(), "");
                break;
            case 10:
                if (const auto rows = world_.server->trust(world_.owner(), std::nullopt);
                    !rows.empty() && below(2) == 0)
                    world_.server->revoke_trust(world_.owner(), rows[0].id);
                break;
            case 11: {
                Narrowing to;
                to.max_timeout = Seconds(60 - below(40));
                world_.server->narrow_session(world_.agent(), kTenantId, session(), to);
                break;
            }
            case 12:
                if (!ids_.empty()) world_.server->cancel(world_.agent(), ids_[below(ids_.size())]);
                break;
            default:
                if (below(4) == 0) world_.restart(true);
                break;
        }
        if (below(2) == 0) world_.loop.run_ready();
    }

    /// Every request was decided, started and ended at most once; what was revoked or used up
    /// has approved and started nothing since.
    void check() {
        // What was started has then been taken up by a thread, too, and has ended.
        world_.restart(true);
        std::map<std::string, std::map<std::string, int>> count;
        std::map<std::string, Json> approval;             // by request
        std::map<std::string, std::int64_t> used;         // by session, since it began
        std::map<std::string, Json> most;                 // by session
        std::map<std::string, std::int64_t> revoked;      // session or trust, at which event
        std::map<std::string, std::int64_t> approved_at;  // request, at which event
        std::size_t starts = 0;
        for (const auto& event : world_.events()) {
            const std::string id = event.request_id.value_or("");
            if (event.action == "session.created") {
                used[event.detail["session_id"]] = 0;
                revoked.erase(event.detail["session_id"]);
            }
            if (event.detail.contains("policy"))
                most[event.detail["session_id"]] = event.detail["policy"]["max_runs"];
            if (event.action == "session.revoked") revoked[event.detail["session_id"]] = event.seq;
            if (event.action == "trust.created") revoked.erase(event.detail["trust_id"]);
            if (event.action == "trust.revoked") revoked[event.detail["trust_id"]] = event.seq;
            if (!event.action.starts_with("request.")) continue;
            CHECK(++count[id][event.action + event.detail.value("to", "")] == 1);
            if (event.action == "request.decided" && event.detail.contains("by")) {
                approval[id] = event.detail;
                approved_at[id] = event.seq;
                const std::string by = event.detail["by"];
                const std::string what = by == "session"
                                             ? event.detail["session_id"].get<std::string>()
                                             : by.substr(std::string("trust:").size());
                CHECK(revoked.count(what) == 0);
                if (by != "session") continue;
                ++used[what];
                if (!most[what].is_null()) CHECK(used[what] <= most[what].get<std::int64_t>());
            }
            if (event.action != "request.started") continue;
            ++starts;
            if (const auto at = approval.find(id); at != approval.end()) {
                const std::string by = at->second["by"];
                const std::string what = by == "session"
                                             ? at->second["session_id"].get<std::string>()
                                             : by.substr(std::string("trust:").size());
                if (const auto end = revoked.find(what); end != revoked.end())
                    CHECK(end->second < approved_at[id]);
            }
        }
        for (const auto& [id, actions] : count) {
            int decided = 0;
            for (const auto& [action, times] : actions)
                decided += action.starts_with("request.decided") ? times : 0;
            CHECK(decided <= 1);
        }
        CHECK(world_.outside.started().size() == starts);
    }

  private:
    std::size_t below(std::size_t bound) {
        return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
    }
    int below(int bound) { return static_cast<int>(below(static_cast<std::size_t>(bound))); }
    std::string code() { return below(3) == 0 ? "hold" : below(2) == 0 ? "print" : "other"; }
    std::string session() { return below(2) == 0 ? "s" : "t"; }

    void decide(const Texts& of) {
        if (of.empty()) return;
        const std::string& id = of[below(of.size())];
        Decision decision{below(5) != 0, static_cast<Level>(below(4)), ""};
        if (decision.approve) world_.outside.release();
        const auto first = world_.server->decide(world_.owner(), id, decision);
        // Another click, and another human.
        const auto second = world_.server->decide(world_.owner(), id, decision);
        CHECK(first.has_value());
        CHECK_FALSE(second->made);
    }

    std::mt19937 random_;
    World world_{parallel(2)};
    Texts ids_, scopes_;
};

}  // namespace

TEST_CASE(
    "conformance 29: in whatever order things happen, each request is decided once and runs at "
    "most once") {
    for (unsigned seed = 1; seed <= 30; ++seed) {
        CAPTURE(seed);
        Chaos chaos(seed);
        for (int i = 0; i < 80; ++i) chaos.step();
        chaos.check();
    }
}
