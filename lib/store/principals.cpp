#include "store/principals.h"

#include "store/columns.h"

#include <fmt/format.h>

namespace oauth3::store {
namespace {

constexpr const char* kOwnerColumns = "id, name, role, created_at";
constexpr const char* kTenantColumns = "id, owner_id, name, email, created_at";
constexpr const char* kInviteColumns = "id, hash, owner_id, max_uses, uses, created_at, expires_at";

OwnerRow read_owner(SQLite::Statement& row) {
    return {text(row, 0), text(row, 1), text(row, 2) == "admin", time(row, 3)};
}

TenantRow read_tenant(SQLite::Statement& row) {
    return {text(row, 0), text(row, 1), text(row, 2), optional_text(row, 3), time(row, 4)};
}

KeyRow read_key(SQLite::Statement& row) {
    return {text(row, 0),
            text(row, 1),
            text(row, 2),
            optional_text(row, 3),
            text(row, 4) == "admin",
            time(row, 5),
            optional_time(row, 6)};
}

InviteRow read_invite(SQLite::Statement& row) {
    return {text(row, 0),
            text(row, 1),
            text(row, 2),
            row.getColumn(3).getInt64(),
            row.getColumn(4).getInt64(),
            time(row, 5),
            time(row, 6)};
}

/// `where` follows "FROM keys k JOIN owners o".
std::string select_keys(const char* where) {
    return fmt::format(
        "SELECT k.id, k.hash, k.owner_id, k.tenant_id, o.role, k.created_at, k.revoked_at "
        "FROM keys k JOIN owners o ON o.id = k.owner_id {}",
        where);
}

}  // namespace

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

void Principals::add_invite(Transaction& tx, const InviteRow& row) {
    Prepared insert(tx.database(), "INSERT INTO invites VALUES (?,?,?,?,?,?,?)");
    SQLite::bind(insert, row.id, row.hash, row.owner_id, row.max_uses, row.uses,
                 base::to_millis(row.created_at), base::to_millis(row.expires_at));
    insert.exec();
}

std::optional<OwnerRow> Principals::first_owner() {
    Prepared query(database_, fmt::format("SELECT {} FROM owners ORDER BY created_at, id LIMIT 1",
                                          kOwnerColumns));
    if (!query.executeStep()) return std::nullopt;
    return read_owner(query);
}

std::optional<OwnerRow> Principals::owner(std::string_view id) {
    Prepared query(database_, fmt::format("SELECT {} FROM owners WHERE id = ?", kOwnerColumns));
    query.bind(1, std::string(id));
    if (!query.executeStep()) return std::nullopt;
    return read_owner(query);
}

std::vector<OwnerRow> Principals::owners() {
    Prepared query(database_,
                   fmt::format("SELECT {} FROM owners ORDER BY created_at, id", kOwnerColumns));
    std::vector<OwnerRow> out;
    while (query.executeStep()) out.push_back(read_owner(query));
    return out;
}

std::optional<TenantRow> Principals::tenant(std::string_view id) {
    Prepared query(database_, fmt::format("SELECT {} FROM tenants WHERE id = ?", kTenantColumns));
    query.bind(1, std::string(id));
    if (!query.executeStep()) return std::nullopt;
    return read_tenant(query);
}

std::vector<TenantRow> Principals::tenants(std::string_view owner_id) {
    Prepared query(database_,
                   fmt::format("SELECT {} FROM tenants WHERE owner_id = ? ORDER BY created_at, id",
                               kTenantColumns));
    query.bind(1, std::string(owner_id));
    std::vector<TenantRow> out;
    while (query.executeStep()) out.push_back(read_tenant(query));
    return out;
}

std::optional<KeyRow> Principals::key_by_hash(std::string_view hash) {
    Prepared query(database_, select_keys("WHERE k.hash = ? AND k.revoked_at IS NULL"));
    query.bind(1, std::string(hash));
    if (!query.executeStep()) return std::nullopt;
    return read_key(query);
}

std::optional<KeyRow> Principals::key(std::string_view id) {
    Prepared query(database_, select_keys("WHERE k.id = ?"));
    query.bind(1, std::string(id));
    if (!query.executeStep()) return std::nullopt;
    return read_key(query);
}

std::vector<KeyRow> Principals::keys(std::string_view owner_id) {
    Prepared query(database_, select_keys("WHERE k.owner_id = ? ORDER BY k.created_at, k.id"));
    query.bind(1, std::string(owner_id));
    std::vector<KeyRow> out;
    while (query.executeStep()) out.push_back(read_key(query));
    return out;
}

bool Principals::revoke_key(Transaction& tx, std::string_view id, base::Time now) {
    Prepared update(tx.database(),
                    "UPDATE keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL");
    SQLite::bind(update, base::to_millis(now), std::string(id));
    return update.exec() == 1;
}

std::vector<InviteRow> Principals::invites() {
    Prepared query(database_,
                   fmt::format("SELECT {} FROM invites ORDER BY created_at, id", kInviteColumns));
    std::vector<InviteRow> out;
    while (query.executeStep()) out.push_back(read_invite(query));
    return out;
}

std::optional<InviteRow> Principals::use_invite(Transaction& tx, std::string_view hash,
                                                base::Time now) {
    Prepared update(tx.database(),
                    "UPDATE invites SET uses = uses + 1 "
                    "WHERE hash = ?1 AND uses < max_uses AND expires_at > ?2");
    SQLite::bind(update, std::string(hash), base::to_millis(now));
    if (update.exec() != 1) return std::nullopt;
    Prepared query(tx.database(),
                   fmt::format("SELECT {} FROM invites WHERE hash = ?", kInviteColumns));
    query.bind(1, std::string(hash));
    query.executeStep();
    return read_invite(query);
}

}  // namespace oauth3::store
