// The owner's overview of all its agents (wire 9).

#include "api/pages/frame.h"
#include "api/pages/lists.h"
#include "api/pages/parts.h"
#include "api/pages/routes.h"
#include "api/paging.h"
#include "http/form.h"
#include "web_files.h"

namespace oauth3::api::pages {
namespace {

using policy::Status;

constexpr std::int64_t kMostWaiting = 100;
constexpr std::int64_t kHistoryRows = 20;
constexpr std::int64_t kAuditRows = 20;

constexpr std::string_view kAgent =
    "<li class=\"tall\"><p><span>{{name}} <span class=\"tag\">claimed "
    "name</span></span></p>"
    "<p class=\"row-sub\"><code>{{id}}</code> · since {{when}}</p>{{keys}}</li>\n";
constexpr std::string_view kOwner =
    "<li class=\"tall\"><p><span>You, {{name}}</span></p>"
    "<p class=\"row-sub\"><code>{{id}}</code></p>{{keys}}</li>\n";
constexpr std::string_view kKey =
    "<p class=\"row-sub\">Key <code>{{id}}</code>, made {{when}}{{end}}</p>";
constexpr std::string_view kRows = "<ul class=\"rows\">\n{{items}}</ul>";

std::vector<store::RequestRow> with_status(Service& service, const Principal& owner,
                                           Status status) {
    store::ListFilter filter;
    filter.status = status;
    filter.limit = kMostWaiting;
    return service.orchestrator().list(owner, filter);
}

Html waiting(Service& service, const Principal& owner, const std::vector<store::RequestRow>& rows) {
    if (rows.empty()) return nothing("Nothing waits for you.");
    return waiting_cards(service, rows, owner);
}

Html running(Service& service, const Principal& owner) {
    auto rows = with_status(service, owner, Status::executing);
    for (const Status status : {Status::approved, Status::awaiting_secrets})
        for (store::RequestRow& row : with_status(service, owner, status))
            rows.push_back(std::move(row));
    return rows.empty() ? nothing("Nothing runs.") : request_rows(service, rows);
}

Html sessions(Service& service, const Principal& owner) {
    const auto rows = service.orchestrator().sessions(owner, std::nullopt);
    return rows.empty() ? nothing("There is no session.") : session_cards(service, rows, owner);
}

Html keys_of(const std::vector<store::KeyRow>& keys, const std::optional<std::string>& tenant,
             base::Time now) {
    Html out;
    for (const store::KeyRow& key : keys)
        if (key.tenant_id == tenant)
            out += fill<kKey>(
                {{"id", key.id},
                 {"when", moment(key.created_at, now)},
                 {"end",
                  key.revoked_at ? ", revoked "_html + moment(*key.revoked_at, now) : Html()}});
    return out;
}

Html agents(Service& service, const Principal& owner) {
    const base::Time now = service.clock().now();
    const auto keys = service.accounts().keys(owner, std::nullopt);
    const auto self = service.accounts().owner(owner);
    Html items = fill<kOwner>({{"name", self ? self->name : std::string()},
                               {"id", owner.owner_id},
                               {"keys", keys_of(keys, std::nullopt, now)}});
    for (const store::TenantRow& tenant : service.accounts().tenants(owner))
        items += fill<kAgent>({{"name", tenant.name},
                               {"id", tenant.id},
                               {"when", moment(tenant.created_at, now)},
                               {"keys", keys_of(keys, tenant.id, now)}});
    return fill<kRows>({{"items", items}});
}

Html history(Service& service, const http::Request& request, const Principal& owner) {
    store::ListFilter filter;
    filter.before = request_cursor(request, "before");
    filter.limit = kHistoryRows + 1;
    auto rows = service.orchestrator().list(owner, filter);
    const bool more = cut_page(rows, kHistoryRows);
    if (rows.empty()) return nothing("Nothing was asked yet.");
    Html out = request_rows(service, rows);
    if (more)
        out += older(service.local_path(
            "/dashboard?before=" + http::percent_encode(rows.back().id) + "#history"));
    return out;
}

Html audit(Service& service, const http::Request& request, const Principal& owner) {
    store::EventFilter filter;
    filter.before = number_cursor(request, "audit");
    filter.limit = kAuditRows + 1;
    auto events = service.orchestrator().events(owner, filter);
    const bool more = cut_page(events, kAuditRows);
    if (events.empty()) return nothing("Nothing happened yet.");
    Html out = event_rows(service, events, owner);
    if (more)
        out += older(
            service.local_path("/dashboard?audit=" + std::to_string(events.back().seq) + "#audit"));
    return out;
}

http::Reply dashboard(Service& service, const http::Request& request, const Principal& owner) {
    const auto pending = with_status(service, owner, Status::pending);
    const std::string title = pending.empty() ? "Nothing waits"
                                              : counted(pending.size(), "request") +
                                                    (pending.size() == 1 ? " waits" : " wait");
    return page(service, {title, &owner, 200, {}},
                fill<kDashboardHtml>({{"title", title},
                                      {"waiting", waiting(service, owner, pending)},
                                      {"running", running(service, owner)},
                                      {"sessions", sessions(service, owner)},
                                      {"agents", agents(service, owner)},
                                      {"history", history(service, request, owner)},
                                      {"audit", audit(service, request, owner)}}));
}

}  // namespace

void add_dashboard_pages(Service& service, std::vector<Endpoint>& table) {
    table.push_back({"GET", "/dashboard", Auth::browser,
                     [&service](const auto& r, auto who) { return dashboard(service, r, *who); },
                     false, true});
}

}  // namespace oauth3::api::pages

namespace oauth3::api {

void add_page_routes(Service& service, std::vector<Endpoint>& table) {
    pages::add_login_pages(service, table);
    pages::add_approval_pages(service, table);
    pages::add_dashboard_pages(service, table);
    pages::add_session_pages(service, table);
}

}  // namespace oauth3::api
