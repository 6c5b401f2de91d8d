// The ledger as its owner reads and verifies it (wire 9).

#include "api/paging.h"
#include "api/refusal.h"
#include "api/routes.h"
#include "ledger/chain.h"

namespace oauth3::api {
namespace {

using base::Json;
using orchestrator::Principal;

/// Newest first, and `next` is for `before`. With `after`, or for the story of one request, oldest
/// first, and `next` is for `after`: so a chain is verified while it grows.
http::Reply audit(Service& service, const http::Request& request, const Principal& owner) {
    const std::int64_t limit = page_limit(request);
    store::EventFilter filter;
    filter.before = number_cursor(request, "before");
    filter.after = number_cursor(request, "after");
    filter.tenant_id = request.query_value("tenant");
    filter.request_id = request_cursor(request, "request");
    filter.limit = limit + 1;  // one more tells whether there is a next page
    auto events = service.orchestrator().events(owner, filter);
    const bool more = cut_page(events, limit);
    Json items = Json::array();
    for (const ledger::Event& event : events) items.push_back(ledger::to_json(event));
    return json_response(200, {{"events", std::move(items)},
                               {"next", more ? Json(std::to_string(events.back().seq)) : Json()}});
}

}  // namespace

void add_audit_routes(Service& service, std::vector<Endpoint>& table) {
    table.push_back({"GET", "/audit", Auth::owner,
                     [&service](const auto& r, auto who) { return audit(service, r, *who); }});
}

}  // namespace oauth3::api
