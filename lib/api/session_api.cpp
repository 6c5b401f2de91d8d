// Sessions: list, show, narrow, revoke (wire 6.3).

#include "api/body.h"
#include "api/refusal.h"
#include "api/render.h"
#include "api/routes.h"
#include "api/session_lookup.h"
#include "base/utf8.h"
#include "policy/reading.h"

#include <fmt/format.h>

namespace oauth3::api {
namespace {

using base::Json;
using orchestrator::Principal;

constexpr std::size_t kMaxReason = 1000;

http::Reply list(Service& service, const http::Request& request, const Principal& who) {
    const base::Time now = service.clock().now();
    Json items = Json::array();
    for (const auto& row : service.orchestrator().sessions(who, request.query_value("tenant")))
        items.push_back(session_json(row, now));
    return json_response(200, {{"sessions", std::move(items)}});
}

http::Reply show(Service& service, const http::Request& request, const Principal& who) {
    const auto row =
        find_session(service, who, request.params.at(0), request.query_value("tenant"));
    return json_response(200, session_json(row, service.clock().now()));
}

http::Reply revoke(Service& service, const http::Request& request, const Principal& who) {
    const Body body(request);
    const std::string reason = body.text("reason").value_or("");
    if (base::utf8_length(reason) > kMaxReason)
        throw bad_field("reason", "\"reason\" takes at most 1000 characters.");
    const auto row = find_session(service, who, request.params.at(0), body.named_tenant(request));
    if (!service.orchestrator().revoke_session(who, row.tenant_id, row.id, reason))
        throw not_found();
    return json_response(200, {{"deleted", true}, {"session_id", row.id}});
}

http::Reply narrow(Service& service, const http::Request& request, const Principal& who) {
    const Body body(request);
    // Before the body is looked at: nobody learns by its errors that a session exists.
    const auto row = find_session(service, who, request.params.at(0), body.named_tenant(request));
    const auto outcome = service.orchestrator().narrow_session(who, row.tenant_id, row.id,
                                                               policy::read_narrowing(body));
    if (!outcome) throw not_found();
    if (const auto* problem = std::get_if<policy::NotNarrower>(&*outcome))
        throw not_narrower(problem->field);
    return json_response(
        200, session_json(std::get<store::SessionRow>(*outcome), service.clock().now()));
}

}  // namespace

void add_session_routes(Service& service, std::vector<Endpoint>& table) {
    table.push_back({"GET", "/sessions", Auth::agent_or_owner,
                     [&service](const auto& r, auto who) { return list(service, r, *who); }});
    table.push_back({"GET", "/sessions/:id", Auth::agent_or_owner,
                     [&service](const auto& r, auto who) { return show(service, r, *who); }});
    table.push_back({"DELETE", "/sessions/:id", Auth::agent_or_owner,
                     [&service](const auto& r, auto who) { return revoke(service, r, *who); }});
    table.push_back({"POST", "/sessions/:id/narrow", Auth::agent_or_owner,
                     [&service](const auto& r, auto who) { return narrow(service, r, *who); }});
}

}  // namespace oauth3::api
