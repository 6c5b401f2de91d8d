#include "api/pages/event_view.h"

#include <fmt/format.h>

#include <map>

namespace oauth3::api::pages {
namespace {

/// A member of an event's detail; "" if it is not there or no text.
std::string text(const ledger::Event& event, const char* name) {
    const auto value = event.detail.find(name);
    return value != event.detail.end() && value->is_string() ? value->get<std::string>() : "";
}

std::string decided(const ledger::Event& event) {
    if (text(event, "by") == orchestrator::kSession) return "Approved by its session";
    if (text(event, "by").starts_with(orchestrator::kTrust)) return "Approved: its code is trusted";
    if (text(event, "decision") == "deny") {
        const std::string reason = text(event, "reason");
        return reason.empty() ? "Denied" : "Denied: " + reason;
    }
    const std::string level = text(event, "level");
    if (level == "24h") return "Approved, and its code trusted for 24 hours";
    if (level == "forever") return "Approved, and its code trusted";
    return level == "session" ? "Approved for the session" : "Approved";
}

}  // namespace

std::string event_words(const ledger::Event& event) {
    static const std::map<std::string, std::string, std::less<>> kWords{
        {"request.created", "Asked"},           {"request.started", "Started"},
        {"signup", "An agent signed up"},       {"login.ok", "Logged in"},
        {"login.failed", "A log-in failed"},    {"session.created", "Session begun"},
        {"session.widened", "Session widened"}, {"session.narrowed", "Session narrowed"},
        {"session.revoked", "Session revoked"}, {"key.created", "Key made"},
        {"trust.created", "Code trusted"},      {"trust.revoked", "Trust revoked"},
        {"key.revoked", "Key revoked"},         {"owner.created", "Owner made"},
        {"invite.created", "Invite made"},      {"ledger.checkpoint", "Checkpoint"},
    };
    if (event.action == "request.decided") return decided(event);
    if (event.action == "request.finished") {
        const std::string cause = text(event, "cause");
        const std::string end = "Ended: " + text(event, "to");
        return cause.empty() || cause == "finished" ? end : end + " (" + cause + ")";
    }
    if (event.action == "request.changed" && text(event, "to") == text(event, "from"))
        return event.detail.contains("review") ? "Reviewed" : "Its grant was cut";
    if (event.action == "request.changed")
        return fmt::format("Now {}, was {}", text(event, "to"), text(event, "from"));
    const auto known = kWords.find(event.action);
    return known == kWords.end() ? event.action : known->second;
}

std::string actor_words(const std::string& actor, const Principal& reader) {
    if (actor == "owner:" + reader.owner_id) return "by you";
    if (actor == "server") return "by the server";
    if (actor == "review") return "by the reviewer";
    if (actor == "link") return "through the approval link";
    if (actor.starts_with("agent:")) return "by the agent " + actor.substr(6);
    return "by " + actor;
}

}  // namespace oauth3::api::pages
