#pragma once

#include "base/memo.h"
#include "base/secret_string.h"
#include "store/database.h"
#include "store/principals.h"

#include <optional>
#include <string>
#include <string_view>

namespace oauth3::orchestrator {

/// What a caller may do (wire 2.1). An admin is an owner that also manages owners and invites.
enum class Role { agent, owner, admin };

/// How a caller showed who it is.
enum class Via {
    key,     ///< a bearer key
    cookie,  ///< a browser that is logged in
    link,    ///< an approval link, where the server lets links decide (insecure)
    local,   ///< nothing: the server was started with --no-auth
};

/// Who makes a call.
struct Principal {
    Role role = Role::agent;
    std::string key_id;     ///< empty without a key
    std::string owner_id;   ///< the human: itself, or the one who owns the tenant
    std::string tenant_id;  ///< set for agents only
    Via via = Via::key;
    std::string csrf = {};  ///< what this browser's forms must carry; set iff via cookie

    bool is_agent() const { return role == Role::agent; }
    /// How the ledger names it: "agent:<tenant>", "owner:<id>" or "link".
    std::string actor() const;
};

/// True if a request or session is there for this caller: an agent's own, an owner's of its
/// tenants.
template <typename Row>
bool may_see(const Principal& who, const Row& row) {
    return who.is_agent() ? who.tenant_id == row.tenant_id : who.owner_id == row.owner_id;
}

/// Says who a key stands for, and makes what only the server can make: the tokens of approval
/// links and other seals.
class Access {
  public:
    /// `link_key` (32 bytes) makes the approval tokens: an HMAC of the request's id, so that none
    /// has to be stored.
    Access(store::Database& database, base::SecretString link_key);

    /// Whom a key stands for; nullopt for an unknown or revoked one.
    std::optional<Principal> authenticate(std::string_view key);

    /// False once the key of a caller that was let in was revoked.
    bool still_valid(const Principal& who);

    /// The 64 hex digits in a request's approval link. They open its page for reading, no more.
    std::string approval_token(std::string_view request_id) const;
    bool opens(std::string_view token, std::string_view request_id) const;

    /// 64 hex digits that only this server can make of `text`, different for each purpose.
    std::string seal(std::string_view purpose, std::string_view text) const;

    /// The claimed name of a tenant.
    std::string tenant_name(std::string_view tenant_id);

  private:
    store::Database& database_;
    store::Principals principals_;
    base::SecretString link_key_;
    base::Memo<Principal> known_;  ///< by the hash of the key
};

}  // namespace oauth3::orchestrator
