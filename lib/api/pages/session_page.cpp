// One session: what it allows, narrowing and revoking it (wire 9).

#include "api/admission.h"
#include "api/pages/frame.h"
#include "api/pages/lists.h"
#include "api/pages/parts.h"
#include "api/pages/request_view.h"
#include "api/pages/routes.h"
#include "api/pages/session_view.h"
#include "api/paging.h"
#include "api/refusal.h"
#include "api/session_lookup.h"
#include "http/form.h"
#include "policy/narrow.h"
#include "web_files.h"

#include <algorithm>
#include <charconv>

namespace oauth3::api::pages {
namespace {

constexpr std::int64_t kMostRequests = 50;

constexpr std::string_view kGroup = "<fieldset><legend>{{title}}</legend>{{choices}}</fieldset>";
constexpr std::string_view kChoice =
    "<label class=\"choice\"><input type=\"checkbox\" name=\"{{name}}\" value=\"{{value}}\" "
    "checked><span><code>{{value}}</code></span></label>";
constexpr std::string_view kNumber =
    "<p class=\"field\"><label for=\"{{name}}\">{{label}}</label><input id=\"{{name}}\" "
    "name=\"{{name}}\" type=\"number\" inputmode=\"numeric\" min=\"1\" max=\"{{most}}\" "
    "value=\"{{value}}\" placeholder=\"no limit\"></p>";
constexpr std::string_view kHelp = "<p class=\"help\">{{text}}</p>";

Html group(std::string_view title, std::string_view name, const std::vector<std::string>& values) {
    if (values.empty()) return {};
    Html choices;
    for (const std::string& value : values)
        choices += fill<kChoice>({{"name", name}, {"value", value}});
    return fill<kGroup>({{"title", title}, {"choices", choices}});
}

Html number_field(std::string_view name, std::string_view label,
                  const std::optional<std::int64_t>& value, std::int64_t most) {
    return fill<kNumber>({{"name", name},
                          {"label", label},
                          {"most", std::to_string(value.value_or(most))},
                          {"value", value ? std::to_string(*value) : std::string()}});
}

/// The fields that can only cut a session down.
Html narrowing_fields(const store::SessionRow& row) {
    const policy::SessionPolicy& policy = row.session.policy;
    return fill<kHelp>({{"text", "What you untick is taken away for good."}}) +
           group("Secrets", "keep_secret", policy.secrets) +
           group("Hosts", "keep_network", policy::texts_of(policy.networks)) +
           group("Code, by SHA-256", "keep_code", policy.code_hashes) +
           number_field("max_timeout", "Seconds for each run", policy.max_timeout.count(), 0) +
           number_field("max_runs", "Runs in all", policy.max_runs, 1'000'000);
}

Html requests_in(Service& service, const http::Request& request, const Principal& owner,
                 const store::SessionRow& row) {
    store::ListFilter filter;
    filter.tenant_id = row.tenant_id;
    filter.session_id = row.id;
    filter.before = request_cursor(request, "before");
    filter.limit = kMostRequests + 1;
    auto requests = service.orchestrator().list(owner, filter);
    const bool more = cut_page(requests, kMostRequests);
    if (requests.empty()) return nothing("None.");
    Html out = request_rows(service, requests);
    if (more)
        out += older(session_path(service, row) +
                     "&before=" + http::percent_encode(requests.back().id) + "#requests");
    return out;
}

http::Reply show(Service& service, const http::Request& request, const Principal& owner) {
    const auto row =
        find_session(service, owner, request.params.at(0), request.query_value("tenant"));
    const base::Time now = service.clock().now();
    Html fields =
        hidden("csrf", owner.csrf) + hidden("session_id", row.id) + hidden("tenant", row.tenant_id);
    return page(service, {"Session " + row.id, &owner, 200, {}},
                fill<kSessionHtml>({{"id", row.id},
                                    {"by", claimed_name(service, row.tenant_id) + ", begun "_html +
                                               moment(row.session.created_at, now)},
                                    {"policy", session_view(row, now)},
                                    {"requests", requests_in(service, request, owner, row)},
                                    {"parts", narrowing_fields(row)},
                                    {"hidden", fields},
                                    {"narrow", service.local_path("/dashboard/narrow")},
                                    {"revoke", service.local_path("/dashboard/revoke")}}));
}

// Changing it.

http::Fields only_form(const http::Request& request) {
    if (!is_form(request))
        throw Refusal(415, "unsupported_media_type", "The body must be a form.",
                      "Programs use /sessions.");
    return read_form(request);
}

std::string text(const http::Fields& form, std::string_view name) {
    return std::string(http::form_value(form, name).value_or(""));
}

std::vector<std::string> texts(const http::Fields& form, std::string_view name) {
    std::vector<std::string> out;
    for (const auto& [key, value] : form)
        if (key == name) out.push_back(value);
    return out;
}

/// A number of a field, at least 1; nullopt for an empty one.
std::optional<std::int64_t> number(const http::Fields& form, const std::string& name) {
    const std::string given = text(form, name);
    if (given.empty()) return std::nullopt;
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), value);
    if (error != std::errc() || end != given.data() + given.size() || value < 1)
        throw bad_field(name, "A whole number of at least 1 is needed.");
    return value;
}

