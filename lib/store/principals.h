#pragma once

#include "base/clock.h"
#include "store/database.h"

#include <optional>
#include <string>
#include <string_view>

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
};

/// Owners, tenants and keys.
class Principals {
  public:
    explicit Principals(Database& database) : database_(database) {}

    void add_owner(Transaction&, const OwnerRow& row);
    void add_tenant(Transaction&, const TenantRow& row);
    void add_key(Transaction&, const KeyRow& row, base::Time now);

    /// The server's owner: the first one made. nullopt before the first start is complete.
    std::optional<OwnerRow> first_owner();
    std::optional<TenantRow> tenant(std::string_view id);
    /// A key that is known and not revoked.
    std::optional<KeyRow> key_by_hash(std::string_view hash);

  private:
    Database& database_;
};

}  // namespace oauth3::store
