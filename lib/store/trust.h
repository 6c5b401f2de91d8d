#pragma once

#include "base/clock.h"
#include "policy/grant.h"
#include "store/database.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace oauth3::store {

/// Code that a human trusts beyond a session (wire 6.2): it runs again without being asked for with
/// exactly these secrets and networks, and with these arguments if they are pinned.
struct TrustRow {
    std::string id;
    std::string owner_id;
    std::string tenant_id;
    std::string code_hash;
    std::string skill_id;                  ///< that it had when it was approved, for people
    std::vector<std::string> secrets;      ///< sorted
    std::vector<std::string> networks;     ///< sorted texts
    std::optional<std::string> args_hash;  ///< SHA-256 of SKILL_ARGS; set iff they are pinned
    std::string level;                     ///< "24h" or "forever"
    base::Time created_at;
    std::optional<base::Time> expires_at;
    std::optional<base::Time> last_used_at;
    std::int64_t uses = 0;
    std::int64_t ledger_seq = 0;  ///< of the event that tells of it
};

/// Trust, and the ledger rows of what changes it.
class Trust {
  public:
    explicit Trust(Database& database) : database_(database) {}

    /// Adds the row, with the ledger row trust.created, and sets its ledger_seq. One with the same
    /// key is replaced and hands its id on, since queued runs may name it as what approved them.
    void put(Transaction&, TrustRow& row, const std::string& request_id, const std::string& actor);
    /// What this grant's code is trusted by now. A row that is not as the ledger says that it was
    /// approved counts for nothing.
    std::optional<TrustRow> match(std::string_view tenant_id, const policy::Grant& grant,
                                  base::Time now);
    std::optional<TrustRow> find(std::string_view id);
    /// Whether it is as the ledger says that it was approved: nobody has written into the database.
    bool is_as_approved(const TrustRow& row);
    /// What has not expired of an owner, or of one of its tenants; newest first.
    std::vector<TrustRow> living(std::string_view owner_id,
                                 const std::optional<std::string>& tenant_id, base::Time now);
    void count_use(Transaction&, std::string_view id, base::Time now);
    /// With the ledger row trust.revoked.
    void remove(Transaction&, const TrustRow& row, const std::string& actor, base::Time now);

  private:
    Database& database_;
};

/// The parts of a grant that trust is keyed by, as a row; its args are pinned if so wished.
TrustRow trust_of(const policy::Grant& grant, bool pin_args);

}  // namespace oauth3::store
