// The routes of the human's tools: list, show, decide (wire 7.3, 7.4).

#include "api/body.h"
#include "api/refusal.h"
#include "api/render.h"
#include "api/routes.h"
#include "base/utf8.h"
#include "policy/status.h"

#include <charconv>

namespace oauth3::api {
namespace {

using base::Json;
using orchestrator::Decided;
using orchestrator::Decision;
using orchestrator::Level;
using orchestrator::Principal;

constexpr std::int64_t kDefaultLimit = 50;
constexpr std::int64_t kMaxLimit = 500;
constexpr std::size_t kMaxReason = 1000;

/// A whole number in the query; nullopt if absent or malformed.
std::optional<std::int64_t> query_number(const http::Request& request, const char* name) {
    const std::string text = request.query_value(name).value_or("");
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

http::Reply list(Service& service, const http::Request& request, const Principal& owner) {
    store::ListFilter filter;
    if (const auto text = request.query_value("status")) {
        filter.status = policy::parse_status(*text);
        if (!filter.status) throw bad_field("status", "There is no such status.");
    }
    filter.tenant_id = request.query_value("tenant");
    filter.before = query_number(request, "before");
    const std::int64_t limit = std::clamp(query_number(request, "limit").value_or(kDefaultLimit),
                                          std::int64_t{1}, kMaxLimit);
    filter.limit = limit + 1;  // one more tells whether there is a next page
    auto rows = service.orchestrator().list(owner, filter);
    const bool more = rows.size() > static_cast<std::size_t>(limit);
    if (more) rows.pop_back();
    Json items = Json::array();
    for (const store::RequestRow& row : rows) items.push_back(summary_json(service, row));
    return json_response(200, {{"requests", std::move(items)},
                               {"next", more ? Json(std::to_string(rows.back().seq)) : Json()}});
}

http::Reply show(Service& service, const http::Request& request, const Principal& owner) {
    const auto row = service.orchestrator().find(owner, request.params.at(0));
    if (!row) throw not_found();
    return json_response(200, request_json(service, *row));
}

Level read_level(const Body& body, policy::Kind kind) {
    const std::string word = body.text("level").value_or("once");
    if (word == "once") return Level::once;
    if (word == "session") return Level::session;
    const bool known = word == "24h" || word == "forever" || word == "trust_code";
    if (kind == policy::Kind::scope && (known || word == "scope")) return Level::once;
    throw Refusal(400, "invalid_level",
                  known ? "That level is not available on this server." : "There is no such level.",
                  "Use once or session.");
}

Decision read_decision(const Body& body, policy::Kind kind) {
    // Nothing is accepted that nothing enforces.
    body.refuse({"secrets", "narrow"});
    if (body.boolean("pin_args") == true) body.refuse({"pin_args"});
    Decision out;
    const std::string action = body.text("action").value_or("");
    if (action != "approve" && action != "deny")
        throw Refusal(400, "invalid_action", "The action must be approve or deny.");
    out.approve = action == "approve";
    if (out.approve) out.level = read_level(body, kind);
    out.reason = body.text("reason").value_or("");
    if (base::utf8_length(out.reason) > kMaxReason)
        throw bad_field("reason", "\"reason\" takes at most 1000 characters.");
    return out;
}

Json decided_json(const Decided& done) {
    const store::RequestRow& row = done.row;
    Json out{{"id", row.id},
             {"status", policy::wire_status(row.status, row.executed_at.has_value())}};
    if (row.status == policy::Status::approved) out["executing"] = true;
    if (row.status == policy::Status::completed) {
        out["session_id"] = row.session_id;
        out["expanded"] = done.expanded;
        out["constraints"] = done.constraints;
    }
    return out;
}

Decided decide(Service& service, const http::Request& request, const Principal& owner) {
    const auto row = service.orchestrator().find(owner, request.params.at(0));
    if (!row) throw not_found();
    const Decision decision = read_decision(Body(request), row->kind);
    auto done = service.orchestrator().decide(owner, row->id, decision);
    if (!done) throw not_found();
    return std::move(*done);
}

/// The owner API: a second decision is an error that says what was decided.
http::Reply decide_by_api(Service& service, const http::Request& request, const Principal& owner) {
    const Decided done = decide(service, request, owner);
    if (!done.made)
        throw Refusal(
            409, "already_decided", "The request was decided already.", {},
            {{"status", policy::wire_status(done.row.status, done.row.executed_at.has_value())}});
    return json_response(200, decided_json(done));
}

/// The JSON variant of the approval page: a second decision answers what was decided.
http::Reply decide_on_page(Service& service, const http::Request& request, const Principal* owner) {
    if (owner == nullptr)
        throw Refusal(403, "owner_required", "An approval link only reads.",
                      "The human decides with: oauth3 approve <id>.");
    const Decided done = decide(service, request, *owner);
    if (done.made) return json_response(200, decided_json(done));
    return json_response(
        200, {{"id", done.row.id},
              {"status", policy::wire_status(done.row.status, done.row.executed_at.has_value())},
              {"message", "Already processed"}});
}

}  // namespace

void add_owner_routes(Service& service, std::vector<Endpoint>& table) {
    table.push_back({"GET", "/requests", Auth::owner,
                     [&service](const auto& r, auto who) { return list(service, r, *who); }});
    table.push_back({"GET", "/requests/:id", Auth::owner,
                     [&service](const auto& r, auto who) { return show(service, r, *who); }});
    table.push_back(
        {"POST", "/requests/:id/decision", Auth::owner,
         [&service](const auto& r, auto who) { return decide_by_api(service, r, *who); }});
    table.push_back({"POST", "/approve/:id", Auth::link, [&service](const auto& r, auto who) {
                         return decide_on_page(service, r, who);
                     }});
}

}  // namespace oauth3::api
