#pragma once

#include "base/clock.h"
#include "base/json.h"
#include "base/secret_string.h"
#include "orchestrator/access.h"
#include "store/principals.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace oauth3::orchestrator {

/// A key that was just made: shown once, stored only as a hash.
struct NewKey {
    store::KeyRow row;
    base::SecretString key;
};

struct NewTenant {
    store::TenantRow row;
    NewKey key;
};

struct NewOwner {
    store::OwnerRow row;
    NewKey key;
};

struct NewInvite {
    store::InviteRow row;
    base::SecretString invite;
};

/// How long an invite is good, if nothing else is said, and at most.
inline constexpr base::Seconds kInviteLife{7 * 86400};
inline constexpr base::Seconds kLongestInviteLife{30 * 86400};

/// The tenant that calls without a key act for on a server without authentication.
inline constexpr std::string_view kDevTenant = "dev";

/// Who there is: owners, tenants, their keys, and invites. Whatever an owner does not own does not
/// exist for it.
class Accounts {
  public:
    Accounts(store::Database& database, const base::Clock& clock);

    /// True iff the server has its owner, that is after the first start.
    bool has_owner();

    /// Makes the server's owner. `deliver` gets the key and must have brought it to the human when
    /// it returns; if it throws, nothing was made.
    void create_server_owner(const std::function<void(const base::SecretString&)>& deliver);

    /// A new tenant of the server's owner. `name` is what the agent claims to be called. Throws
    /// Error "no_owner" before there is one.
    NewTenant sign_up(const std::string& name, const std::optional<std::string>& email);

    /// A new tenant of the owner who is named by the invite; nullopt for one that is not good.
    std::optional<NewTenant> sign_up_by_invite(const std::string& name,
                                               const std::optional<std::string>& email,
                                               std::string_view invite);

    /// The tenant "dev" of the server's owner, made if it is not there, as a caller without a key.
    Principal dev_agent();

    std::optional<store::OwnerRow> owner(const Principal& who);
    std::optional<store::TenantRow> tenant(const Principal& who, std::string_view id);
    /// The owner's; for an agent its own.
    std::vector<store::TenantRow> tenants(const Principal& who);
    NewTenant create_tenant(const Principal& owner, const std::string& name);

    /// The keys of the owner and its tenants, revoked ones too; of one tenant only, if it is given.
    std::vector<store::KeyRow> keys(const Principal& owner,
                                    const std::optional<std::string>& tenant_id);
    /// A further key of a tenant; nullopt for one that is not the owner's.
    std::optional<NewKey> create_key(const Principal& owner, std::string_view tenant_id);
    /// A further key of the owner itself.
    NewKey create_owner_key(const Principal& owner);
    /// Revokes one of the owner's or its tenants' keys, at once; false if there is none (left).
    bool revoke_key(const Principal& owner, std::string_view id);

    // For an administrator.
    std::vector<store::OwnerRow> owners();
    NewOwner create_owner(const Principal& admin, const std::string& name);
    std::vector<store::InviteRow> invites();
    /// Lets agents sign up as tenants of `owner_id`; nullopt if there is no such owner.
    std::optional<NewInvite> create_invite(const Principal& admin, const std::string& owner_id,
                                           std::int64_t max_uses, base::Seconds life);

  private:
    NewKey add_key(store::Transaction& tx, const std::string& owner_id,
                   const std::optional<std::string>& tenant_id);
    NewTenant add_tenant(store::Transaction& tx, const std::string& owner_id,
                         const std::string& name, const std::optional<std::string>& email);
    void append(store::Transaction& tx, const std::string& owner_id, const std::string& actor,
                const std::string& action, const std::optional<std::string>& tenant_id,
                base::Json detail);

    store::Database& database_;
    store::Principals principals_;
    const base::Clock& clock_;
};

}  // namespace oauth3::orchestrator
