#include "e2e/route_table.h"

#include "e2e/process.h"

namespace oauth3::e2e {

std::string Route::id_kind() const {
    if (pattern.find(":id") == std::string::npos) return "";
    if (pattern.find("session") != std::string::npos) return "session";
    if (pattern.rfind("/keys/", 0) == 0) return "key";
    return "request";
}

std::string Route::path(const std::string& id) const {
    std::string out = pattern;
    const std::size_t at = out.find(":id");
    return at == std::string::npos ? out : out.replace(at, 3, id);
}

std::vector<Route> all_routes() {
    const Folder folder;
    store::Database database(folder.path());
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
    config.base_url = "http://127.0.0.1:1";
    const api::Service service({life, access, accounts, logins, replays, clock}, config);
    std::vector<Route> out;
    for (const api::Endpoint& endpoint : service.endpoints())
        out.push_back({endpoint.method, endpoint.pattern, endpoint.auth, endpoint.takes_forms});
    return out;
}

}  // namespace oauth3::e2e
