#pragma once

#include "base/clock.h"
#include "store/database.h"

#include <optional>
#include <string>
#include <string_view>

namespace oauth3::store {

/// The first 2xx reply to a call that carried an Idempotency-Key (wire 1.3).
struct IdempotentReply {
    std::string body_hash;  ///< SHA-256 of the request's body, 64 hex
    unsigned status = 200;
    std::string reply;
};

/// Replies by tenant, route and key.
class Idempotency {
  public:
    explicit Idempotency(Database& database) : database_(database) {}

    /// One that was stored after `since`.
    std::optional<IdempotentReply> find(std::string_view tenant_id, std::string_view route,
                                        std::string_view key, base::Time since);
    /// Replaces an older one of the same key.
    void put(Transaction&, std::string_view tenant_id, std::string_view route, std::string_view key,
             const IdempotentReply& reply, base::Time now);
    bool has_older(base::Time before);
    /// Removes up to 100 of those stored before `before`.
    void purge(Transaction&, base::Time before);

  private:
    Database& database_;
};

}  // namespace oauth3::store
