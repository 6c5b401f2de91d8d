#pragma once

#include "base/clock.h"
#include "base/secret_string.h"
#include "orchestrator/access.h"
#include "store/logins.h"

#include <optional>
#include <string>
#include <string_view>

namespace oauth3::orchestrator {

inline constexpr base::Seconds kLoginIdle{12 * 3600};  ///< a log-in ends if unused for so long
inline constexpr base::Seconds kLoginLife{7 * 86400};  ///< and after this in any case
inline constexpr base::Seconds kLoginLinkLife{10 * 60};

/// A browser that has just logged in.
struct Login {
    base::SecretString cookie;  ///< 43 characters of base64url
    std::string owner_id;
    std::string csrf;  ///< what its forms must carry
};

struct LoginLink {
    base::SecretString once;  ///< 43 characters of base64url
    base::Time expires_at;
};

/// The owners' log-ins from browsers (wire 2.4).
class Logins {
  public:
    Logins(store::Database& database, Access& access, const base::Clock& clock);

    /// Logs in by an owner's key; nullopt for any other text, agents' keys included.
    std::optional<Login> by_key(std::string_view key);

    /// A link for the server's owner, good once and for ten minutes. Throws Error "no_owner"
    /// before there is one.
    LoginLink make_link();
    /// True while a link is good; asking does not use it up.
    bool is_open(std::string_view once);
    /// Logs in by a link and uses it up; nullopt if it is not good.
    std::optional<Login> by_link(std::string_view once);

    /// Who the browser with this cookie is; nullopt if it is not logged in (any more).
    std::optional<Principal> authenticate(std::string_view cookie);
    /// Ends the log-in of a cookie.
    void end(std::string_view cookie);

    /// Writes a failed attempt into the ledger of the server's owner.
    void record_failure(const std::string& address);

    /// Forgets log-ins and links that are over.
    void purge();

  private:
    Login begin(store::Transaction& tx, const std::string& owner_id,
                const std::optional<std::string>& key_id, const char* by);

    store::Database& database_;
    store::Logins logins_;
    store::Principals principals_;
    Access& access_;
    const base::Clock& clock_;
};

}  // namespace oauth3::orchestrator
