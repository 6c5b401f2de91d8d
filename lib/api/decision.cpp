#include "api/decision.h"

#include "api/refusal.h"
#include "base/utf8.h"
#include "http/form.h"
#include "policy/status.h"

#include <string>

namespace oauth3::api {
namespace {

using base::Json;
using orchestrator::Decision;
using orchestrator::Level;

constexpr std::size_t kMaxReason = 1000;

Level read_level(std::string_view word, policy::Kind kind) {
    if (word == "once") return Level::once;
    if (word == "session") return Level::session;
    const bool known = word == "24h" || word == "forever" || word == "trust_code";
    if (kind == policy::Kind::scope && (known || word == "scope")) return Level::once;
    throw Refusal(400, "invalid_level",
                  known ? "That level is not available on this server." : "There is no such level.",
                  "Use once or session.");
}

Decision make(std::string_view action, std::string_view level, std::string reason,
              std::optional<std::string> session_digest, policy::Kind kind) {
    Decision out;
    if (action != "approve" && action != "deny")
        throw Refusal(400, "invalid_action", "The action must be approve or deny.");
    out.approve = action == "approve";
    if (out.approve) out.level = read_level(level, kind);
    if (base::utf8_length(reason) > kMaxReason)
        throw bad_field("reason", "\"reason\" takes at most 1000 characters.");
    out.reason = std::move(reason);
    out.session_digest = std::move(session_digest);
    return out;
}

Refusal not_available(const std::string& field) {
    return bad_field(field, "\"" + field + "\" is not available on this server.");
}

}  // namespace

Decision read_decision(const Body& body, policy::Kind kind) {
    body.refuse({"secrets", "narrow"});
    if (body.boolean("pin_args") == true) body.refuse({"pin_args"});
    return make(body.text("action").value_or(""), body.text("level").value_or("once"),
                body.text("reason").value_or(""), body.text("session_digest"), kind);
}

Decision read_decision(const http::Fields& form, policy::Kind kind) {
    constexpr std::string_view kSecret = "secret_";
    constexpr std::string_view kNarrowing[] = {"keep_secret", "keep_network", "keep_method",
                                               "max_timeout"};
    for (const auto& [name, value] : form) {
        if (value.empty()) continue;
        const bool secret = std::string_view(name).substr(0, kSecret.size()) == kSecret;
        const bool narrows =
            std::find(std::begin(kNarrowing), std::end(kNarrowing), name) != std::end(kNarrowing);
        if (secret || narrows || (name == "pin_args" && value != "0")) throw not_available(name);
    }
    const auto text = [&form](std::string_view name, std::string_view otherwise) {
        const auto value = http::form_value(form, name);
        return std::string(value && !value->empty() ? *value : otherwise);
    };
    // A browser sends the line ends of a text field as CR LF.
    std::string reason = text("reason", "");
    std::erase(reason, '\r');
    std::optional<std::string> seen;
    if (std::string digest = text("session_digest", ""); !digest.empty()) seen = std::move(digest);
    return make(text("action", ""), text("level", "once"), std::move(reason), std::move(seen),
                kind);
}

Refusal session_changed() {
    return bad_field("session_digest", kSessionChanged);
}

std::string_view status_word(const store::RequestRow& row) {
    return policy::wire_status(row.status, row.executed_at.has_value());
}

Json decided_json(const orchestrator::Decided& done) {
    const store::RequestRow& row = done.row;
    Json out{{"id", row.id}, {"status", status_word(row)}};
    if (row.status == policy::Status::approved) out["executing"] = true;
    if (row.status == policy::Status::completed) {
        out["session_id"] = row.session_id;
        out["expanded"] = done.expanded;
        out["constraints"] = done.constraints;
    }
    return out;
}

}  // namespace oauth3::api
