#include "api/session_lookup.h"

#include "api/refusal.h"

namespace oauth3::api {
namespace {

std::string tenant_of(Service& service, const orchestrator::Principal& who, const std::string& id,
                      const std::optional<std::string>& named) {
    if (who.is_agent()) return who.tenant_id;
    if (named && !named->empty()) return *named;
    const auto tenants = service.orchestrator().tenants_with_session(who, id);
    if (tenants.empty()) throw not_found();
    if (tenants.size() > 1)
        throw Refusal(400, "tenant_required", "More than one agent has a session of that name.",
                      "Name the agent: add ?tenant=<tenant_id>.");
    return tenants.front();
}

}  // namespace

store::SessionRow find_session(Service& service, const orchestrator::Principal& who,
                               const std::string& id, const std::optional<std::string>& tenant) {
    auto row = service.orchestrator().session(who, tenant_of(service, who, id, tenant), id);
    if (!row) throw not_found();
    return std::move(*row);
}

}  // namespace oauth3::api
