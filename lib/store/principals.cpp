#include "store/principals.h"

#include "store/columns.h"

#include <SQLiteCpp/SQLiteCpp.h>

namespace oauth3::store {

void Principals::add_owner(Transaction& tx, const OwnerRow& row) {
    Prepared insert(tx.database(), "INSERT INTO owners VALUES (?,?,?,?)");
    SQLite::bind(insert, row.id, row.name, row.admin ? "admin" : "owner",
                 base::to_millis(row.created_at));
    insert.exec();
}

void Principals::add_tenant(Transaction& tx, const TenantRow& row) {
    Prepared insert(tx.database(), "INSERT INTO tenants VALUES (?,?,?,?,?)");
    SQLite::bind(insert, row.id, row.owner_id, row.name);
    bind_optional(insert, 4, row.email);
    insert.bind(5, base::to_millis(row.created_at));
    insert.exec();
}

void Principals::add_key(Transaction& tx, const KeyRow& row, base::Time now) {
    Prepared insert(
        tx.database(),
        "INSERT INTO keys (id, hash, owner_id, tenant_id, created_at) VALUES (?,?,?,?,?)");
    SQLite::bind(insert, row.id, row.hash, row.owner_id);
    bind_optional(insert, 4, row.tenant_id);
    insert.bind(5, base::to_millis(now));
    insert.exec();
}

std::optional<OwnerRow> Principals::first_owner() {
    Prepared query(database_,
                   "SELECT id, name, role, created_at FROM owners ORDER BY created_at, id LIMIT 1");
    if (!query.executeStep()) return std::nullopt;
    return OwnerRow{text(query, 0), text(query, 1), text(query, 2) == "admin", time(query, 3)};
}

std::optional<TenantRow> Principals::tenant(std::string_view id) {
    Prepared query(database_,
                   "SELECT id, owner_id, name, email, created_at FROM tenants WHERE id = ?");
    query.bind(1, std::string(id));
    if (!query.executeStep()) return std::nullopt;
    return TenantRow{text(query, 0), text(query, 1), text(query, 2), optional_text(query, 3),
                     time(query, 4)};
}

std::optional<KeyRow> Principals::key_by_hash(std::string_view hash) {
    Prepared query(database_,
                   "SELECT id, hash, owner_id, tenant_id FROM keys "
                   "WHERE hash = ? AND revoked_at IS NULL");
    query.bind(1, std::string(hash));
    if (!query.executeStep()) return std::nullopt;
    return KeyRow{text(query, 0), text(query, 1), text(query, 2), optional_text(query, 3)};
}

}  // namespace oauth3::store
