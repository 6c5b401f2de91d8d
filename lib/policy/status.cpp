#include "policy/status.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace oauth3::policy {
namespace {

struct Transition {
    Status from;
    Status to;
};

using enum Status;

constexpr Transition kExecute[] = {
    {pending, approved},
    {pending, denied},
    {pending, expired},
    {pending, cancelled},
    {approved, executing},
    {approved, failed},  // it cannot be started: set-up, or the grant does not match
    {approved, awaiting_secrets},
    {approved, denied},  // its session was revoked or narrowed
    {approved, cancelled},
    {awaiting_secrets, approved},
    {awaiting_secrets, denied},
    {awaiting_secrets, expired},
    {awaiting_secrets, cancelled},
    {executing, completed},
    {executing, failed},
    {executing, cancelled},
};

constexpr Transition kScope[] = {
    {pending, completed},
    {pending, denied},
    {pending, expired},
    {pending, cancelled},
};

constexpr std::pair<Status, std::string_view> kNames[] = {
    {pending, "pending"},     {approved, "approved"},   {awaiting_secrets, "awaiting_secrets"},
    {executing, "executing"}, {completed, "completed"}, {failed, "failed"},
    {denied, "denied"},       {expired, "expired"},     {cancelled, "cancelled"},
};

std::vector<Transition> table_of(Kind kind) {
    switch (kind) {
        case Kind::execute:
            return {std::begin(kExecute), std::end(kExecute)};
        case Kind::scope:
            return {std::begin(kScope), std::end(kScope)};
    }
    return {};
}

}  // namespace

std::string_view to_string(Status status) {
    for (const auto& [value, name] : kNames)
        if (value == status) return name;
    return "?";
}

std::optional<Status> parse_status(std::string_view text) {
    for (const auto& [value, name] : kNames)
        if (name == text) return value;
    return std::nullopt;
}

std::string_view to_string(Kind kind) {
    return kind == Kind::scope ? "scope" : "execute";
}

std::optional<Kind> parse_kind(std::string_view text) {
    if (text == "execute") return Kind::execute;
    if (text == "scope") return Kind::scope;
    return std::nullopt;
}

std::string_view wire_status(Status status, bool started) {
    switch (status) {
        case expired:
            return "denied";
        case cancelled:
            return started ? "failed" : "denied";
        case pending:
        case approved:
        case awaiting_secrets:
        case executing:
        case completed:
        case failed:
        case denied:
            return to_string(status);
    }
    return "?";
}

bool is_final(Status status) {
    switch (status) {
        case completed:
        case failed:
        case denied:
        case expired:
        case cancelled:
            return true;
        case pending:
        case approved:
        case awaiting_secrets:
        case executing:
            return false;
    }
    return true;
}

bool is_undecided(Status status) {
    return status == pending;
}

bool ends_poll(Status status) {
    return is_final(status) || status == awaiting_secrets;
}

std::vector<Status> next_statuses(Kind kind, Status from) {
    std::vector<Status> out;
    for (const Transition& t : table_of(kind))
        if (t.from == from) out.push_back(t.to);
    return out;
}

bool may_become(Kind kind, Status from, Status to) {
    const auto next = next_statuses(kind, from);
    return std::find(next.begin(), next.end(), to) != next.end();
}

}  // namespace oauth3::policy
