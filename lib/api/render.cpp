#include "api/render.h"

#include "api/pages/request_view.h"
#include "base/utf8.h"
#include "policy/session.h"
#include "policy/status.h"
#include "skill/declaration.h"

#include <algorithm>
#include <chrono>

namespace oauth3::api {
namespace {

using base::Json;
using policy::Kind;

/// Bytes of an error in the history; the status of the request has all of it.
constexpr std::size_t kMostHistoryError = 1024;

void put_time(Json& out, const char* name, const std::optional<base::Time>& time) {
    if (time) out[name] = base::to_millis(*time);
}

template <typename Row>
std::string_view wire_status(const Row& row) {
    return policy::wire_status(row.status, row.executed_at.has_value());
}

Json result_json(const store::ResultRow& result) {
    Json out{{"success", result.success},
             {"stdout", result.out},
             {"stderr", result.err},
             {"exitCode", result.exit_code},
             {"duration", result.duration.count()}};
    if (result.timed_out) out["timed_out"] = true;
    if (result.oom_killed) out["oom_killed"] = true;
    if (result.truncated) out["truncated"] = true;
    if (result.signal) out["signal"] = *result.signal;
    if (!result.usage.is_null()) out["usage"] = result.usage;
    return out;
}

void put_end(Service& service, Json& out, const store::RequestRow& row) {
    if (row.kind == Kind::execute && policy::is_final(row.status))
        if (const auto result = service.orchestrator().result(row))
            out["result"] = result_json(*result);
    if (row.error) out["error"] = *row.error;
}

Json metadata_json(const std::string& code) {
    const auto parsed = skill::parse(code);
    const auto* declared = std::get_if<skill::Declaration>(&parsed);
    if (declared == nullptr) return nullptr;
    return {{"skill", declared->skill ? Json(*declared->skill) : Json()},
            {"description", declared->description},
            {"secrets", declared->secrets},
            {"network", policy::texts_of(declared->networks)},
            {"timeout", declared->timeout.count()}};
}

Json scope_json(const store::RequestRow& row) {
    Json constraints = Json::array();
    Json texts = Json::array();
    for (const policy::Constraint& constraint : row.scope->constraints) {
        constraints.push_back(policy::to_json(constraint));
        texts.push_back(constraint.text);
    }
    Json out{{"session_id", row.session_id},
             {"description", row.scope->description},
             {"constraints", std::move(texts)},
             {"structured_constraints", std::move(constraints)},
             {"secrets", row.scope->secrets},
             {"networks", policy::texts_of(row.scope->networks)},
             {"rules", policy::to_json(row.scope->rules)},
             {"args", policy::args_to_json(row.scope->args)},
             {"max_timeout", row.scope->max_timeout.count()}};
    if (row.scope->expires_in) out["expires_in"] = row.scope->expires_in->count();
    if (row.scope->max_runs) out["max_runs"] = *row.scope->max_runs;
    if (row.scope->budgets != policy::Budgets())
        out["budgets"] = policy::to_json(row.scope->budgets);
    return out;
}

}  // namespace

Json status_json(Service& service, const store::RequestRow& row) {
    Json out{{"request_id", row.id},
             {"status", wire_status(row)},
             {"state", policy::to_string(row.status)},
             {"created_at", base::to_millis(row.created_at)},
             {"session_id", row.session_id}};
    put_time(out, "approved_at", row.approved_at);
    put_time(out, "executed_at", row.executed_at);
    put_time(out, "completed_at", row.completed_at);
    put_end(service, out, row);
    if (policy::is_undecided(row.status)) {
        out["approval_url"] = service.approval_url(row.id);
        out["expires_at"] = base::to_millis(row.expires_at);
    }
    return out;
}

Json summary_json(Service& service, const store::RequestRow& row) {
    const bool scope = row.kind == Kind::scope;
    const auto& networks = scope ? row.scope->networks : row.ask.networks;
    Json out{{"id", row.id},
             {"kind", policy::to_string(row.kind)},
             {"status", wire_status(row)},
             {"state", policy::to_string(row.status)},
             {"tenant_id", row.tenant_id},
             {"agent", service.access().tenant_name(row.tenant_id)},
             {"skill_id", row.skill_id},
             {"description", row.description},
             {"session_id", row.session_id},
             {"secrets", scope ? row.scope->secrets : row.ask.secrets},
             {"networks", policy::texts_of(networks)},
             {"timeout", row.ask.timeout.count()},
             {"created_at", base::to_millis(row.created_at)},
             {"expires_at", base::to_millis(row.expires_at)}};
    out["code_hash"] = row.code_hash ? Json(*row.code_hash) : Json();
    return out;
}

Json history_json(const store::HistoryRow& row) {
    Json out{{"request_id", row.id},
             {"tracking_id", row.id},
             {"kind", policy::to_string(row.kind)},
             {"skill_id", row.skill_id},
             {"status", wire_status(row)},
             {"state", policy::to_string(row.status)},
             {"code_hash", row.code_hash ? Json(*row.code_hash) : Json()},
             {"session_id", row.session_id},
             {"created_at", base::to_millis(row.created_at)}};
    put_time(out, "approved_at", row.approved_at);
    put_time(out, "executed_at", row.executed_at);
    put_time(out, "completed_at", row.completed_at);
    // A program's whole stderr may stand there; a page has up to 500 entries.
    if (row.error) out["error"] = base::cut_utf8(*row.error, kMostHistoryError);
    return out;
}

Json session_json(const store::SessionRow& row, base::Time now) {
    const auto minutes = [now](base::Time since) {
        return std::max<std::int64_t>(
            0, std::chrono::duration_cast<std::chrono::minutes>(now - since).count());
    };
    const policy::Session& session = row.session;
    return {{"session_id", row.id},
            {"tenant_id", row.tenant_id},
            {"created_at", base::to_millis(session.created_at)},
            {"last_activity", base::to_millis(session.last_activity)},
            {"age_minutes", minutes(session.created_at)},
            {"idle_minutes", minutes(session.last_activity)},
            {"expires_at", base::to_millis(session.expires_at)},
            {"runs_used", session.runs_used},
            {"policy", policy::to_json(session.policy)}};
}

Json trust_json(const store::TrustRow& row) {
    Json out{{"id", row.id},
             {"tenant_id", row.tenant_id},
             {"code_hash", row.code_hash},
             {"skill_id", row.skill_id},
             {"secrets", row.secrets},
             {"networks", row.networks},
             {"level", row.level},
             {"pin_args", row.args_hash.has_value()},
             {"created_at", base::to_millis(row.created_at)},
             {"expires_at", nullptr},
             {"last_used_at", nullptr},
             {"uses", row.uses}};
    put_time(out, "expires_at", row.expires_at);
    put_time(out, "last_used_at", row.last_used_at);
    return out;
}

Json request_json(Service& service, const store::RequestRow& row) {
    Json out = summary_json(service, row);
    const std::string code = service.orchestrator().code(row);
    out["code"] = row.code_hash ? Json(code) : Json();
    out["metadata"] = row.code_hash ? metadata_json(code) : Json();
    out["args"] = row.ask.args;
    out["analysis"] = nullptr;
    out["warnings"] = row.warnings;
    if (row.declared_id && *row.declared_id != row.skill_id) out["declared_id"] = *row.declared_id;
    if (!row.violations.empty()) out["policy_violations"] = row.violations;
    if (row.scope) out["scope_request"] = scope_json(row);
    if (policy::is_undecided(row.status)) {
        out["session_digest"] = service.orchestrator().session_digest(row);
        // Whoever decides has to know, and cannot tell from the scope alone.
        if (row.scope) out["scope_request"]["any_code"] = pages::may_run_any_code(service, row);
    }
    if (row.authority) out["authority"] = *row.authority;
    if (row.level) out["level"] = *row.level;
    if (row.review) out["review"] = *row.review;
    if (row.grant_digest) out["grant"] = *row.grant_digest;
    put_time(out, "approved_at", row.approved_at);
    put_time(out, "executed_at", row.executed_at);
    put_time(out, "completed_at", row.completed_at);
    put_end(service, out, row);
    return out;
}

}  // namespace oauth3::api
