#pragma once

#include "base/clock.h"
#include "store/database.h"

#include <optional>
#include <string>
#include <string_view>

namespace oauth3::store {

/// An owner's browser that is logged in.
struct LoginRow {
    std::string hash;  ///< SHA-256 of the cookie, 64 hex
    std::string owner_id;
    std::optional<std::string> key_id;  ///< the key it was made with; none for a link
    base::Time created_at;
    base::Time last_used_at;
    bool admin = false;  ///< the owner is an administrator; read only
};

/// Log-ins and the links that lead to them.
class Logins {
  public:
    explicit Logins(Database& database) : database_(database) {}

    void add(Transaction&, const LoginRow& row);
    /// One whose key, if it has one, was not revoked.
    std::optional<LoginRow> find(std::string_view hash);
    void touch(Transaction&, std::string_view hash, base::Time now);
    void remove(Transaction&, std::string_view hash);

    void add_link(Transaction&, std::string_view hash, std::string_view owner_id,
                  base::Time expires_at);
    /// The owner whom a link that is not too old logs in.
    std::optional<std::string> link_owner(std::string_view hash, base::Time now);
    void remove_link(Transaction&, std::string_view hash);

    /// Removes log-ins last used before `unused_since` or made before `made_before`, and links
    /// that have expired.
    void purge(Transaction&, base::Time unused_since, base::Time made_before, base::Time now);

  private:
    Database& database_;
};

}  // namespace oauth3::store
