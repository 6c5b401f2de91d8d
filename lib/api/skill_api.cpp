// The routes of agents: sign up, submit, follow, cancel (wire 2.2, 5).

#include "api/body.h"
#include "api/dry_run.h"
#include "api/refusal.h"
#include "api/render.h"
#include "api/routes.h"
#include "api/submission.h"
#include "base/log.h"
#include "base/utf8.h"
#include "policy/status.h"

#include <algorithm>
#include <charconv>
#include <functional>

namespace oauth3::api {
namespace {

using base::Json;
using orchestrator::Principal;

constexpr std::size_t kMaxName = 64;
constexpr std::size_t kMaxEmail = 254;
constexpr std::size_t kMaxIdempotencyKey = 255;
/// Stands for the token of an approval link in a reply that is kept: tokens are never stored.
constexpr std::string_view kTokenPlace = "{token}";

orchestrator::NewTenant make_tenant(Service& service, const Body& body) {
    const std::string name = body.text("name").value_or("agent");
    const auto email = body.text("email");
    if (name.empty() || base::utf8_length(name) > kMaxName)
        throw bad_field("name", "\"name\" takes 1 to 64 characters.");
    if (email && email->size() > kMaxEmail)
        throw bad_field("email", "\"email\" takes at most 254 characters.");
    const auto invite = body.text("invite");
    if (invite) {
        auto made = service.accounts().sign_up_by_invite(name, email, *invite);
        if (made) return std::move(*made);
    }
    // An invite that was given must count for something, or its owner would be somebody else.
    if (invite || service.config().signup == Signup::invite)
        throw Refusal(403, "invite_required",
                      invite ? "The invite is not good (any more)."
                             : "This server takes new agents by invite only.",
                      "Ask the human who runs it for an invite.");
    return service.accounts().sign_up(name, email);
}

http::Reply sign_up(Service& service, const http::Request& request) {
    service.limit_signups(request);
    if (service.config().signup == Signup::closed)
        throw Refusal(403, "signup_closed", "This server does not take new agents by itself.",
                      "Ask the human who runs it for a key.");
    const orchestrator::NewTenant made = make_tenant(service, Body(request));
    const std::string_view key = made.key.key.reveal();
    return json_response(200, {{"tenant_id", made.row.id},
                               {"api_key", key},
                               {"token", key},
                               {"jwt", key},
                               {"tee_url", service.config().base_url},
                               {"role", "agent"},
                               {"message", "Keep this key. It is shown once."}});
}

[[noreturn]] void refuse(const orchestrator::TooManyPending& problem) {
    throw Refusal(429, "too_many_pending", "Too many requests of this agent wait for a decision.",
                  "Wait until the human has decided, or cancel some.",
                  {{"limit", problem.limit}, {"retry_after", 30}});
}

Json submitted_json(Service& service, const store::RequestRow& row) {
    return {{"request_id", row.id},
            {"session_id", row.session_id},
            {"status_url", service.status_url(row.id)},
            {"warnings", row.warnings}};
}

void put_pending(Service& service, const store::RequestRow& row, Json& out) {
    out["approval_url"] = service.approval_url(row.id);
    out["expires_at"] = base::to_millis(row.expires_at);
}

Json execute(Service& service, const Principal& agent,
             const orchestrator::ExecuteSubmission& submission) {
    auto outcome = service.orchestrator().submit(agent, submission);
    if (const auto* problem = std::get_if<orchestrator::TooManyPending>(&outcome)) refuse(*problem);
    const auto& submitted = std::get<orchestrator::Submitted>(outcome);
    const store::RequestRow& row = submitted.row;
    Json out = submitted_json(service, row);
    out["status"] = policy::to_string(row.status);
    if (policy::is_undecided(row.status)) {
        out["message"] = "Show approval_url to the human and poll status_url.";
        put_pending(service, row, out);
        if (submitted.session_exists) out["policy_violations"] = row.violations;
        if (submitted.in_review) {
            out["review"] = "pending";
            out["message"] =
                "A reviewer looks at it first: poll status_url, and show approval_url "
                "to the human if it stays pending.";
        }
    } else {
        out["message"] = row.authority == orchestrator::kSession ? "Approved by session policy."
                                                                 : "Approved: the code is trusted.";
    }
    return out;
}

Json scope(Service& service, const Principal& agent,
           const orchestrator::ScopeSubmission& submission) {
    auto outcome = service.orchestrator().submit(agent, submission);
    if (const auto* problem = std::get_if<orchestrator::TooManyPending>(&outcome)) refuse(*problem);
    const store::RequestRow& row = std::get<orchestrator::Submitted>(outcome).row;
    Json out = submitted_json(service, row);
    out["status"] = "pending_scope";
    out["message"] = "Awaiting approval of the scope.";
    out["constraints"] = Json::array();
    for (const policy::Constraint& constraint : row.scope->constraints)
        out["constraints"].push_back(policy::to_json(constraint));
    put_pending(service, row, out);
    return out;
}

void replace(std::string& text, std::string_view what, std::string_view by) {
    const std::size_t at = text.find(what);
    if (at != std::string::npos) text.replace(at, what.size(), by);
}

/// The token in the approval link of a submission's reply; "" if there is none.
std::string token_of(Service& service, const std::string& reply) {
    const Json document = base::parse_json(reply);
    if (!document.contains("approval_url")) return {};
    return service.access().approval_token(document.at("request_id").get<std::string>());
}

/// Makes a submission once, however often it comes with the same Idempotency-Key (wire 1.3).
http::Reply once(Service& service, const http::Request& request, const Principal& agent,
                 std::string_view route, const std::function<Json()>& submit) {
    const std::string key(request.header("Idempotency-Key"));
    if (!request.has_header("Idempotency-Key")) return json_response(200, submit());
    const bool good =
        !key.empty() && key.size() <= kMaxIdempotencyKey &&
        std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c <= '~'; });
    if (!good)
        throw bad_field("Idempotency-Key",
                        "An Idempotency-Key has 1 to 255 visible ASCII characters.");
    const auto outcome = service.replays().answer({agent.tenant_id, route, key, request.body}, [&] {
        std::string reply = base::dump_json(submit());
        if (const std::string token = token_of(service, reply); !token.empty())
            replace(reply, token, kTokenPlace);
        return store::IdempotentReply{"", 200, std::move(reply)};
    });
    const auto* answered = std::get_if<orchestrator::Answered>(&outcome);
    if (answered == nullptr)
        throw Refusal(422, "idempotency_mismatch",
                      "This Idempotency-Key was used for another request.",
                      "Use a new key for a new request.");
    http::Response out = document_response(answered->status, answered->reply);
    if (answered->replayed) out.headers.emplace_back("Idempotent-Replay", "true");
    if (const std::string token = token_of(service, out.body); !token.empty())
        replace(out.body, kTokenPlace, token);
    return out;
}

