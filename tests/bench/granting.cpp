// oauth3_granting FOLDER
// Policy: the time of one fit against a session of 50 rules, and the time from a submission to its
// durable grant with 10,000 living sessions in the store, which is made in FOLDER. Neither has
// another side to be measured against, so the medians themselves are printed.

#include "base/crypto.h"
#include "base/error.h"
#include "bench/bench.h"
#include "orchestrator/orchestrator.h"
#include "policy/fit.h"
#include "skill/declaration.h"
#include "store/principals.h"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace {

using namespace oauth3;

constexpr int kRules = 50;
constexpr int kSessions = 10'000;
constexpr int kBatches = 301;

policy::Rule rule(const std::string& host, const std::string& path) {
    return {base::parse_network(host).network,
            policy::Methods::only({"GET", "HEAD"}),
            {std::get<policy::PathPattern>(policy::PathPattern::parse(path))}};
}

/// Microseconds of one fit, where all rules are for the host that is asked for, or each for its
/// own.
double time_of_fit(bool one_host) {
    policy::Scope scope;
    scope.constraints = {policy::compile_constraint("read only")};
    scope.secrets = {"GH_TOKEN"};
    policy::Ask ask;
    ask.code_hash = std::string(64, 'a');
    ask.args = {{"REPO", "owner/name"}, {"LIMIT", 10}};
    ask.secrets = {"GH_TOKEN"};
    for (int i = 0; i < kRules; ++i) {
        const std::string host = one_host ? "api.github.com" : fmt::format("h{}.example.org", i);
        scope.networks.push_back(*base::parse_network(host).network);
        scope.rules.push_back(rule(host, fmt::format("/repos/owner/name{}/issues/**", i)));
    }
    ask.networks = {scope.networks.back()};
    scope.code_hash = ask.code_hash;
    const base::Time now = base::from_millis(1'767'225'600'000);
    const policy::Session session = policy::approve_scope(std::nullopt, scope, now);

    constexpr int kAtOnce = 200;
    std::vector<double> times;
    for (int batch = 0; batch < kBatches; ++batch) {
        const double begin = bench::now();
        for (int i = 0; i < kAtOnce; ++i)
            if (!std::holds_alternative<policy::Grant>(policy::fit(session, ask, now)))
                throw base::Error("failed", "the request does not fit");
        times.push_back((bench::now() - begin) / kAtOnce * 1e6);
    }
    return bench::median(times);
}

class World {
  public:
    explicit World(const std::string& folder)
        : database_(folder),
          server_(database_, clock_,
                  [](const runtime::Job&, const jail::StopSignal&) {
                      runtime::Outcome out;
                      out.cause = runtime::Cause::finished;
                      return out;
                  },
                  // What runs is not measured: it waits here for ever.
                  {[](std::function<void()>) {}, [](const std::string&) {}},
                  {.max_pending = kSessions + 1}) {
        store::Principals principals(database_);
        store::Transaction tx(database_);
        principals.add_owner(tx, {owner_.owner_id, "owner", true, clock_.now()});
        principals.add_tenant(
            tx, {agent_.tenant_id, owner_.owner_id, "agent", std::nullopt, clock_.now()});
        tx.commit();
    }

    void fill() {
        orchestrator::ScopeSubmission scope;
        scope.scope.description = "Read the issues of one repository";
        scope.scope.constraints = {policy::compile_constraint("read only")};
        scope.scope.rules = {rule("api.github.com", "/repos/owner/name/issues/**")};
        scope.code = kCode;
        // Many at a time: that they are durable is measured below, not here.
        constexpr int kTogether = 500;
        for (int i = 0; i < kSessions; i += kTogether) {
            store::Transaction tx(database_);
            for (int k = i; k < i + kTogether; ++k) {
                scope.session_id = fmt::format("session-{}", k);
                const auto made = std::get<orchestrator::Submitted>(server_.submit(agent_, scope));
                orchestrator::Decision yes;
                yes.approve = true;
                server_.decide(owner_, made.row.id, yes);
            }
            tx.commit();
        }
    }

    /// Milliseconds from the submission to its grant.
    double submit(int session) {
        orchestrator::ExecuteSubmission run;
        run.skill_id = "bench";
        run.code = kCode;
        run.session_id = fmt::format("session-{}", session);
        const double begin = bench::now();
        const auto outcome = server_.submit(agent_, run);
        const double spent = (bench::now() - begin) * 1000;
        if (std::get<orchestrator::Submitted>(outcome).row.status != policy::Status::approved)
            throw base::Error("failed", "the request was not granted");
        return spent;
    }

  private:
    static constexpr const char* kCode = "console.log('hello')\n";
    base::SystemClock clock_;
    orchestrator::Principal owner_{orchestrator::Role::admin, {}, base::make_id("owner_"), {}};
    orchestrator::Principal agent_{
        orchestrator::Role::agent, {}, owner_.owner_id, base::make_id("tenant_")};
    store::Database database_;
    orchestrator::Orchestrator server_;
};

void measure(const std::string& folder) {
    for (const bool one_host : {true, false})
        bench::print_row({.name = fmt::format("fit, {} rules for {}", kRules,
                                              one_host ? "one host" : "50 hosts"),
                          .first = fmt::format("{:.2f} us", time_of_fit(one_host)),
                          .second = "",
                          .figure = time_of_fit(one_host),
                          .unit = "us",
                          .target = 5});
    World world(folder);
    world.fill();
    std::vector<double> times;
    for (int i = 0; i < kBatches; ++i) times.push_back(world.submit((i * 7919) % kSessions));
    bench::print_row({.name = fmt::format("submit to grant, {} sessions", kSessions),
                      .first = fmt::format("{:.3f} ms", bench::median(times)),
                      .second = fmt::format("p99 {:.2f} ms", bench::quantile(times, 0.99)),
                      .figure = bench::median(times),
                      .unit = "ms",
                      .target = 2});
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        fmt::print(stderr, "usage: oauth3_granting FOLDER\n");
        return 2;
    }
    try {
        measure(argv[1]);
    } catch (const std::exception& e) {
        fmt::print(stderr, "oauth3_granting: {}\n", e.what());
        return 1;
    }
    return 0;
}
