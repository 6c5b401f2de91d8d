// The page of a request: what is asked, and deciding it (wire 7.1 to 7.3); and the program alone.

#include "api/admission.h"
#include "api/decision.h"
#include "api/pages/frame.h"
#include "api/pages/parts.h"
#include "api/pages/request_view.h"
#include "api/pages/routes.h"
#include "api/refusal.h"
#include "api/render.h"
#include "base/json.h"
#include "http/form.h"
#include "web_files.h"

#include <fmt/format.h>

namespace oauth3::api::pages {
namespace {

using base::Json;
using policy::Kind;

constexpr std::string_view kJump =
    R"(<p class="jump"><a class="button primary" href="#decide">{{text}}</a></p>)";
constexpr std::string_view kHelp = R"(<p class="help">{{text}}</p>)";
constexpr std::string_view kHome = R"(<a class="button" href="{{path}}">To the dashboard</a>)";
constexpr std::string_view kDone =
    R"(<section class="panel decide" aria-labelledby="decide-title"><h2 id="decide-title">{{title}}</h2><dl class="facts">{{facts}}</dl>{{links}}</section>)";
constexpr std::string_view kProblem = R"(<p class="problem" role="alert">{{text}}</p>)";
constexpr std::string_view kAgain = R"(<a class="button wide" href="{{path}}">Look again</a>)";

/// Where the token of a request's link may stand, checked: "" if there is none.
std::string valid_token(Service& service, const std::optional<std::string>& token,
                        const std::string& id) {
    return token && service.access().opens(*token, id) ? *token : std::string();
}

std::string page_path(const std::string& id, const std::string& token) {
    const std::string path = "/approve/" + http::percent_encode(id);
    return token.empty() ? path : path + "?token=" + token;
}

http::Response to_login(Service& service, const std::string& path) {
    return {303,
            {{"Location", service.local_path("/login?next=" + http::percent_encode(path))}},
            {},
            false};
}

/// The hidden fields that a form of this viewer must carry; empty for one that cannot decide.
Html form_fields(const Service& service, const Principal* who, const std::string& token) {
    if (has_forms(who)) return hidden("csrf", who->csrf);
    if (who == nullptr && service.config().approval_by_link && !token.empty())
        return hidden("token", token);
    return {};
}

/// Whether code that nobody has seen may run: asked only where the session could allow it.
Html code_choice(Service& service, const store::RequestRow& row) {
    if (!may_run_any_code(service, row)) return {};
    return fill<kAnyCodeHtml>(
        {{"known", row.code_hash ? "The code shown here, and what else was approved in the session."
                                 : "Each new program is asked about."},
         {"any",
          "Code that nobody has seen may run, since machines hold it to everything that "
          "stands here. Arguments that are restricted do not restrict such code."}});
}

Html decision_panel(Service& service, const store::RequestRow& row, const Html& fields) {
    const bool scope = row.kind == Kind::scope;
    const Html levels =
        scope ? fill<kHelp>({{"text", allows_scope(service, row)}}) + code_choice(service, row)
              : fill<kLevelsHtml>({{"once", allows_once(row)},
                                   {"session", allows_session(service, row)},
                                   {"day", allows_trust(row, true)},
                                   {"forever", allows_trust(row, false)}});
    return fill<kDecideHtml>(
        {{"action", service.local_path(page_path(row.id, ""))},
         {"hidden", fields},
         {"seen", hidden("session_digest", service.orchestrator().session_digest(row))},
         {"levels", levels},
         {"approve", scope ? "Approve the scope" : "Approve"}});
}

/// What stands in the place of the decision once it was made.
Html state_panel(Service& service, const store::RequestRow& row, const std::string& token) {
    const base::Time now = service.clock().now();
    const std::string path = service.local_path(page_path(row.id, token));
    Html facts;
    if (row.approved_at) facts += fact("Approved", moment(*row.approved_at, now));
    if (row.level) facts += fact("Level", *row.level);
    if (row.authority == orchestrator::kSession) facts += fact("By", "its session");
    if (row.authority && row.authority->starts_with(orchestrator::kTrust))
        facts += fact("By", "trust in its code");
    if (row.executed_at) facts += fact("Started", moment(*row.executed_at, now));
    if (row.completed_at) facts += fact("Ended", moment(*row.completed_at, now));
    return fill<kDone>(
        {{"title", policy::is_final(row.status) ? "How it went" : "Decided"},
         {"facts", facts},
         {"links", policy::is_final(row.status) ? Html() : fill<kAgain>({{"path", path}})}});
}

Html panel(Service& service, const store::RequestRow& row, const Principal* who,
           const std::string& token) {
    if (!policy::is_undecided(row.status)) return state_panel(service, row, token);
    const Html fields = form_fields(service, who, token);
    if (!fields.empty()) return decision_panel(service, row, fields);
    const std::string path = page_path(row.id, token);
    return fill<kLogInToDecideHtml>(
        {{"login",
          service.local_path("/login?next=" + http::percent_encode(page_path(row.id, "")))},
         {"self", service.local_path(path)},
         {"id", row.id}});
}

/// A request as one caller reads it.
struct Reading {
    store::RequestRow row;
    const Principal* who = nullptr;  ///< nullptr: whoever holds the link
    std::string token;               ///< of the link, checked; may be empty
};

/// Whoever may read the request, by itself or by its link. Throws a Refusal.
Reading readable(Service& service, const std::string& id, const std::optional<std::string>& given,
                 const Principal* who) {
    const std::string token = valid_token(service, given, id);
    if (who == nullptr && token.empty())
        throw Refusal(403, "approval_token_invalid", "The token does not belong to this page.",
                      "Open the whole approval link, or log in.");
    auto row = who != nullptr ? service.orchestrator().find(*who, id) : std::nullopt;
    if (!row && !token.empty()) {
        // To read, the link is enough; another owner's browser reads as anybody's does.
        who = nullptr;
        row = service.orchestrator().find_by_link(id);
    }
    if (!row) throw not_found();
    return {std::move(*row), who, token};
}

/// `problem`, if there is one: why the decision that was sent was not made.
http::Response request_page(Service& service, const Reading& reading, unsigned status = 200,
                            const char* problem = nullptr) {
    const auto& [row, who, token] = reading;
    const bool scope = row.kind == Kind::scope;
    const bool waits = policy::is_undecided(row.status);
    const std::string title = request_title(row);
    const std::string code = service.orchestrator().code(row);
    const Html body = fill<kRequestHtml>(
        {{"kind", scope ? "An agent asks for a scope: permission for several runs"
                        : "An agent asks to run a program"},
         {"title", words(title)},
         {"by", claimed_name(service, row.tenant_id)},
         {"chip", chip(row.status)},
         {"when", "asked "_html + moment(row.created_at, service.clock().now())},
         {"end",
          problem != nullptr ? fill<kProblem>({{"text", problem}}) : request_end(service, row)},
         {"content", request_content(service, row, code)},
         {"jump", waits ? fill<kJump>({{"text", "Go to the decision"}}) : Html()},
         {"panel", panel(service, row, who, token)},
         {"story", who != nullptr ? request_story(service, row, *who) : Html()}});
    const std::string state(policy::to_string(row.status));
    return page(service, {(waits ? "Waiting: " : state + ": ") + title, who, status, {}}, body);
}

http::Reply show(Service& service, const http::Request& request, const Principal* who) {
    const std::string& id = request.params.at(0);
    const auto given = request.query_value("token");
    if (who == nullptr && !given) {
        if (wants_json(request))
            throw Refusal(401, "auth_required", "This page needs the token of its link.");
        return to_login(service, page_path(id, ""));
    }
    const Reading reading = readable(service, id, given, who);
    if (wants_json(request)) return json_response(200, request_json(service, reading.row));
    return request_page(service, reading);
}

// Deciding.

/// A decision as it came, by form or as JSON.
struct Sent {
    std::optional<http::Fields> form;
    std::optional<Body> body;

