// The owner's overview of all its agents (wire 9).

#include "api/pages/frame.h"
#include "api/pages/lists.h"
#include "api/pages/parts.h"
#include "api/pages/routes.h"
#include "api/paging.h"
#include "http/form.h"
#include "web_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace oauth3::api::pages {
namespace {

using policy::Status;

constexpr std::int64_t kMostShown = 100;  ///< requests of one status
constexpr std::size_t kMostAgents = 50;
constexpr std::size_t kMostKeys = 10;  ///< of one agent
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
constexpr std::string_view kMore = "<p class=\"help\">{{text}}</p>";
constexpr std::string_view kOlderKeys =
    "<p class=\"row-sub\">{{count}}: <code>oauth3 key list</code> shows all.</p>";
constexpr std::string_view kOlderAgents =
    "<p class=\"help\">{{count}}: <code>oauth3 tenant list</code> shows all.</p>";
constexpr std::string_view kRows = "<ul class=\"rows\">\n{{items}}</ul>";

/// The newest requests with this status, one more than a section shows.
std::vector<store::RequestRow> with_status(Service& service, const Principal& owner, Status status,
                                           const std::optional<std::string>& before = {}) {
    store::ListFilter filter;
    filter.status = status;
    filter.before = before;
    filter.limit = kMostShown + 1;
    return service.orchestrator().list(owner, filter);
}

/// What waits: a page of it, and what is to be said of the whole.
struct Waiting {
    std::string title;
    Html cards;
};

Waiting waiting(Service& service, const http::Request& request, const Principal& owner) {
    const auto before = request_cursor(request, "waiting");
    auto rows = with_status(service, owner, Status::pending, before);
    const bool more = cut_page(rows, kMostShown);
    Waiting out;
    if (before)
        out.title = "Older requests that wait";
    else if (rows.empty())
        out.title = "Nothing waits";
    else if (more)
        out.title = fmt::format("{}+ requests wait", kMostShown);
    else
        out.title = counted(rows.size(), "request") + (rows.size() == 1 ? " waits" : " wait");
    out.cards = rows.empty() ? nothing(before ? "Nothing older waits." : "Nothing waits for you.")
                             : waiting_cards(service, rows, owner);
    if (more)
        out.cards += older(service.local_path(
            "/dashboard?waiting=" + http::percent_encode(rows.back().id) + "#waiting"));
    return out;
}

Html running(Service& service, const Principal& owner) {
    std::vector<store::RequestRow> all;
    bool more = false;
    for (const Status status : {Status::executing, Status::approved, Status::awaiting_secrets}) {
        auto rows = with_status(service, owner, status);
        more = cut_page(rows, kMostShown) || more;
        for (store::RequestRow& row : rows) all.push_back(std::move(row));
    }
    if (all.empty()) return nothing("Nothing runs.");
    Html out = request_rows(service, all);
    if (more) out += fill<kMore>({{"text", "There are more; the history has them all."}});
    return out;
}

Html sessions(Service& service, const Principal& owner) {
    const auto rows = service.orchestrator().sessions(owner, std::nullopt);
    return rows.empty() ? nothing("There is no session.") : session_cards(service, rows, owner);
}

Html trust(Service& service, const Principal& owner) {
    const auto rows = service.orchestrator().trust(owner, std::nullopt);
    return rows.empty() ? nothing("No code is trusted.") : trust_cards(service, rows, owner);
}

/// Keys by whom they stand for, oldest first: a tenant, or "" for the owner.
using Keys = std::map<std::string, std::vector<const store::KeyRow*>>;

Html keys_of(const Keys& keys, const std::string& whose, base::Time now) {
    const auto found = keys.find(whose);
    if (found == keys.end()) return {};
    const auto& list = found->second;
    const std::size_t hidden = list.size() - std::min(list.size(), kMostKeys);
    Html out;
    for (std::size_t i = hidden; i < list.size(); ++i) {
        const store::KeyRow& key = *list[i];
        out += fill<kKey>(
            {{"id", key.id},
             {"when", moment(key.created_at, now)},
             {"end", key.revoked_at ? ", revoked "_html + moment(*key.revoked_at, now) : Html()}});
    }
    if (hidden > 0) out += fill<kOlderKeys>({{"count", counted(hidden, "older key")}});
    return out;
}

Html agents(Service& service, const Principal& owner) {
    const base::Time now = service.clock().now();
    const auto rows = service.accounts().keys(owner, std::nullopt);
    Keys keys;
    for (const store::KeyRow& key : rows) keys[key.tenant_id.value_or("")].push_back(&key);
    const auto self = service.accounts().owner(owner);
    Html items = fill<kOwner>({{"name", words(self ? self->name : std::string())},
                               {"id", owner.owner_id},
                               {"keys", keys_of(keys, "", now)}});
    auto tenants = service.accounts().tenants(owner);
    const std::size_t hidden = tenants.size() - std::min(tenants.size(), kMostAgents);
    tenants.erase(tenants.begin(), tenants.begin() + static_cast<std::ptrdiff_t>(hidden));
    for (const store::TenantRow& tenant : tenants)
        items += fill<kAgent>({{"name", words(tenant.name)},
                               {"id", tenant.id},
                               {"when", moment(tenant.created_at, now)},
                               {"keys", keys_of(keys, tenant.id, now)}});
    Html out = fill<kRows>({{"items", items}});
    if (hidden > 0) out += fill<kOlderAgents>({{"count", counted(hidden, "older agent")}});
    return out;
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
    const Waiting pending = waiting(service, request, owner);
    return page(service, {pending.title, &owner, 200, {}},
                fill<kDashboardHtml>({{"title", pending.title},
                                      {"waiting", pending.cards},
                                      {"running", running(service, owner)},
                                      {"sessions", sessions(service, owner)},
                                      {"trust", trust(service, owner)},
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
