#include "api/pages/lists.h"

#include "api/pages/event_view.h"
#include "api/pages/frame.h"
#include "api/pages/parts.h"
#include "api/pages/request_view.h"
#include "api/pages/session_view.h"
#include "base/json.h"
#include "base/utf8.h"
#include "http/form.h"
#include "policy/session.h"
#include "web_files.h"

namespace oauth3::api::pages {
namespace {

constexpr std::size_t kShownArguments = 400;
constexpr std::size_t kShownDescription = 300;

constexpr std::string_view kNothing = "<p class=\"none\">{{text}}</p>";
constexpr std::string_view kRows = "<ul class=\"rows\">\n{{items}}</ul>";
constexpr std::string_view kCards = "<ul class=\"cards\">\n{{items}}</ul>";
constexpr std::string_view kRequest =
    "<li><div class=\"row\"><a href=\"{{path}}\">{{title}}</a>"
    "<span class=\"row-sub\">{{by}} · {{when}}{{error}}</span>{{chip}}</div></li>\n";
constexpr std::string_view kError = "<br><bdi>{{text}}</bdi>";
constexpr std::string_view kEvent =
    "<li><div class=\"row\"><span><span class=\"faint\">{{seq}}</span> {{what}}</span>"
    "<span class=\"row-sub\">{{who}}, {{when}}{{request}}</span>{{detail}}</div></li>\n";
constexpr std::string_view kEventRequest = " · <a href=\"{{path}}\">{{id}}</a>";
constexpr std::string_view kDetail =
    "<details><summary>Details<span class=\"hidden\"> of event {{seq}}</span></summary>"
    "<pre>{{text}}</pre></details>";
constexpr std::string_view kDescription = "<p>{{text}}</p>";
constexpr std::string_view kApproveForm =
    "<form method=\"post\" action=\"{{action}}\">{{hidden}}<button class=\"approve\" "
    "type=\"submit\" name=\"action\" value=\"approve\">Approve this run<span class=\"hidden\"> "
    "{{title}}</span></button></form>";
constexpr std::string_view kOlder =
    "<p class=\"actions\"><a class=\"button\" href=\"{{path}}\">Older</a></p>";

std::string request_path(const Service& service, const store::RequestRow& row) {
    return service.local_path("/approve/" + http::percent_encode(row.id));
}

/// Nothing is approved on a card but what the card shows whole, with nothing to think about.
bool fits_card(const store::RequestRow& row, const std::string& args) {
    const bool renamed = row.declared_id && *row.declared_id != row.skill_id;
    return row.kind != policy::Kind::scope && row.warnings.empty() && !renamed &&
           base::utf8_length(args) <= kShownArguments &&
           base::utf8_length(row.description) <= kShownDescription;
}

Html waiting_card(Service& service, const store::RequestRow& row, const Principal& owner) {
    const bool scope = row.kind == policy::Kind::scope;
    const base::Time now = service.clock().now();
    const std::string args = base::dump_json(row.ask.args);
    const std::string path = request_path(service, row);
    const bool whole = fits_card(row, args);
    Html more;
    if (row.code_hash) more += fact("SHA-256 of the code", code_word(*row.code_hash));
    if (!scope)
        more += fact("Arguments", row.ask.args.empty()
                                      ? Html("none")
                                      : code_word(first_characters(args, kShownArguments)));
    if (!row.violations.empty()) more += fact("Does not fit its session", list(row.violations, ""));
    more += fact("Approving", whole ? allows_once(row)
                                    : "Only on its page: there is more to read than stands here.");
    const std::string& description = scope ? row.scope->description : row.description;
    // A program may be large, and only what it says of its secrets is wanted here.
    const bool needs_code = !(scope ? row.scope->secrets : row.ask.secrets).empty();
    return fill<kWaitingCardHtml>(
        {{"page", path},
         {"action", path},
         {"title", words(request_title(row))},
         {"kind", scope ? "scope" : "program"},
         {"by", claimed_name(service, row.tenant_id) + " · "_html + moment(row.created_at, now)},
         {"description",
          description.empty() || description == request_title(row)
              ? Html()
              : fill<kDescription>(
                    {{"text", words(first_characters(description, kShownDescription))}})},
         {"facts", powers(row, needs_code ? service.orchestrator().code(row) : std::string())},
         {"summary", whole ? "Decide without opening it" : "Deny without opening it"},
         {"more", more},
         {"hidden", hidden("csrf", owner.csrf)},
         {"approve", whole ? fill<kApproveForm>({{"action", path},
                                                 {"hidden", hidden("csrf", owner.csrf)},
                                                 {"title", words(request_title(row))}})
                           : Html()}});
}

}  // namespace

Html nothing(std::string_view text) {
    return fill<kNothing>({{"text", text}});
}

Html older(std::string_view path) {
    return fill<kOlder>({{"path", path}});
}

std::string session_path(const Service& service, const store::SessionRow& row) {
    return service.local_path("/dashboard/session/" + http::percent_encode(row.id) +
                              "?tenant=" + http::percent_encode(row.tenant_id));
}

Html request_rows(Service& service, const std::vector<store::RequestRow>& rows) {
    const base::Time now = service.clock().now();
    Html items;
    for (const store::RequestRow& row : rows)
        items += fill<kRequest>(
            {{"path", request_path(service, row)},
             {"title", words(request_title(row))},
             {"chip", chip(row.status)},
             {"by", claimed_name(service, row.tenant_id)},
             {"when", moment(row.created_at, now)},
             {"error",
              row.error ? fill<kError>({{"text", first_characters(*row.error, 120)}}) : Html()}});
    return fill<kRows>({{"items", items}});
}

Html waiting_cards(Service& service, const std::vector<store::RequestRow>& rows,
                   const Principal& owner) {
    Html items;
    for (const store::RequestRow& row : rows) items += waiting_card(service, row, owner);
    return fill<kCards>({{"items", items}});
}

Html session_cards(Service& service, const std::vector<store::SessionRow>& rows,
                   const Principal& owner) {
    const base::Time now = service.clock().now();
    Html items;
    for (const store::SessionRow& row : rows) {
        Html fields = hidden("csrf", owner.csrf) + hidden("session_id", row.id) +
                      hidden("tenant", row.tenant_id);
        items += fill<kSessionCardHtml>({{"page", session_path(service, row)},
                                         {"id", row.id},
                                         {"action", service.local_path("/dashboard/revoke")},
                                         {"hidden", std::move(fields)},
                                         {"by", claimed_name(service, row.tenant_id)},
                                         {"facts", session_facts(row, now)}});
    }
    return fill<kCards>({{"items", items}});
}

Html trust_cards(Service& service, const std::vector<store::TrustRow>& rows,
                 const Principal& owner) {
    const base::Time now = service.clock().now();
    Html items;
    for (const store::TrustRow& row : rows) {
        Html facts = fact("SHA-256 of the code", code_word(row.code_hash));
        facts += fact("Secrets", code_list(row.secrets, "none"));
        facts += fact("Hosts", code_list(row.networks, "none"));
        facts += fact("Arguments", row.args_hash ? "only those that it was approved with" : "any");
        facts += fact("Used", row.last_used_at
                                  ? Html(counted(static_cast<std::size_t>(row.uses), "time")) +
                                        ", last "_html + moment(*row.last_used_at, now)
                                  : Html("never"));
        facts += fact("Ends",
                      row.expires_at ? moment(*row.expires_at, now) : Html("when it is revoked"));
        items += fill<kTrustCardHtml>(
            {{"title", words(row.skill_id)},
             {"action", service.local_path("/dashboard/revoke")},
             {"hidden", hidden("csrf", owner.csrf) + hidden("trust_id", row.id)},
             {"by", claimed_name(service, row.tenant_id) + ", approved "_html +
                        moment(row.created_at, now)},
             {"facts", facts}});
    }
    return fill<kCards>({{"items", items}});
}

Html event_rows(Service& service, const std::vector<ledger::Event>& events,
                const Principal& reader) {
    const base::Time now = service.clock().now();
    Html items;
    for (const ledger::Event& event : events) {
        const std::string seq = std::to_string(event.seq);
        Html request;
        if (event.request_id)
            request = fill<kEventRequest>(
                {{"path",
                  service.local_path("/approve/" + http::percent_encode(*event.request_id))},
                 {"id", *event.request_id}});
        Html detail;
        if (!event.detail.empty())
            detail = fill<kDetail>({{"seq", seq}, {"text", Html::lines(event.detail.dump(2))}});
        items += fill<kEvent>({{"seq", seq},
                               {"what", event_words(event)},
                               {"who", actor_words(event.actor, reader)},
                               {"when", moment(base::from_millis(event.at), now)},
                               {"request", request},
                               {"detail", detail}});
    }
    return fill<kRows>({{"items", items}});
}

}  // namespace oauth3::api::pages
