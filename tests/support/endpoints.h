#pragma once

#include "api/service.h"
#include "support/temporary_folder.h"

#include <string>
#include <vector>

namespace oauth3::test {

/// The server's own table of routes, without a server: what tests make of it covers a new route by
/// its being there. The handlers must not be called.
inline std::vector<api::Endpoint> endpoints(const std::string& base_url = "http://127.0.0.1:1") {
    const TemporaryFolder folder;
    store::Database database(folder.path() / "data");
    const base::SystemClock clock;
    orchestrator::Access access(database, base::SecretString(std::string(32, 'k')));
    orchestrator::Accounts accounts(database, clock);
    orchestrator::Logins logins(database, access, clock);
    orchestrator::Replays replays(database, clock);
    orchestrator::Orchestrator life(
        database, clock,
        [](const runtime::Job&, const jail::StopSignal&) { return runtime::Outcome(); },
        {[](const std::function<void()>&) {}, [](const std::string&) {}}, {});
    api::Config config;
    config.base_url = base_url;
    const api::Service service({life, access, accounts, logins, replays, clock}, config);
    return service.endpoints();
}

}  // namespace oauth3::test
