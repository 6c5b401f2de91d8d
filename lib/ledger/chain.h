#pragma once

#include "base/json.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace oauth3::ledger {

/// One row of an owner's audit chain (wire 9). `hash` is the SHA-256 of `prev` (64 hex) followed
/// by the RFC 8785 form of the event without `hash`.
struct Event {
    std::int64_t seq = 0;  ///< 1, 2, 3, ... without gaps
    std::int64_t at = 0;   ///< milliseconds since 1970 UTC
    std::string actor;     ///< "owner:<id>", "agent:<tenant>" or "server"
    std::string action;
    std::optional<std::string> tenant_id;
    std::optional<std::string> request_id;
    base::Json detail = base::Json::object();
    std::string prev;
    std::string hash;
};

/// What stands before the first event: 64 zeros.
std::string first_prev();

/// The hash that belongs to an event; its `hash` member is not looked at.
std::string hash_of(const Event& event);

/// Sets seq, prev and hash, so that the event follows one with number `last_seq` (0: none) and
/// hash `last_hash`.
void link(Event& event, std::int64_t last_seq, const std::string& last_hash);

/// The event as it stands on the wire, with `hash`.
base::Json to_json(const Event& event);

/// Checks events in order against the end of what came before. nullopt if all are right, else
/// the number of the first event that does not follow from the one before it.
std::optional<std::int64_t> first_break(const std::vector<Event>& events, std::int64_t last_seq = 0,
                                        std::string last_hash = first_prev());

}  // namespace oauth3::ledger
