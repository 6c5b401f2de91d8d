// A second opinion can only take away: whatever the reviewer says, nothing runs that would not run
// without it.
#include "base/json.h"
#include "orchestrator/world.h"
#include "store/trust.h"
#include "support/catch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <mutex>

using namespace oauth3;
using namespace oauth3::test;
using notify::Opinion;
using notify::Verdict;
using orchestrator::Level;
using policy::Status;

namespace {

/// A reviewer that is told what to say of each program, and tells what it was asked. Of what it was
/// told nothing it says that it has no objection.
class Reviewer {
  public:
    Opinion review(const std::string& request, const jail::StopSignal& stop) {
        std::string code;
        {
            const std::lock_guard lock(mutex_);
            asked_.push_back(base::parse_json(request));
            if (asked_.back().at("code").is_string()) code = asked_.back().at("code");
            wake_.notify_all();
        }
        std::array<pollfd, 2> either{{{stop.fd(), POLLIN, 0}, {go_.get(), POLLIN, 0}}};
        ::poll(either.data(), either.size(), -1);
        const auto said = says.find(code);
        if (said == says.end()) return {Verdict::no_objection, "", false};
        if (said->second.reason == "throw") throw std::runtime_error("out of memory");
        return said->second;
    }
    std::vector<base::Json> asked() {
        const std::lock_guard lock(mutex_);
        return asked_;
    }
    void wait_until_asked(std::size_t times) {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return asked_.size() >= times; });
    }
    /// Lets it think until it is let go.
    void hold(bool on) {
        std::uint64_t one = 1;
        if (on)
            REQUIRE(::read(go_.get(), &one, sizeof one) == sizeof one);
        else
            REQUIRE(::write(go_.get(), &one, sizeof one) == sizeof one);
    }
    orchestrator::Settings settings() {
        orchestrator::Settings out;
        out.reviewer = [this](const std::string& request, const jail::StopSignal& stop) {
            return review(request, stop);
        };
        return out;
    }
    std::map<std::string, Opinion> says;

  private:
    std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<base::Json> asked_;
    base::Fd go_{::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK)};  ///< readable while it may answer
};

/// Waits for the opinion on a request, whatever it is.
void wait_for_review(World& world, const std::string& id) {
    world.loop.run_until([&] { return world.row(id).review.has_value(); });
}

/// A session in which "known" may run, also by trust.
void begin_session(World& world, Level level = Level::session) {
    const auto first = world.submit("known", "s");
    wait_for_review(world, first.id);
    CHECK(world.status(first.id) == Status::pending);
    REQUIRE(world.approve(first.id, level).made);
    world.wait_for(first.id, Status::completed);
}

}  // namespace

TEST_CASE("what the session allows runs once the reviewer has no objection, and not before") {
    Reviewer reviewer;
    World world(reviewer.settings());
    begin_session(world);
    reviewer.hold(true);
    const auto asked = reviewer.asked().size();
    const auto second = world.submit("known", "s");
    CHECK(second.status == Status::pending);
    reviewer.wait_until_asked(asked + 1);
    world.loop.run_ready();
    CHECK(world.status(second.id) == Status::pending);
    reviewer.hold(false);
    world.wait_for(second.id, Status::completed);
    CHECK(world.row(second.id).authority == orchestrator::kSession);
    const base::Json told = reviewer.asked().back();
    CHECK(told.at("request_id") == second.id);
    CHECK(told.at("would_auto_approve") == true);
    CHECK(told.at("session_exists") == true);
    CHECK(told.at("code") == "known");
    CHECK(told.at("args") == base::Json::object());
}

TEST_CASE("no objection approves nothing that asks a human anyway") {
    Reviewer reviewer;
    World world(reviewer.settings());
    begin_session(world);
    const auto other = world.submit("other", "s");
    wait_for_review(world, other.id);
    CHECK(world.status(other.id) == Status::pending);
    policy::Scope scope;
    scope.description = "d";
    const auto asked = world.submit_scope(scope, "s");
    wait_for_review(world, asked.id);
    CHECK(world.status(asked.id) == Status::pending);
    CHECK(world.outside.started() == std::vector<std::string>{"known"});
}

TEST_CASE("whom the reviewer wants to be asked waits for a human, who may still say yes") {
    Reviewer reviewer;
    reviewer.says["known"] = {Verdict::ask, "looks odd", false};
    for (const Level level : {Level::session, Level::forever}) {
        World world(reviewer.settings());
        begin_session(world, level);
        const auto second = world.submit("known", "s");
        wait_for_review(world, second.id);
        CHECK(world.status(second.id) == Status::pending);
        CHECK(world.row(second.id).review->at("reason") == "looks odd");
        CHECK(world.approve(second.id).made);
        world.wait_for(second.id, Status::completed);
        CHECK(world.row(second.id).authority == world.owner().actor());
    }
}

