// Code that runs again without asking: list, revoke (wire 6.2).

#include "api/refusal.h"
#include "api/render.h"
#include "api/routes.h"

namespace oauth3::api {
namespace {

using base::Json;
using orchestrator::Principal;

http::Reply list(Service& service, const http::Request& request, const Principal& who) {
    Json items = Json::array();
    for (const auto& row : service.orchestrator().trust(who, request.query_value("tenant")))
        items.push_back(trust_json(row));
    return json_response(200, {{"trust", std::move(items)}});
}

http::Reply revoke(Service& service, const http::Request& request, const Principal& who) {
    const auto row = service.orchestrator().revoke_trust(who, request.params.at(0));
    if (!row) throw not_found();
    return json_response(200, {{"deleted", true}, {"id", row->id}});
}

}  // namespace

void add_trust_routes(Service& service, std::vector<Endpoint>& table) {
    table.push_back({"GET", "/trust", Auth::agent_or_owner,
                     [&service](const auto& r, auto who) { return list(service, r, *who); }});
    table.push_back({"DELETE", "/trust/:id", Auth::agent_or_owner,
                     [&service](const auto& r, auto who) { return revoke(service, r, *who); }});
}

}  // namespace oauth3::api
