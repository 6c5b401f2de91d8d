#include "api/decision.h"

#include "api/refusal.h"
#include "base/utf8.h"
#include "http/form.h"
#include "policy/reading.h"
#include "policy/status.h"

#include <string>

namespace oauth3::api {
namespace {

using base::Json;
using orchestrator::Decision;
using orchestrator::Level;

constexpr std::size_t kMaxReason = 1000;

Level read_level(std::string_view word, policy::Kind kind) {
    for (const Level level : {Level::once, Level::session, Level::day, Level::forever})
        if (word == to_string(level)) return level;
    if (word == "trust_code") return Level::forever;
    if (kind == policy::Kind::scope && word == "scope") return Level::once;
    throw Refusal(400, "invalid_level", "There is no such level.",
                  "Use once, session, 24h or forever.");
}

bool is_trust(Level level) {
    return level == Level::day || level == Level::forever;
}

/// The parts of a decision that form and JSON have in common, as texts.
struct Given {
    std::string action;
    std::string level;
    std::string reason;
    std::optional<std::string> session_digest;
    bool pin_args = false;
    bool any_code = true;
};

Decision make(Given given, policy::Kind kind) {
    Decision out;
    if (given.action != "approve" && given.action != "deny")
        throw Refusal(400, "invalid_action", "The action must be approve or deny.");
    out.approve = given.action == "approve";
    if (out.approve) out.level = read_level(given.level, kind);
    if (base::utf8_length(given.reason) > kMaxReason)
        throw bad_field("reason", "\"reason\" takes at most 1000 characters.");
    out.reason = std::move(given.reason);
    out.session_digest = std::move(given.session_digest);
    // Runs of a session take any arguments, so a promise that they are pinned would be false.
    if (given.pin_args && out.approve && kind == policy::Kind::execute &&
        out.level == Level::session)
        throw bad_field("pin_args", "Arguments can be pinned for 24h and forever only.");
    out.pin_args = given.pin_args;
    out.any_code = given.any_code;
    return out;
}

void read_narrow(const Body& body, policy::Kind kind, Decision& out) {
    const Json* narrow = body.find("narrow");
    if (narrow == nullptr) return;
    if (!narrow->is_object()) throw bad_field("narrow", "\"narrow\" must be an object.");
    const base::Members members(*narrow);
    out.narrowing = policy::read_narrowing(members);
    out.narrowing_text = base::dump_json(*narrow);
    if (kind == policy::Kind::scope) return;
    const auto more = members.unknown({"secrets", "networks", "rules", "max_timeout"});
    if (!more.empty())
        throw bad_field("narrow", "\"" + more.front() + "\" is no part of an execution.");
    // Trust is by code, secrets and networks, so the next run would not be held to these.
    if (is_trust(out.level) && (out.narrowing->rules || out.narrowing->max_timeout))
        throw bad_field("narrow", "Rules and time cannot be cut for 24h and forever.");
}

Refusal not_available(const std::string& field) {
    return bad_field(field, "\"" + field + "\" is not available on this server.");
}

}  // namespace

Decision read_decision(const Body& body, policy::Kind kind) {
    body.refuse({"secrets"});
    Decision out =
        make({body.text("action").value_or(""), body.text("level").value_or("once"),
              body.text("reason").value_or(""), body.text("session_digest"),
              body.boolean("pin_args").value_or(false), body.boolean("any_code").value_or(true)},
             kind);
    if (out.approve) read_narrow(body, kind, out);
    return out;
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
        if (secret || narrows) throw not_available(name);
    }
    const auto text = [&form](std::string_view name, std::string_view otherwise) {
        const auto value = http::form_value(form, name);
        return std::string(value && !value->empty() ? *value : otherwise);
    };
    const auto flag = [&text](std::string_view name, bool otherwise) {
        const std::string value = text(name, otherwise ? "1" : "0");
        if (value != "0" && value != "1") throw bad_field(std::string(name), "It must be 0 or 1.");
        return value == "1";
    };
    Given given{text("action", ""), text("level", "once"),   text("reason", ""),
                std::nullopt,       flag("pin_args", false), flag("any_code", true)};
    // A browser sends the line ends of a text field as CR LF.
    std::erase(given.reason, '\r');
    if (std::string digest = text("session_digest", ""); !digest.empty())
        given.session_digest = std::move(digest);
    return make(std::move(given), kind);
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
    if (row.kind == policy::Kind::scope && row.status == policy::Status::completed) {
        out["session_id"] = row.session_id;
        out["expanded"] = done.expanded;
        out["constraints"] = done.constraints;
    }
    return out;
}

}  // namespace oauth3::api
