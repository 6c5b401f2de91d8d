#pragma once

#include "base/clock.h"
#include "base/json.h"
#include "ledger/chain.h"
#include "store/database.h"

#include <optional>
#include <string>
#include <vector>

namespace oauth3::store {

/// What happened, before it has its place in the chain.
struct Entry {
    base::Time at;
    std::string owner_id;
    std::string actor;
    std::string action;
    std::optional<std::string> tenant_id;
    std::optional<std::string> request_id;
    base::Json detail = base::Json::object();
};

/// Which events of an owner's chain a list shows.
struct EventFilter {
    std::optional<std::string> tenant_id;
    std::optional<std::string> request_id;  ///< the whole story of one request
    std::optional<std::int64_t> before;     ///< only events with a smaller number
    std::optional<std::int64_t> after;      ///< only events with a larger number
    std::int64_t limit = 50;
};

/// One hash chain per owner (wire 9).
class Ledger {
  public:
    explicit Ledger(Database& database) : database_(database) {}

    /// Appends to the owner's chain, inside the transaction of what it tells of.
    /// Returns its number in the chain.
    static std::int64_t append(Transaction&, const Entry& entry);

    /// Events of an owner, newest first; oldest first if `after` or `request_id` is set.
    std::vector<ledger::Event> events(const std::string& owner_id, const EventFilter& filter);

    /// The event with this number; nullopt if there is none, or if it is not what its hash says.
    std::optional<ledger::Event> at(const std::string& owner_id, std::int64_t seq);

    /// Whether an event after the one with this number tells of the same session, or trust, so that
    /// what that one told no longer holds; true, too, if some event of the tenant has been hidden.
    bool has_later(const std::string& tenant_id, const std::string& subject, std::int64_t seq);

  private:
    Database& database_;
};

}  // namespace oauth3::store
