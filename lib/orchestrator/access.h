#pragma once

#include "base/clock.h"
#include "base/secret_string.h"
#include "store/database.h"
#include "store/principals.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace oauth3::orchestrator {

enum class Role { agent, owner, admin };

/// Who makes a call.
struct Principal {
    Role role = Role::agent;
    std::string key_id;
    std::string owner_id;   ///< the human: itself, or the one who owns the tenant
    std::string tenant_id;  ///< set for agents only

    bool is_agent() const { return role == Role::agent; }
    /// How the ledger names it: "agent:<tenant>" or "owner:<id>".
    std::string actor() const;
};

/// A new agent identity. The key is shown once and stored only as a hash.
struct SignedUp {
    std::string tenant_id;
    base::SecretString key;
};

/// Who may do what: owners, tenants, their keys, and the tokens of approval links.
class Access {
  public:
    /// `link_key` (32 bytes) makes the approval tokens: an HMAC of the request's id, so that none
    /// has to be stored.
    Access(store::Database& database, const base::Clock& clock, base::SecretString link_key);

    /// True iff the server has its owner, that is after the first start.
    bool has_owner();

    /// Makes the server's owner. `deliver` gets the key and must have brought it to the human when
    /// it returns; if it throws, nothing was made.
    void create_owner(const std::function<void(const base::SecretString&)>& deliver);

    /// A new tenant of the server's owner. `name` is what the agent claims to be called.
    SignedUp sign_up(const std::string& name, const std::optional<std::string>& email);

    /// Whom a key stands for; nullopt for an unknown or revoked one.
    std::optional<Principal> authenticate(std::string_view key);

    /// The 64 hex digits in a request's approval link. They open its page for reading, no more.
    std::string approval_token(std::string_view request_id) const;
    bool opens(std::string_view token, std::string_view request_id) const;

    /// The claimed name of a tenant.
    std::string tenant_name(std::string_view tenant_id);

  private:
    store::Database& database_;
    store::Principals principals_;
    const base::Clock& clock_;
    base::SecretString link_key_;
};

}  // namespace oauth3::orchestrator