http::Reply post_execute(Service& service, const http::Request& request, const Principal& agent) {
    service.limit_submissions(agent);
    const Body body(request);
    const orchestrator::ExecuteSubmission submission = read_execute(body);
    if (body.boolean("dry_run") == true)
        return json_response(200, dry_run_json(service, agent, submission));
    return once(service, request, agent, "execute",
                [&] { return execute(service, agent, submission); });
}

http::Reply post_scope(Service& service, const http::Request& request, const Principal& agent) {
    service.limit_submissions(agent);
    const orchestrator::ScopeSubmission submission = read_scope(Body(request));
    return once(service, request, agent, "scope",
                [&] { return scope(service, agent, submission); });
}

/// What a poll asked for (wire 5.5). Bad values are ignored: a poll must not fail.
struct PollOptions {
    bool wait = false;
    bool until_final = false;
    base::Millis limit{0};
};

PollOptions poll_options(const http::Request& request, base::Millis hold) {
    PollOptions out;
    const std::string wait = request.query_value("wait").value_or("");
    out.wait = wait == "1" || wait.starts_with("true");
    out.until_final = request.query_value("until") == "final";
    out.limit = hold;
    const std::string text = request.query_value("timeout").value_or("");
    std::int64_t ms = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
    if (!text.empty() && error == std::errc() && end == text.data() + text.size() && ms >= 0)
        out.limit = std::min(out.limit, base::Millis(ms));
    return out;
}

