#pragma once

#include "base/clock.h"
#include "store/database.h"

#include <cstddef>

namespace oauth3::store {

/// How much one call of Retention::purge removed.
struct Purged {
    std::size_t requests = 0;
    std::size_t programs = 0;
    std::size_t sessions = 0;
};

/// Forgets what is over for long. The ledger stays whole: what happened can always be told.
class Retention {
  public:
    explicit Retention(Database& database) : database_(database) {}

    /// Removes up to 20 requests that came to their end more than `keep` ago, the oldest
    /// first, with their results; then programs that no request and no living session refers to;
    /// and a few sessions that had nothing happen in them for as long. So little at once that
    /// whoever else waits for the database does not notice: call it again and again. Writes
    /// nothing if there is nothing to remove.
    Purged purge(base::Time now, base::Seconds keep);

  private:
    Database& database_;
};

}  // namespace oauth3::store
