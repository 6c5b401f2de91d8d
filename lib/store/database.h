#pragma once

#include "base/fd.h"

#include <filesystem>
#include <memory>

namespace SQLite {
class Database;
}

namespace oauth3::store {

/// The one connection to the server's database: SQLite in WAL mode, every commit synced
/// (synchronous=FULL). It belongs to one thread. A lock file keeps a second server out.
class Database {
  public:
    /// Opens or makes `folder`/oauth3.db and brings its schema up to date. Throws Error
    /// "data_in_use" if another process has it, "data_too_new" if a newer oauth3 wrote it,
    /// "store" for what SQLite refuses.
    explicit Database(const std::filesystem::path& folder);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    SQLite::Database& sqlite() { return *sqlite_; }

  private:
    base::Fd lock_;
    std::unique_ptr<SQLite::Database> sqlite_;
};

/// Takes the write lock at once and rolls back unless committed. Everything that writes asks for
/// one, so that a transition and its ledger row cannot be torn apart.
class Transaction {
  public:
    explicit Transaction(Database& database);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    void commit();
    SQLite::Database& sqlite() { return database_.sqlite(); }

  private:
    Database& database_;
    bool open_ = true;
};

}  // namespace oauth3::store
