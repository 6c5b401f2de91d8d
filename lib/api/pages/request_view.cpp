#include "api/pages/request_view.h"

#include "api/pages/event_view.h"
#include "api/pages/parts.h"
#include "api/pages/scope_view.h"
#include "api/pages/session_view.h"
#include "policy/growth.h"
#include "policy/session.h"
#include "skill/declaration.h"

#include <fmt/format.h>

#include <algorithm>

namespace oauth3::api::pages {
namespace {

using policy::Kind;

constexpr std::size_t kShownOutput = 500;  ///< characters of stdout and error after the end
constexpr std::int64_t kMostEvents = 200;

constexpr std::string_view kItem = "<li><code>{{name}}</code> {{tag}}</li>";
constexpr std::string_view kTag = R"(<span class="tag">{{text}}</span>)";
constexpr std::string_view kWarnTag = R"(<span class="tag warn">{{text}}</span>)";
constexpr std::string_view kList = "<ul>{{items}}</ul>";
constexpr std::string_view kClaimedName =
    "<bdi>“{{name}}”</bdi> <span class=\"tag\">claimed name</span> <code>{{id}}</code>";
constexpr std::string_view kFacts = "<dl class=\"facts\">{{facts}}</dl>";
constexpr std::string_view kNone = "<p class=\"none\">{{text}}</p>";
constexpr std::string_view kHelp = "<p class=\"help\">{{text}}</p>";
constexpr std::string_view kStory = "<ol class=\"story\">{{items}}</ol>";
constexpr std::string_view kEvent =
    "<li><p><strong>{{what}}</strong></p><p class=\"row-sub\">{{who}}, {{when}}</p></li>";
constexpr std::string_view kHash =
    "<p class=\"hash\">SHA-256 <code>{{hash}}</code><br>{{size}}. Exactly these bytes run.</p>";

bool is_scope(const store::RequestRow& row) {
    return row.kind == Kind::scope;
}

Html facts_list(const Html& facts) {
    return fill<kFacts>({{"facts", facts}});
}

/// Each secret, and whether the code itself says that it wants it.
Html secrets_list(const store::RequestRow& row, const std::string& code) {
    const auto& secrets = is_scope(row) ? row.scope->secrets : row.ask.secrets;
    if (secrets.empty()) return "none";
    const auto parsed = skill::parse(code);
    const auto* declared = std::get_if<skill::Declaration>(&parsed);
    Html items;
    for (const std::string& name : secrets) {
        const bool known = row.code_hash && declared != nullptr &&
                           std::find(declared->secrets.begin(), declared->secrets.end(), name) !=
                               declared->secrets.end();
        Html tag;
        if (row.code_hash)
            tag = known ? fill<kTag>({{"text", "declared in the code"}})
                        : fill<kWarnTag>({{"text", "not declared in the code"}});
        items += fill<kItem>({{"name", name}, {"tag", tag}});
    }
    return fill<kList>({{"items", items}});
}

using Session = std::optional<store::SessionRow>;

Html what_it_is(Service& service, const store::RequestRow& row, const Session& session) {
    const base::Time now = service.clock().now();
    Html facts = fact("Asked by", claimed_name(service, row.tenant_id));
    if (!row.skill_id.empty()) facts += fact("Skill", code_word(row.skill_id));
    if (row.declared_id && *row.declared_id != row.skill_id)
        facts += fact("The code calls itself", code_word(*row.declared_id));
    const std::string& description = is_scope(row) ? row.scope->description : row.description;
    facts += fact("Description", description.empty() ? Html("none") : words(description));
    facts += fact("Asked", moment(row.created_at, now));
    if (policy::is_undecided(row.status)) facts += fact("Expires", moment(row.expires_at, now));
    facts +=
        fact("Session", code_word(row.session_id) +
                            (session ? " – begun "_html + moment(session->session.created_at, now)
                             : policy::is_undecided(row.status) ? " – not begun yet"_html
                                                                : Html()));
    facts += fact("Request", code_word(row.id));
    return section("what", "What it is", facts_list(facts));
}

/// What the reviewer said, unless it has nothing against it.
Html review_section(const base::Json& review) {
    const std::string verdict = review.value("verdict", "");
    const std::string reason = review.value("reason", "");
    if (verdict == "no_objection" && reason.empty()) return {};
    const std::string_view title = review.value("failed", false) ? "There is no second opinion"
                                   : verdict == "deny"           ? "The reviewer says no"
                                   : verdict == "ask" ? "The reviewer wants a human to decide"
                                                      : "The reviewer has no objection";
    return section("review", title, words(reason.empty() ? "It gave no reason." : reason),
                   verdict != "no_objection");
}

/// What an approval would change in the session, and what that holds already if it lives.
Html change_of(const store::RequestRow& row, const Session& session, base::Time now) {
    const bool scope = is_scope(row);
    constexpr std::string_view kTitle = "What is new in the session";
    if (!session)
        return scope ? section("new", kTitle,
                               fill<kNone>({{"text", "All of it: the session begins with this."}}))
                     : Html();
    const policy::Session& held = session->session;
    const policy::Growth growth =
        scope ? policy::growth(held, *row.scope, now) : policy::growth(held, row.ask, now);
    return section("new", scope ? kTitle : "What an approval for the session adds to it",
                   growth_view(held, growth, now)) +
           section("held", "What the session holds already", session_view(*session, now));
}

}  // namespace

std::string request_title(const store::RequestRow& row) {
    if (!row.skill_id.empty()) return row.skill_id;
    if (is_scope(row)) return first_characters(row.scope->description, 80);
    return row.id;
}

Html claimed_name(Service& service, const std::string& tenant_id) {
    return fill<kClaimedName>(
        {{"name", service.access().tenant_name(tenant_id)}, {"id", tenant_id}});
}

Html powers(const store::RequestRow& row, const std::string& code) {
    const auto& networks = is_scope(row) ? row.scope->networks : row.ask.networks;
    Html facts = fact("Secrets", secrets_list(row, code));
    facts += fact("Hosts", code_list(policy::texts_of(networks), "none: it has no network"));
    const auto longest = is_scope(row) ? row.scope->max_timeout : row.ask.timeout;
    facts += fact(is_scope(row) ? "Each run" : "Time", "at most " + duration_words(longest));
    if (is_scope(row)) {
        facts +=
            fact("Runs",
                 row.scope->max_runs
                     ? "at most " + counted(static_cast<std::size_t>(*row.scope->max_runs), "run")
                     : std::string("no limit"));
        facts +=
            fact("Lives",
                 "at most " + duration_words(row.scope->expires_in.value_or(policy::kSessionLife)) +
                     ", and ends after " + duration_words(policy::kSessionIdle) + " without a run");
        facts += fact("Calls allowed",
                      rules_list(policy::with_open_rules(row.scope->rules, row.scope->networks)));
        facts += fact("Arguments must be", args_list(row.scope->args));
        facts += budget_facts(row.scope->budgets);
    }
    return facts;
}

Html request_content(Service& service, const store::RequestRow& row, const std::string& code) {
    const Session session = service.orchestrator().session_of(row);
    Html out;
    if (!row.violations.empty())
        out += section("violations", "It does not fit its session", list(row.violations, ""), true);
    if (row.review) out += review_section(*row.review);
    if (!row.warnings.empty()) out += section("warnings", "Warnings", list(row.warnings, ""), true);
    out += section("powers", "What it may reach", facts_list(powers(row, code)));
    if (is_scope(row))
        out += section("constraints", "Constraints", constraints_view(row.scope->constraints));
    else
        out += section("args", "Arguments",
                       row.ask.args.empty() ? Html("none") : pre(row.ask.args.dump(2)));
    if (policy::is_undecided(row.status)) out += change_of(row, session, service.clock().now());
    out += what_it_is(service, row, session);
    if (!row.code_hash) return out;
    if (const auto before = service.orchestrator().last_approved_code(row))
        out += section("changes", "Changes since the last approved code of this skill",
                       difference(*before, code));
    return out + code_section(row, code);
}

Html code_section(const store::RequestRow& row, const std::string& code) {
    return section(
        "code", "Code",
        fill<kHash>({{"hash", *row.code_hash}, {"size", code_size(code)}}) + numbered_code(code));
}

std::string allows_once(const store::RequestRow& row) {
    return fmt::format(
        "Exactly this code with these arguments, once, for at most {}. Nothing later is allowed by "
        "it.",
        duration_words(row.ask.timeout));
}

std::string allows_session(Service& service, const store::RequestRow& row) {
    const bool lives = service.orchestrator().session_of(row).has_value();
    const std::string ends = "It ends " + duration_words(policy::kSessionIdle) +
                             " after its last run, at the latest " +
                             duration_words(policy::kSessionLife) + " after it began.";
    if (!lives)
        return "Begins a session: this same code may run again without asking, also with other "
               "arguments, with no more than the secrets, hosts and time shown here. " +
               ends;
    return "Widens the session that exists: this same code may run again without asking, also with "
           "other arguments. Its secrets, hosts and time are added to those of the session, also "
           "for the code that it holds already; and it may use whatever the session already holds, "
           "which stands on this page. " +
           ends;
}

std::string allows_trust(const store::RequestRow& row, bool day) {
    std::string out = "The same code runs without asking, in any session of this agent, with ";
    if (row.ask.secrets.empty() && row.ask.networks.empty())
        out += "no secrets and no hosts";
    else
        out += "exactly the secrets and hosts shown here";
    out += ", and, unless you tick the box below, with any arguments. ";
    out += day ? "It ends after 24 hours. " : "It ends when you revoke it on the dashboard. ";
    return out + "Without the box it begins or widens the session, too.";
}

bool may_run_any_code(Service& service, const store::RequestRow& row) {
    const auto held = service.orchestrator().session_of(row);
    const auto before = held ? std::optional(held->session) : std::nullopt;
    return policy::any_code(
        policy::approve_scope(before, *row.scope, service.clock().now()).policy);
}

std::string allows_scope(Service& service, const store::RequestRow& row) {
    const bool lives = service.orchestrator().session_of(row).has_value();
    std::string out = lives ? "Approving widens the session" : "Approving begins a session";
    out += "; it runs nothing by itself. ";
    out += row.code_hash ? "The code shown here may then run in it without asking, with any "
                           "arguments that its rules allow. "
                         : "No code is approved with it. ";
    if (!may_run_any_code(service, row))
        out += "Code that was not approved in the session still asks each time. ";
    out += "Never more than the secrets, hosts, calls and time shown here";
    out += lives ? " and whatever the session already holds, which stands on this page." : ".";
    return out;
}

Html request_end(Service& service, const store::RequestRow& row) {
    Html out;
    if (row.error)
        out += section("error", "Error", pre(first_characters(*row.error, kShownOutput)));
    const auto result = service.orchestrator().result(row);
    if (!result) return out;
    const Html text = result->out.empty() ? fill<kNone>({{"text", "It printed nothing."}})
                                          : pre(first_characters(result->out, kShownOutput));
    const std::string how =
        fmt::format("Exit code {} after {} ms{}.", result->exit_code, result->duration.count(),
                    result->timed_out ? ": stopped because its time was over" : "");
    out += section("output", "Output", text + fill<kHelp>({{"text", how}}));
    return out;
}

Html request_story(Service& service, const store::RequestRow& row, const Principal& owner) {
    store::EventFilter filter;
    filter.request_id = row.id;
    filter.limit = kMostEvents;
    const base::Time now = service.clock().now();
    Html items;
    for (const ledger::Event& event : service.orchestrator().events(owner, filter))
        items += fill<kEvent>({{"what", event_words(event)},
                               {"who", actor_words(event.actor, owner)},
                               {"when", moment(base::from_millis(event.at), now)}});
    return section("story", "Story", fill<kStory>({{"items", items}}));
}

}  // namespace oauth3::api::pages
