// The page behind an approval link: what is asked, for reading only (wire 7.1).

#include "api/decision.h"
#include "api/html.h"
#include "api/refusal.h"
#include "api/render.h"
#include "api/routes.h"
#include "base/utf8.h"
#include "policy/status.h"
#include "web_files.h"

#include <fmt/format.h>

namespace oauth3::api {
namespace {

using orchestrator::Principal;

constexpr std::size_t kShownOutput = 500;  ///< characters of stdout and error after the end

bool wants_json(const http::Request& request) {
    const std::string_view accept = request.header("Accept");
    return accept.find("application/json") != std::string_view::npos &&
           accept.find("text/html") == std::string_view::npos;
}

http::Response message_page(unsigned status, std::string_view title, std::string_view text) {
    return html_response(
        status, title,
        fill(kMessageHtml, {{"title", html_text(title)}, {"text", html_text(text)}}));
}

std::string row_html(std::string_view name, const std::string& value_html) {
    return fmt::format("<dt>{}</dt><dd>{}</dd>\n", name, value_html);
}

std::string list_html(const std::vector<std::string>& items, std::string_view none) {
    if (items.empty()) return std::string(none);
    std::string out = "<ul>";
    for (const std::string& item : items) out += "<li>" + html_text(item) + "</li>";
    return out + "</ul>";
}

std::string code_html(std::string_view code) {
    std::string out = "<ol class=\"code\">";
    while (!code.empty()) {
        const std::size_t end = code.find('\n');
        out += "<li><code>" + html_text(code.substr(0, end), true) + "</code></li>\n";
        code = end == std::string_view::npos ? std::string_view() : code.substr(end + 1);
    }
    return out + "</ol>";
}

std::string first_characters(std::string_view text) {
    std::size_t end = 0;
    for (std::size_t n = 0; n < kShownOutput && end < text.size(); ++n)
        end += base::next_code_point(text.substr(end)).size;
    return html_text(text.substr(0, end), true) + (end < text.size() ? "…" : "");
}

std::string constraints_html(const policy::Scope& scope) {
    if (scope.constraints.empty()) return "none";
    std::string out = "<ul>";
    for (const policy::Constraint& constraint : scope.constraints)
        out += fmt::format(
            "<li>{} <strong class=\"tag\">ADVISORY</strong> oauth3 cannot check "
            "this</li>",
            html_text(constraint.text));
    return out + "</ul>";
}

/// What is asked for, row by row.
std::string facts_html(Service& service, const store::RequestRow& row) {
    const bool scope = row.kind == policy::Kind::scope;
    const auto& secrets = scope ? row.scope->secrets : row.ask.secrets;
    const auto& networks = scope ? row.scope->networks : row.ask.networks;
    std::string out;
    out += row_html("Asked by", html_text(service.access().tenant_name(row.tenant_id)) +
                                    " (a name it gave itself)<br><code>" +
                                    html_text(row.tenant_id) + "</code>");
    if (!row.skill_id.empty()) out += row_html("Skill", html_text(row.skill_id));
    if (row.declared_id && *row.declared_id != row.skill_id)
        out +=
            row_html("Declared name", html_text(*row.declared_id) + " (the code says otherwise)");
    out += row_html("Description", html_text(row.description));
    out += row_html("Secrets", list_html(secrets, "none"));
    out += row_html("Hosts", list_html(policy::texts_of(networks), "none"));
    out +=
        row_html(scope ? "Longest run" : "Timeout", fmt::format("{} s", row.ask.timeout.count()));
    if (!scope)
        out += row_html("Arguments", "<pre>" + html_text(row.ask.args.dump(2), true) + "</pre>");
    if (scope) out += row_html("Constraints", constraints_html(*row.scope));
    out += row_html("Session", "<code>" + html_text(row.session_id) + "</code>");
    if (!row.violations.empty())
        out += row_html("Does not fit its session", list_html(row.violations, ""));
    if (!row.warnings.empty()) out += row_html("Warnings", list_html(row.warnings, ""));
    if (row.code_hash)
        out += row_html("SHA-256 of the code", "<code>" + html_text(*row.code_hash) + "</code>");
    return out;
}

/// How to decide, or how it ended.
std::string state_html(Service& service, const store::RequestRow& row) {
    if (policy::is_undecided(row.status))
        return fmt::format(
            "<p>This link only shows the request. To decide, on the server's own terminal:</p>\n"
            "<pre>oauth3 approve {0} --owner-key-file FILE\n"
            "oauth3 deny {0} --owner-key-file FILE</pre>",
            html_text(row.id));
    std::string out;
    if (row.error) out += "<h2>Error</h2><pre>" + first_characters(*row.error) + "</pre>";
    if (const auto result = service.orchestrator().result(row))
        out += "<h2>Output</h2><pre>" + first_characters(result->out) + "</pre>";
    return out;
}

http::Response request_page(Service& service, const store::RequestRow& row) {
    const bool scope = row.kind == policy::Kind::scope;
    const std::string title = scope ? "Scope request" : "Execution request";
    const std::string code = service.orchestrator().code(row);
    return html_response(
        200, title,
        fill(kRequestHtml,
             {{"title", title},
              {"state", html_text(policy::to_string(row.status))},
              {"decide", state_html(service, row)},
              {"facts", facts_html(service, row)},
              {"code", row.code_hash ? "<h2>Code</h2>" + code_html(code) : std::string()}}));
}

http::Reply approval_page(Service& service, const http::Request& request, const Principal* owner) {
    const bool json = wants_json(request);
    const std::string& id = request.params.at(0);
    const auto token = request.query_value("token");
    if (owner == nullptr && !token) {
        if (json) throw Refusal(401, "auth_required", "This page needs the token of its link.");
        return message_page(401, "A link is needed",
                            "Open the whole approval link, or look at the request with "
                            "“oauth3 show” on the server's terminal.");
    }
    if (owner == nullptr && !service.access().opens(*token, id)) {
        if (json)
            throw Refusal(403, "approval_token_invalid", "The token does not belong to this page.");
        return message_page(403, "This link is not valid",
                            "Its token does not belong to this request.");
    }
    const auto row = owner != nullptr ? service.orchestrator().find(*owner, id)
                                      : service.orchestrator().find_by_link(id);
    if (!row) {
        if (json) throw not_found();
        return message_page(404, "Nothing here", "There is no such request.");
    }
    if (json) return json_response(200, request_json(service, *row));
    return request_page(service, *row);
}

/// The JSON variant of the approval page: a second decision answers what was decided.
http::Reply decide_on_page(Service& service, const http::Request& request, const Principal* owner) {
    if (owner == nullptr)
        throw Refusal(403, "owner_required", "An approval link only reads.",
                      "The human decides with: oauth3 approve <id>.");
    const auto row = service.orchestrator().find(*owner, request.params.at(0));
    if (!row) throw not_found();
    const auto done =
        service.orchestrator().decide(*owner, row->id, read_decision(Body(request), row->kind));
    if (!done) throw not_found();
    if (done->made) return json_response(200, decided_json(*done));
    return json_response(200, {{"id", done->row.id},
                               {"status", status_word(done->row)},
                               {"message", "Already processed"}});
}

}  // namespace

void add_page_routes(Service& service, std::vector<Endpoint>& table) {
    table.push_back({"GET", "/approve/:id", Auth::link, [&service](const auto& r, auto who) {
                         return approval_page(service, r, who);
                     }});
    table.push_back({"POST", "/approve/:id", Auth::link, [&service](const auto& r, auto who) {
                         return decide_on_page(service, r, who);
                     }});
}

}  // namespace oauth3::api
