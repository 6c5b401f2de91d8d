#pragma once

#include "policy/session.h"
#include "store/database.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace oauth3::store {

/// A session of one tenant; its id means nothing to another tenant.
struct SessionRow {
    std::string tenant_id;
    std::string id;
    std::string owner_id;
    policy::Session session;
    std::int64_t runs_used = 0;
};

class Sessions {
  public:
    explicit Sessions(Database& database) : database_(database) {}

    std::optional<SessionRow> find(std::string_view tenant_id, std::string_view id);
    /// Adds the row, or replaces the one with the same tenant and id.
    void put(Transaction&, const SessionRow& row);

  private:
    Database& database_;
};

}  // namespace oauth3::store
