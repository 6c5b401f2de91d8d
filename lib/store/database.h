#pragma once

#include "base/fd.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

namespace SQLite {
class Database;
class Statement;
}  // namespace SQLite

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

    /// Grows with every transaction, at its begin and its end: what was read at one generation is
    /// as it was read while the generation stands (base/memo.h).
    std::uint64_t generation() const { return generation_; }

    /// A statement that was compiled once and is used again and again: compiling costs more than
    /// most of them take to run. One user at a time: see Prepared in columns.h.
    struct Compiled {
        std::unique_ptr<SQLite::Statement> statement;
        bool in_use = false;
    };
    Compiled& compiled(const std::string& sql);

  private:
    friend class Transaction;

    std::uint64_t generation_ = 1;
    int transactions_ = 0;  ///< open ones, each within the one before
    bool doomed_ = false;   ///< an inner one was not committed
    base::Fd lock_;
    std::unique_ptr<SQLite::Database> sqlite_;
    std::map<std::string, Compiled> compiled_;
};

/// Keeps other servers out of a data folder while the descriptor is open. Throws Error
/// "data_in_use" if one is in it.
base::Fd lock_data_folder(const std::filesystem::path& folder);

/// Takes the write lock at once and rolls back unless committed. Everything that writes asks for
/// one, so that a transition and its ledger row cannot be torn apart.
///
/// One that begins within another joins it: only the outermost writes. If any of them goes without
/// commit(), so does the outermost, and its commit() throws Error "rolled_back".
class Transaction {
  public:
    explicit Transaction(Database& database);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    void commit();
    Database& database() { return database_; }

  private:
    Database& database_;
    bool open_ = true;
};

}  // namespace oauth3::store