    explicit Sent(const http::Request& request) {
        if (!is_form(request)) {
            body.emplace(request);
            return;
        }
        form = read_form(request);
    }
    std::optional<std::string> token() const {
        if (body) return body->text("token");
        const auto value = http::form_value(*form, "token");
        return value ? std::optional<std::string>(*value) : std::nullopt;
    }
    orchestrator::Decision decision(Kind kind) const {
        return body ? read_decision(*body, kind) : read_decision(*form, kind);
    }
};

/// Who decides: the owner; or whoever holds the link, where the server lets links decide.
Principal decider(Service& service, const Principal* who, const Sent& sent, const std::string& id) {
    if (who != nullptr) return *who;
    if (!service.config().approval_by_link)
        throw Refusal(403, "owner_required", "An approval link only reads.",
                      "Whoever owns the agent logs in and decides, or uses: oauth3 approve <id>.");
    const std::string token = valid_token(service, sent.token(), id);
    const auto row = token.empty() ? std::nullopt : service.orchestrator().find_by_link(id);
    if (!row)
        throw Refusal(403, "approval_token_invalid", "The token does not belong to this request.");
    return {orchestrator::Role::owner, {}, row->owner_id, {}, orchestrator::Via::link};
}

http::Reply done_by_form(Service& service, const orchestrator::Decided& done, const Principal* who,
                         const std::string& token) {
    const std::string path = page_path(done.row.id, token);
    if (!done.made)
        return http::Response{302, {{"Location", service.config().base_url + path}}, {}, false};
    const bool denied = done.row.status == policy::Status::denied;
    const std::string title = denied ? "Denied" : "Approved";
    std::string text = "It is told so, and nothing runs.";
    if (!denied)
        text = done.row.kind == Kind::scope ? "The session may now be used."
                                            : "It runs now. The page shows how it ended.";
    const Html home =
        has_forms(who) ? fill<kHome>({{"path", service.local_path("/dashboard")}}) : Html();
    return page(service,
                {title + ": " + request_title(done.row), who, 200, service.local_path(path)},
                fill<kDecidedHtml>({{"title", title},
                                    {"text", text},
                                    {"request", service.local_path(path)},
                                    {"home", home}}));
}

http::Reply done_by_json(const orchestrator::Decided& done) {
    if (done.made) return json_response(200, decided_json(done));
    return json_response(
        200,
        {{"id", done.row.id}, {"status", status_word(done.row)}, {"message", "Already processed"}});
}

http::Reply decide(Service& service, const http::Request& request, const Principal* who) {
    const std::string& id = request.params.at(0);
    const Sent sent(request);
    const Principal owner = decider(service, who, sent, id);
    const auto row = service.orchestrator().find(owner, id);
    if (!row) throw not_found();
    const auto done = service.orchestrator().decide(owner, id, sent.decision(row->kind));
    if (!done) throw not_found();
    if (sent.body && done->session_changed) throw session_changed();
    if (done->not_narrower) throw not_narrower(done->not_narrower->field);
    if (sent.body) return done_by_json(*done);
    const auto given = sent.token() ? sent.token() : request.query_value("token");
    const std::string token = valid_token(service, given, id);
    if (done->session_changed)
        return request_page(service, {done->row, who, token}, 409, kSessionChanged);
    return done_by_form(service, *done, who, token);
}

// The program alone.

http::Reply view(Service& service, const http::Request& request, const Principal* who) {
    const std::string& id = request.params.at(0);
    const auto token = request.query_value("token");
    if (who == nullptr && !token)
        throw Refusal(401, "auth_required", "This page needs a key, or the token of a link.");
    const Reading reading = readable(service, id, token, who);
    const store::RequestRow& row = reading.row;
    if (wants_json(request)) {
        const Json all = request_json(service, row);
        return json_response(200, {{"id", row.id},
                                   {"code", all.at("code")},
                                   {"code_hash", all.at("code_hash")},
                                   {"metadata", all.at("metadata")}});
    }
    const std::string code = service.orchestrator().code(row);
    const Html content = row.code_hash ? code_section(row, code)
                                       : fill<kHelp>({{"text", "This scope has no code."}});
    return page(service, {"Code: " + request_title(row), reading.who, 200, {}},
                fill<kViewHtml>({{"title", words(request_title(row))},
                                 {"by", claimed_name(service, row.tenant_id)},
                                 {"content", content}}));
}

}  // namespace

void add_approval_pages(Service& service, std::vector<Endpoint>& table) {
    table.push_back({"GET", "/approve/:id", Auth::link,
                     [&service](const auto& r, auto who) { return show(service, r, who); }, false,
                     true});
    table.push_back({"POST", "/approve/:id", Auth::link,
                     [&service](const auto& r, auto who) { return decide(service, r, who); }, true,
                     true});
    table.push_back({"GET", "/view/:id", Auth::view,
                     [&service](const auto& r, auto who) { return view(service, r, who); }, false,
                     true});
}

}  // namespace oauth3::api::pages
