// The routes of the human's tools: list, show, decide (wire 7.3, 7.4).

#include "api/body.h"
#include "api/decision.h"
#include "api/paging.h"
#include "api/refusal.h"
#include "api/render.h"
#include "api/routes.h"
#include "policy/status.h"

#include <algorithm>

namespace oauth3::api {
namespace {

using base::Json;
using orchestrator::Principal;

/// A row holds all that was asked, arguments too, of which a list shows nothing.
constexpr std::int64_t kRowsAtOnce = 20;

/// How many executions a back-test looks at, unless it is told, and at most.
constexpr std::int64_t kBacktested = 50;
constexpr std::int64_t kMostBacktested = 500;

http::Reply list(Service& service, const http::Request& request, const Principal& owner) {
    store::ListFilter filter;
    if (const auto text = request.query_value("status")) {
        filter.status = policy::parse_status(*text);
        if (!filter.status) throw bad_field("status", "There is no such status.");
    }
    filter.tenant_id = request.query_value("tenant");
    filter.before = request_cursor(request, "before");
    std::int64_t left = page_limit(request);
    Json items = Json::array();
    Json next;
    while (left > 0) {
        const std::int64_t some = std::min(left, kRowsAtOnce);
        filter.limit = some + 1;  // one more tells whether there are more
        auto rows = service.orchestrator().list(owner, filter);
        const bool more = cut_page(rows, some);
        for (const store::RequestRow& row : rows) items.push_back(summary_json(service, row));
        if (!more) {
            next = nullptr;
            break;
        }
        next = rows.back().id;
        filter.before = rows.back().id;
        left -= some;
    }
    return json_response(200, {{"requests", std::move(items)}, {"next", std::move(next)}});
}

http::Reply show(Service& service, const http::Request& request, const Principal& owner) {
    const auto row = service.orchestrator().find(owner, request.params.at(0));
    if (!row) throw not_found();
    return json_response(200, request_json(service, *row));
}

/// The owner API: a second decision is an error that says what was decided.
http::Reply decide(Service& service, const http::Request& request, const Principal& owner) {
    const auto row = service.orchestrator().find(owner, request.params.at(0));
    if (!row) throw not_found();
    const auto done =
        service.orchestrator().decide(owner, row->id, read_decision(Body(request), row->kind));
    if (!done) throw not_found();
    if (done->session_changed) throw session_changed();
    if (done->not_narrower) throw not_narrower(done->not_narrower->field);
    if (!done->made)
        throw Refusal(409, "already_decided", "The request was decided already.", {},
                      {{"status", status_word(done->row)}});
    return json_response(200, decided_json(*done));
}

/// Which of the tenant's last executions the request would have let through.
http::Reply backtest(Service& service, const http::Request& request, const Principal& owner) {
    const Body body(request);
    const auto row = service.orchestrator().find(owner, request.params.at(0));
    if (!row) throw not_found();
    const auto limit = std::min(body.whole("limit", 1).value_or(kBacktested), kMostBacktested);
    const auto tested = service.orchestrator().backtest(*row, limit);
    Json allowed = Json::array();
    Json refused = Json::array();
    std::size_t denied = 0;
    for (const auto& item : tested.items) {
        Json entry{{"request_id", item.row.id},
                   {"skill_id", item.row.skill_id},
                   {"code_hash", item.row.code_hash ? Json(*item.row.code_hash) : Json()},
                   {"created_at", base::to_millis(item.row.created_at)},
                   {"status", status_word(item.row)},
                   {"state", policy::to_string(item.row.status)},
                   {"denied_by_human", item.denied}};
        if (item.violations.empty()) {
            denied += item.denied ? 1U : 0U;
            allowed.push_back(std::move(entry));
        } else {
            entry["policy_violations"] = item.violations;
            refused.push_back(std::move(entry));
        }
    }
    return json_response(200, {{"request_id", row->id},
                               {"considered", tested.items.size()},
                               {"would_allow", std::move(allowed)},
                               {"would_allow_denied", denied},
                               {"would_refuse", std::move(refused)}});
}

}  // namespace

void add_owner_routes(Service& service, std::vector<Endpoint>& table) {
    table.push_back({"GET", "/requests", Auth::owner,
                     [&service](const auto& r, auto who) { return list(service, r, *who); }});
    table.push_back({"GET", "/requests/:id", Auth::owner,
                     [&service](const auto& r, auto who) { return show(service, r, *who); }});
    table.push_back({"POST", "/requests/:id/backtest", Auth::owner,
                     [&service](const auto& r, auto who) { return backtest(service, r, *who); }});
    table.push_back({"POST", "/requests/:id/decision", Auth::owner,
                     [&service](const auto& r, auto who) { return decide(service, r, *who); }});
}

}  // namespace oauth3::api
