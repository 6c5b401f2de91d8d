#include "orchestrator/world.h"

#include "store/principals.h"
#include "support/catch.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <csignal>

namespace oauth3::test {

namespace {
constexpr const char* kOtherOwner = "owner_0000000000000002";
constexpr const char* kOtherTenant = "tenant_0000000000000002";
}  // namespace

void Loop::post(std::function<void()> work) {
    {
        const std::lock_guard lock(mutex_);
        work_.push_back(std::move(work));
    }
    wake_.notify_one();
}

bool Loop::run_one(bool wait) {
    std::function<void()> work;
    {
        std::unique_lock lock(mutex_);
        if (wait) wake_.wait(lock, [this] { return !work_.empty(); });
        if (work_.empty()) return false;
        work = std::move(work_.front());
        work_.pop_front();
    }
    work();
    return true;
}

void Loop::run_ready() {
    while (run_one(false)) {
    }
}

void Loop::run_until(const std::function<bool()>& done) {
    run_ready();
    while (!done()) run_one(true);
}

Outside::Outside() : gate_(::eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE)) {}

void Outside::release(unsigned count) {
    const std::uint64_t add = count;
    REQUIRE(::write(gate_.get(), &add, sizeof add) == sizeof add);
}

std::vector<std::string> Outside::started() {
    const std::lock_guard lock(mutex_);
    return started_;
}

runtime::Outcome Outside::run(const runtime::Job& job, const jail::StopSignal& stop) {
    {
        const std::lock_guard lock(mutex_);
        started_.push_back(job.code);
        most_ = std::max<int>(most_, ++now_);
    }
    struct Leave {
        std::atomic<int>& now;
        ~Leave() { --now; }
    } leave{now_};
    if (job.code.starts_with("throw")) throw base::SystemError(EMFILE, "pipe2");
    if (job.code.starts_with("hold")) {
        for (;;) {
            std::array<pollfd, 2> both{{{stop.fd(), POLLIN, 0}, {gate_.get(), POLLIN, 0}}};
            ::poll(both.data(), both.size(), -1);
            if (stop.stop_requested()) {
                runtime::Outcome out;
                out.cause = runtime::Cause::cancelled;
                out.signal = SIGKILL;
                out.exit_code = 128 + SIGKILL;
                return out;
            }
            // Another run may have been faster, so never wait here.
            pollfd gate{gate_.get(), POLLIN, 0};
            std::uint64_t one = 0;
            const std::lock_guard lock(mutex_);
            if (::poll(&gate, 1, 0) == 1 && ::read(gate_.get(), &one, sizeof one) > 0) break;
        }
    }
    if (const auto it = outcomes.find(job.code); it != outcomes.end()) return it->second;
    runtime::Outcome out;
    out.cause = runtime::Cause::finished;
    out.exit_code = 0;
    out.out = job.code;
    return out;
}

World::World(orchestrator::Settings settings) : settings_(settings) {
    database = std::make_unique<store::Database>(folder.path() / "data");
    store::Principals principals(*database);
    {
        store::Transaction tx(*database);
        principals.add_owner(tx, {owner_, "owner", true, kStart});
        principals.add_tenant(tx, {tenant_, owner_, "agent", std::nullopt, kStart});
        principals.add_owner(tx, {kOtherOwner, "other", false, kStart});
        principals.add_tenant(tx, {kOtherTenant, kOtherOwner, "other", std::nullopt, kStart});
        tx.commit();
    }
    start();
}

World::~World() {
    outside.release(1000);
    server->shut_down();
    loop.run_ready();
    CHECK(contradictions(*database) == std::vector<std::string>{});
}

void World::start() {
    server = std::make_unique<orchestrator::Orchestrator>(
        *database, clock,
        [this](const runtime::Job& job, const jail::StopSignal& stop) {
            return outside.run(job, stop);
        },
        orchestrator::Hooks{[this](std::function<void()> work) { loop.post(std::move(work)); },
                            [this](const std::string& id) { changed.push_back(id); }},
        settings_);
    server->recover();
}

void World::restart(bool orderly) {
    if (orderly) server->shut_down();
    loop.run_ready();
    server.reset();
    database.reset();
    database = std::make_unique<store::Database>(folder.path() / "data");
    CHECK(contradictions(*database) == std::vector<std::string>{});
    start();
}

orchestrator::Principal World::other_agent() const {
    return {orchestrator::Role::agent, "k", kOtherOwner, kOtherTenant};
}

orchestrator::Principal World::other_owner() const {
    return {orchestrator::Role::owner, "k", kOtherOwner, ""};
}

store::RequestRow World::submit(const std::string& code, const std::string& session,
                                const base::Json& args) {
    auto parsed = skill::parse(code);
    REQUIRE(std::holds_alternative<skill::Declaration>(parsed));
    orchestrator::ExecuteSubmission submission;
    submission.skill_id = "skill";
    submission.code = code;
    submission.declaration = std::get<skill::Declaration>(std::move(parsed));
    submission.secrets = submission.declaration.secrets;
    submission.args = args;
    if (!session.empty()) submission.session_id = session;
    auto result = server->submit(agent(), submission);
    REQUIRE(std::holds_alternative<orchestrator::Submitted>(result));
    return std::get<orchestrator::Submitted>(std::move(result)).row;
}

store::RequestRow World::submit_scope(const policy::Scope& scope, const std::string& session,
                                      const std::optional<std::string>& code) {
    orchestrator::ScopeSubmission submission;
    submission.scope = scope;
    submission.code = code;
    if (!session.empty()) submission.session_id = session;
    auto result = server->submit(agent(), submission);
    REQUIRE(std::holds_alternative<orchestrator::Submitted>(result));
    return std::get<orchestrator::Submitted>(std::move(result)).row;
}

orchestrator::Decided World::approve(const std::string& id, orchestrator::Level level) {
    auto decided = server->decide(owner(), id, {true, level, ""});
    REQUIRE(decided.has_value());
    return std::move(*decided);
}

orchestrator::Decided World::deny(const std::string& id, const std::string& reason) {
    auto decided = server->decide(owner(), id, {false, orchestrator::Level::once, reason});
    REQUIRE(decided.has_value());
    return std::move(*decided);
}

store::RequestRow World::row(const std::string& id) {
    auto found = store::Requests(*database).find(id);
    REQUIRE(found.has_value());
    return std::move(*found);
}

void World::wait_for(const std::string& id, policy::Status wanted) {
    loop.run_until([&] {
        const policy::Status now = status(id);
        return now == wanted || policy::is_final(now);
    });
    CHECK(status(id) == wanted);
}

void World::sql(const std::string& text) {
    database->sqlite().exec(text);
}

std::vector<ledger::Event> World::events() {
    return chain_of(*database, owner_);
}

}  // namespace oauth3::test
