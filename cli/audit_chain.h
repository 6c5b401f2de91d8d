#pragma once

#include "base/json.h"

#include <cstdint>
#include <optional>
#include <string>

namespace oauth3::cli {

/// Checks an owner's audit chain (wire section 9) event by event, as it stands on the wire, in the
/// order of the events: seq is 1, 2, 3, ..., prev is the hash of the event before, and hash fits.
/// Works on the documents themselves, so a member that was added or changed is found, too.
class AuditChain {
  public:
    /// The next event. False for the first one that does not follow, which is then broken_at().
    /// Nothing after it counts.
    bool add(const base::Json& event);

    std::int64_t count() const { return count_; }
    /// The hash of the last event; 64 zeros before the first.
    const std::string& last_hash() const { return last_hash_; }
    /// The seq that the first broken event has or should have.
    std::optional<std::int64_t> broken_at() const { return broken_at_; }
    /// Why, in one sentence.
    const std::string& reason() const { return reason_; }

  private:
    bool refuse(std::string reason);

    std::int64_t count_ = 0;
    std::string last_hash_ = std::string(64, '0');
    std::optional<std::int64_t> broken_at_;
    std::string reason_;
};

/// The events of an exported file, in the order of their seq: one JSON object a line, or one
/// document that is a list of events, or an object with such a list as `events`. Lines may also be
/// such objects. Throws base::Error "bad_export" for anything else.
base::Json read_exported_events(const std::string& text);

}  // namespace oauth3::cli
