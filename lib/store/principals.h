#pragma once

#include "base/clock.h"
#include "store/database.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace oauth3::store {

struct OwnerRow {
    std::string id;
    std::string name;
    bool admin = false;
    base::Time created_at;
};

struct TenantRow {
    std::string id;
    std::string owner_id;
    std::string name;  ///< what the agent claims to be called
    std::optional<std::string> email;
    base::Time created_at;
};

/// Whom a key stands for. `tenant` is set for an agent's key only.
struct KeyRow {
    std::string id;
    std::string hash;  ///< SHA-256 of the key, 64 hex
    std::string owner_id;
    std::optional<std::string> tenant_id;
    bool admin = false;  ///< the owner is an administrator; read only
    base::Time created_at;
    std::optional<base::Time> revoked_at;
};

/// Lets agents sign up as tenants of an owner.
struct InviteRow {
    std::string id;
    std::string hash;  ///< SHA-256 of the invite, 64 hex
    std::string owner_id;
    std::int64_t max_uses = 1;
    std::int64_t uses = 0;
    base::Time created_at;
    base::Time expires_at;
};

/// Owners, tenants, keys and invites. Lists are oldest first.
class Principals {
  public:
    explicit Principals(Database& database) : database_(database) {}

    void add_owner(Transaction&, const OwnerRow& row);
    void add_tenant(Transaction&, const TenantRow& row);
    void add_key(Transaction&, const KeyRow& row, base::Time now);
    void add_invite(Transaction&, const InviteRow& row);

    /// The server's owner: the first one made. nullopt before the first start is complete.
    std::optional<OwnerRow> first_owner();
    std::optional<OwnerRow> owner(std::string_view id);
    std::vector<OwnerRow> owners();

    std::optional<TenantRow> tenant(std::string_view id);
    std::vector<TenantRow> tenants(std::string_view owner_id);

    /// A key that is known and not revoked.
    std::optional<KeyRow> key_by_hash(std::string_view hash);
    std::optional<KeyRow> key(std::string_view id);
    /// All keys of an owner and its tenants, revoked ones too.
    std::vector<KeyRow> keys(std::string_view owner_id);
    /// False if the key is unknown or was revoked before.
    bool revoke_key(Transaction&, std::string_view id, base::Time now);

    std::vector<InviteRow> invites();
    /// Counts one use of an invite and returns it; nullopt if it is unknown, used up or too old.
    std::optional<InviteRow> use_invite(Transaction&, std::string_view hash, base::Time now);

  private:
    Database& database_;
};

}  // namespace oauth3::store
