#pragma once

#include "base/clock.h"
#include "policy/grant.h"
#include "policy/status.h"
#include "store/ledger.h"
#include "store/requests.h"
#include "store/sessions.h"
#include "store/trust.h"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace oauth3::orchestrator {

/// What a request's authority is, but for "owner:<id>" and "link" (store::RequestRow::authority).
inline const std::string kSession = "session";
inline const std::string kTrust = "trust:";

/// The last check before a run: that what is about to run is what was approved, whatever somebody
/// has written into the database since, and that what approved it still stands.
class Recheck {
  public:
    explicit Recheck(store::Database& database)
        : requests_(database), sessions_(database), trust_(database), ledger_(database) {}

    struct Ready {
        policy::Grant grant;
        std::string code;
    };
    struct Refused {
        policy::Status status;
        std::string error;
    };

    /// A lawful change of the session since the approval is no difference: a widening does not
    /// touch a grant that was approved, and a narrowing has replaced it.
    std::variant<Ready, Refused> check(const store::RequestRow& row, base::Time now);

    /// The part of it that holds the approved grant, which it reads, against ledger and request.
    std::optional<Refused> check_grant(const store::RequestRow& row, policy::Grant& grant);

  private:
    std::optional<Refused> check_code(const store::RequestRow& row, std::string& code);
    std::optional<Refused> check_authority(const store::RequestRow& row, base::Time now);
    std::optional<Refused> check_session(const store::RequestRow& row, base::Time now);
    std::optional<Refused> check_trust(std::string_view id);

    /// What the ledger tells of an approval.
    struct Recorded {
        std::optional<std::string> grant;  ///< the digest of the last one
        std::optional<std::string> authority;
        std::optional<std::string> session_id;  ///< of one that a session or trust approved
    };
    Recorded recorded(const store::RequestRow& row);

    store::Requests requests_;
    store::Sessions sessions_;
    store::Trust trust_;
    store::Ledger ledger_;
};

}  // namespace oauth3::orchestrator
