#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace oauth3::policy {

enum class Kind { execute, scope };

/// The life of a request (wire 5.4). A transition that is not in the table of status.cpp cannot
/// happen: the store asks here before it writes one.
enum class Status {
    pending,
    approved,
    awaiting_secrets,
    executing,
    completed,
    failed,
    denied,
    expired,
    cancelled,
};

inline constexpr Status kAllStatuses[] = {
    Status::pending,   Status::approved,  Status::awaiting_secrets,
    Status::executing, Status::completed, Status::failed,
    Status::denied,    Status::expired,   Status::cancelled};

/// The word of a status: `state` on the wire, and what the store keeps.
std::string_view to_string(Status status);
std::optional<Status> parse_status(std::string_view text);

std::string_view to_string(Kind kind);
std::optional<Kind> parse_kind(std::string_view text);

/// The member `status` on the wire, which knows fewer words than `state`: expired is "denied", and
/// cancelled is "denied" before the run started and "failed" after it.
std::string_view wire_status(Status status, bool started);

/// True for a status that never changes again.
bool is_final(Status status);

/// True while a human has not decided: pending, and only that.
bool is_undecided(Status status);

/// True iff a held poll is answered on this status (wire 5.5).
bool ends_poll(Status status);

/// True iff a request of this kind may go from one status to the other.
bool may_become(Kind kind, Status from, Status to);

/// All legal next statuses.
std::vector<Status> next_statuses(Kind kind, Status from);

}  // namespace oauth3::policy