http::Response back(const Service& service, const std::string& path) {
    return {303, {{"Location", service.local_path(path)}}, {}, false};
}

http::Reply narrow(Service& service, const http::Request& request, const Principal& owner) {
    const http::Fields form = only_form(request);
    const auto row = find_session(service, owner, text(form, "session_id"), text(form, "tenant"));
    policy::Narrowing to;
    to.secrets = texts(form, "keep_secret");
    to.code_hashes = texts(form, "keep_code");
    std::vector<base::Network> networks;
    for (const std::string& name : texts(form, "keep_network")) {
        const auto parsed = base::parse_network(name);
        if (!parsed.network) throw bad_field("keep_network", "That is no host.");
        networks.push_back(*parsed.network);
    }
    to.networks = std::move(networks);
    to.max_runs = number(form, "max_runs");
    if (const auto seconds = number(form, "max_timeout")) to.max_timeout = base::Seconds(*seconds);
    const auto done = service.orchestrator().narrow_session(owner, row.tenant_id, row.id, to);
    if (!done) throw not_found();
    if (const auto* problem = std::get_if<policy::NotNarrower>(&*done))
        throw not_narrower(problem->field);
    return http::Response{303, {{"Location", session_path(service, row)}}, {}, false};
}

http::Reply revoke(Service& service, const http::Request& request, const Principal& owner) {
    const http::Fields form = only_form(request);
    if (const std::string trust = text(form, "trust_id"); !trust.empty()) {
        if (!service.orchestrator().revoke_trust(owner, trust)) throw not_found();
        return back(service, "/dashboard");
    }
    const auto row = find_session(service, owner, text(form, "session_id"), text(form, "tenant"));
    if (!service.orchestrator().revoke_session(owner, row.tenant_id, row.id, "")) throw not_found();
    return back(service, "/dashboard");
}

}  // namespace

void add_session_pages(Service& service, std::vector<Endpoint>& table) {
    table.push_back({"GET", "/dashboard/session/:id", Auth::browser,
                     [&service](const auto& r, auto who) { return show(service, r, *who); }, false,
                     true});
    table.push_back({"POST", "/dashboard/narrow", Auth::browser,
                     [&service](const auto& r, auto who) { return narrow(service, r, *who); }, true,
                     true});
    table.push_back({"POST", "/dashboard/revoke", Auth::browser,
                     [&service](const auto& r, auto who) { return revoke(service, r, *who); }, true,
                     true});
}

}  // namespace oauth3::api::pages
