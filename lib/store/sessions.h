#pragma once

#include "base/clock.h"
#include "policy/session.h"
#include "store/database.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace oauth3::store {

/// A session of one tenant; its id means nothing to another tenant.
struct SessionRow {
    std::string tenant_id;
    std::string id;
    std::string owner_id;
    policy::Session session;
    std::optional<base::Time> ended_at = std::nullopt;  ///< set iff it was revoked
    std::optional<std::string> ended_reason = std::nullopt;
    std::int64_t ledger_seq = 0;  ///< of the event that last changed what it allows
};

/// What becomes of a session when a human has approved something in it.
enum class Growth { created, widened };

/// Sessions, and the ledger rows of what changes them.
class Sessions {
  public:
    explicit Sessions(Database& database) : database_(database) {}

    std::optional<SessionRow> find(std::string_view tenant_id, std::string_view id);
    /// The sessions of an owner, or of one of its tenants, that live now; latest activity first.
    std::vector<SessionRow> living(std::string_view owner_id,
                                   const std::optional<std::string>& tenant_id, base::Time now);
    /// The rows of this id in all tenants of an owner, living or not.
    std::vector<SessionRow> with_id(std::string_view owner_id, std::string_view id);

    /// Adds the row, or replaces the one with the same tenant and id.
    void put(Transaction&, const SessionRow& row);
    /// What of it is not as the ledger says that it was last approved or narrowed, by its names on
    /// the wire, or "approval" if the ledger does not say so last: somebody has written into the
    /// database. Empty if all is as it should be. Not for one that was revoked.
    std::vector<std::string> altered(const SessionRow& row);

    /// put(), and the ledger row of the approval of `request_id` by `actor`.
    void put_approved(Transaction&, const SessionRow& row, Growth growth,
                      const std::string& request_id, const std::string& actor, base::Time now);
    /// put(), and the ledger row session.narrowed.
    void put_narrowed(Transaction&, const SessionRow& row, const std::string& actor,
                      base::Time now);
    /// Ends the session for good, with the ledger row session.revoked. `row` is as it now stands.
    void revoke(Transaction&, SessionRow& row, const std::string& actor, const std::string& reason,
                base::Time now);
    /// A run has started: moves the last activity forward, never back.
    void touch(Transaction&, const SessionRow& row, base::Time now);

  private:
    Database& database_;
};

}  // namespace oauth3::store
