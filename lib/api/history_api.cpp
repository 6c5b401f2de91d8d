// What was asked for and what became of it (wire 9).

#include "api/paging.h"
#include "api/refusal.h"
#include "api/render.h"
#include "api/routes.h"

namespace oauth3::api {
namespace {

using base::Json;
using orchestrator::Principal;

http::Reply history(Service& service, const http::Request& request, const Principal& who) {
    const std::int64_t limit = page_limit(request);
    store::ListFilter filter;
    filter.before = request_cursor(request, "before");
    filter.tenant_id = request.query_value("tenant");
    filter.limit = limit + 1;  // one more tells whether there is a next page
    auto rows = service.orchestrator().history(who, filter);
    const bool more = cut_page(rows, limit);
    Json items = Json::array();
    for (const store::HistoryRow& row : rows) items.push_back(history_json(row));
    return json_response(
        200, {{"executions", std::move(items)}, {"next", more ? Json(rows.back().id) : Json()}});
}

}  // namespace

void add_history_routes(Service& service, std::vector<Endpoint>& table) {
    table.push_back({"GET", "/history", Auth::agent_or_owner,
                     [&service](const auto& r, auto who) { return history(service, r, *who); }});
}

}  // namespace oauth3::api
