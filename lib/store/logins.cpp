#include "store/logins.h"

#include "store/columns.h"

namespace oauth3::store {

void Logins::add(Transaction& tx, const LoginRow& row) {
    Prepared insert(tx.database(),
                    "INSERT INTO logins (hash, owner_id, key_id, created_at, last_used_at) "
                    "VALUES (?,?,?,?,?)");
    SQLite::bind(insert, row.hash, row.owner_id);
    bind_optional(insert, 3, row.key_id);
    insert.bind(4, base::to_millis(row.created_at));
    insert.bind(5, base::to_millis(row.last_used_at));
    insert.exec();
}

std::optional<LoginRow> Logins::find(std::string_view hash) {
    Prepared query(database_,
                   "SELECT l.hash, l.owner_id, l.key_id, l.created_at, l.last_used_at, o.role "
                   "FROM logins l JOIN owners o ON o.id = l.owner_id "
                   "LEFT JOIN keys k ON k.id = l.key_id "
                   "WHERE l.hash = ? AND (l.key_id IS NULL OR k.revoked_at IS NULL)");
    query.bind(1, std::string(hash));
    if (!query.executeStep()) return std::nullopt;
    return LoginRow{text(query, 0), text(query, 1), optional_text(query, 2),
                    time(query, 3), time(query, 4), text(query, 5) == "admin"};
}

void Logins::touch(Transaction& tx, std::string_view hash, base::Time now) {
    Prepared update(tx.database(), "UPDATE logins SET last_used_at = ? WHERE hash = ?");
    SQLite::bind(update, base::to_millis(now), std::string(hash));
    update.exec();
}

void Logins::remove(Transaction& tx, std::string_view hash) {
    Prepared statement(tx.database(), "DELETE FROM logins WHERE hash = ?");
    statement.bind(1, std::string(hash));
    statement.exec();
}

void Logins::add_link(Transaction& tx, std::string_view hash, std::string_view owner_id,
                      base::Time expires_at) {
    Prepared insert(tx.database(), "INSERT INTO login_links VALUES (?,?,?)");
    SQLite::bind(insert, std::string(hash), std::string(owner_id), base::to_millis(expires_at));
    insert.exec();
}

std::optional<std::string> Logins::link_owner(std::string_view hash, base::Time now) {
    Prepared query(database_, "SELECT owner_id FROM login_links WHERE hash = ? AND expires_at > ?");
    SQLite::bind(query, std::string(hash), base::to_millis(now));
    if (!query.executeStep()) return std::nullopt;
    return text(query, 0);
}

void Logins::remove_link(Transaction& tx, std::string_view hash) {
    Prepared statement(tx.database(), "DELETE FROM login_links WHERE hash = ?");
    statement.bind(1, std::string(hash));
    statement.exec();
}

void Logins::purge(Transaction& tx, base::Time unused_since, base::Time made_before,
                   base::Time now) {
    Prepared old(tx.database(), "DELETE FROM logins WHERE last_used_at < ? OR created_at < ?");
    SQLite::bind(old, base::to_millis(unused_since), base::to_millis(made_before));
    old.exec();
    Prepared links(tx.database(), "DELETE FROM login_links WHERE expires_at <= ?");
    links.bind(1, base::to_millis(now));
    links.exec();
}

}  // namespace oauth3::store