http::Reply status(Service& service, const http::Request& request, const Principal& who) {
    const std::string id = request.params.at(0);
    auto known = service.standings().find(service, who, id);
    if (!known) throw not_found();
    const PollOptions options = poll_options(request, service.config().poll_hold);
    const auto ended = [until_final = options.until_final](policy::Status now) {
        return until_final ? policy::is_final(now) : policy::ends_poll(now);
    };
    if (!options.wait || ended(known->status))
        return document_response(200, std::move(known->document));
    return http::Hold{
        id, options.limit,
        [&service, who, id, ended, last_known = std::move(known->document)](
            bool last) mutable -> std::optional<http::Response> {
            try {
                // A key is revoked at once, also for who waits already.
                if (!service.access().still_valid(who))
                    return refusal_response({401, "invalid_key", "The key was revoked."});
                if (auto now = service.standings().find(service, who, id)) {
                    last_known = std::move(now->document);
                    if (ended(now->status)) return document_response(200, last_known);
                }
            } catch (const std::exception& e) {
                // A busy store must not fail a poll: the last known status is an
                // answer.
                base::log_warning("poll of {}: {}", id, e.what());
            }
            if (!last) return std::nullopt;
            return document_response(200, last_known);
        }};
}

http::Response already_final(const store::RequestRow& row) {
    return refusal_response(
        {409,
         "already_final",
         "The request has ended already.",
         {},
         {{"status", policy::wire_status(row.status, row.executed_at.has_value())}}});
}

/// How a request stands after it was told to stop: cancelled, unless its run ended by itself, or
/// has not ended yet.
http::Response cancel_response(const store::RequestRow& row) {
    if (policy::is_final(row.status) && row.status != policy::Status::cancelled)
        return already_final(row);
    return json_response(200,
                         {{"request_id", row.id},
                          {"status", policy::wire_status(row.status, row.executed_at.has_value())},
                          {"state", policy::to_string(row.status)}});
}

http::Reply cancel(Service& service, const http::Request& request, const Principal& who) {
    const std::string id = request.params.at(0);
    const auto done = service.orchestrator().cancel(who, id);
    if (!done) throw not_found();
    if (done->was_final) return already_final(done->row);
    if (!done->stopping) return cancel_response(done->row);
    // The reply waits until the sandbox is dead and its end is stored.
    return http::Hold{id, service.config().poll_hold,
                      [&service, who, id](bool last) -> std::optional<http::Response> {
                          const auto row = service.orchestrator().find(who, id);
                          if (!row) return refusal_response(not_found());
                          if (last || policy::is_final(row->status)) return cancel_response(*row);
                          return std::nullopt;
                      }};
}

http::Reply health(Service& service) {
    const bool well = service.config().can_run();
    return json_response(well ? 200 : 503,
                         {{"status", well ? "ok" : "degraded"},
                          {"version", service.config().version},
                          {"executor", "deno"},
                          {"approval", service.config().approval_by_link ? "link" : "owner"},
                          {"signup", to_string(service.config().signup)}});
}

}  // namespace

void add_skill_routes(Service& service, std::vector<Endpoint>& table) {
    table.push_back(
        {"GET", "/health", Auth::none, [&service](const auto&, auto) { return health(service); }});
    table.push_back({"POST", "/signup", Auth::none,
                     [&service](const auto& r, auto) { return sign_up(service, r); }});
    table.push_back({"POST", "/execute", Auth::agent, [&service](const auto& r, auto who) {
                         return post_execute(service, r, *who);
                     }});
    table.push_back({"POST", "/scope", Auth::agent,
                     [&service](const auto& r, auto who) { return post_scope(service, r, *who); }});
    table.push_back({"GET", "/execute/:id/status", Auth::agent_or_owner,
                     [&service](const auto& r, auto who) { return status(service, r, *who); }});
    table.push_back({"POST", "/execute/:id/cancel", Auth::agent_or_owner,
                     [&service](const auto& r, auto who) { return cancel(service, r, *who); }});
}

}  // namespace oauth3::api