TEST_CASE("what the reviewer denies is denied, whoever trusts it") {
    Reviewer reviewer;
    World world(reviewer.settings());
    begin_session(world, Level::forever);
    reviewer.says["known"] = {Verdict::deny, "reads\x1b[2J too much", false};
    const auto second = world.submit("known", "other");
    world.wait_for(second.id, Status::denied);
    const auto row = world.row(second.id);
    CHECK(row.error == "denied by the reviewer: reads<U+001B>[2J too much");
    CHECK(row.authority == "review");
    CHECK_FALSE(world.approve(second.id).made);
    CHECK(world.outside.started().size() == 1);
    policy::Scope scope;
    scope.description = "d";
    const auto asked = world.submit_scope(scope, "s", "known");
    world.wait_for(asked.id, Status::denied);
    // It is no human's denial.
    const auto tested = world.server->backtest(world.row(asked.id), 10);
    for (const auto& item : tested.items) CHECK_FALSE(item.denied);
}

TEST_CASE("a reviewer that cannot be asked means ask") {
    Reviewer reviewer;
    World world(reviewer.settings());
    begin_session(world);
    reviewer.says["known"] = {Verdict::ask, "throw", false};
    const auto second = world.submit("known", "s");
    wait_for_review(world, second.id);
    CHECK(world.status(second.id) == Status::pending);
    CHECK(world.row(second.id).review->at("failed") == true);
}

TEST_CASE("a human who is faster than the reviewer has decided") {
    Reviewer reviewer;
    World world(reviewer.settings());
    begin_session(world);
    reviewer.says["known"] = {Verdict::deny, "no", false};
    reviewer.hold(true);
    const auto asked = reviewer.asked().size();
    const auto second = world.submit("known", "s");
    reviewer.wait_until_asked(asked + 1);
    CHECK(world.approve(second.id).made);
    world.wait_for(second.id, Status::completed);
    reviewer.hold(false);
    world.loop.run_next();
    world.loop.run_ready();
    CHECK(world.status(second.id) == Status::completed);
    CHECK_FALSE(world.row(second.id).review.has_value());
}

TEST_CASE("while the reviewer thinks, the session may end or be used up") {
    Reviewer reviewer;
    World world(reviewer.settings());
    begin_session(world);
    reviewer.hold(true);
    const auto asked = reviewer.asked().size();
    const auto second = world.submit("known", "s");
    reviewer.wait_until_asked(asked + 1);
    const auto tenant = world.agent().tenant_id;
    REQUIRE(world.server->revoke_session(world.owner(), tenant, "s", ""));
    reviewer.hold(false);
    wait_for_review(world, second.id);
    CHECK(world.status(second.id) == Status::pending);
    CHECK(world.outside.started().size() == 1);
}

TEST_CASE("only as many runs as the session has are approved, however many are in review") {
    Reviewer reviewer;
    World world(reviewer.settings());
    policy::Scope scope;
    scope.description = "d";
    scope.max_runs = 2;
    const auto asked = world.submit_scope(scope, "s", "known");
    wait_for_review(world, asked.id);
    REQUIRE(world.approve(asked.id).made);
    reviewer.hold(true);
    std::vector<std::string> ids;
    for (int i = 0; i < 10; ++i) ids.push_back(world.submit("known", "s").id);
    reviewer.hold(false);
    int approved = 0;
    for (const std::string& id : ids) {
        wait_for_review(world, id);
        approved += world.status(id) == Status::pending ? 0 : 1;
    }
    CHECK(approved == 2);
}

TEST_CASE("what was not reviewed before a restart is reviewed after it") {
    Reviewer reviewer;
    World world(reviewer.settings());
    begin_session(world);
    reviewer.hold(true);
    const auto asked = reviewer.asked().size();
    const auto second = world.submit("known", "s");
    reviewer.wait_until_asked(asked + 1);
    world.restart(true);
    CHECK(world.status(second.id) == Status::pending);
    CHECK_FALSE(world.row(second.id).review.has_value());
    reviewer.hold(false);
    world.wait_for(second.id, Status::completed);
    CHECK(world.row(second.id).authority == orchestrator::kSession);
}

TEST_CASE("whoever finds too many requests in review is sent to the human") {
    Reviewer reviewer;
    auto settings = reviewer.settings();
    settings.max_pending = 200;
    World world(settings);
    reviewer.hold(true);
    std::vector<std::string> ids;
    for (int i = 0; i < 60; ++i) ids.push_back(world.submit("code", "s").id);
    world.loop.run_ready();
    int failed = 0;
    for (const std::string& id : ids)
        if (const auto review = world.row(id).review) failed += review->at("failed") == true;
    CHECK(failed >= 60 - 52);
    reviewer.hold(false);
    for (const std::string& id : ids) wait_for_review(world, id);
    CHECK(world.status(ids.front()) == Status::pending);
}

TEST_CASE("what is in review counts among the requests that wait") {
    Reviewer reviewer;
    auto settings = reviewer.settings();
    settings.max_pending = 3;
    World world(settings);
    begin_session(world);
    reviewer.hold(true);
    orchestrator::ExecuteSubmission run;
    run.skill_id = "x";
    run.code = "known";
    run.session_id = "s";
    int refused = 0;
    for (int i = 0; i < 5; ++i)
        refused += std::holds_alternative<orchestrator::TooManyPending>(
                       world.server->submit(world.agent(), run))
                       ? 1
                       : 0;
    CHECK(refused == 2);
    reviewer.hold(false);
    world.loop.run_ready();
}
