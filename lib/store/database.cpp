#include "store/database.h"

#include "base/error.h"
#include "base/files.h"
#include "base/log.h"
#include "store/schema.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

namespace oauth3::store {
namespace {

void migrate(SQLite::Database& db) {
    const auto steps = migrations();
    const int have = db.execAndGet("PRAGMA user_version").getInt();
    if (have > static_cast<int>(steps.size()))
        throw base::Error("data_too_new", "the data folder was written by a newer oauth3",
                          "use that version, or another folder with --data-dir");
    for (auto i = static_cast<std::size_t>(have); i < steps.size(); ++i) {
        SQLite::Transaction transaction(db, SQLite::TransactionBehavior::IMMEDIATE);
        db.exec(steps[i]);
        db.exec(fmt::format("PRAGMA user_version = {}", i + 1));
        transaction.commit();
    }
}

}  // namespace

base::Fd lock_data_folder(const std::filesystem::path& folder) {
    const auto path = folder / "lock";
    base::Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!fd) base::throw_errno("cannot open " + path.string());
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
        throw base::Error("data_in_use", "another server uses the data folder " + folder.string(),
                          "stop it, or choose another folder with --data-dir");
    return fd;
}

Database::Database(const std::filesystem::path& folder) {
    base::make_private_folder(folder);
    lock_ = lock_data_folder(folder);
    const auto path = folder / "oauth3.db";
    // SQLite would make the file with the umask's mode; nobody else may read it.
    base::create_private_file(path, "");
    try {
        // One thread has the connection (see the class), so SQLite need not lock it.
        sqlite_ = std::make_unique<SQLite::Database>(
            path.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX, 5000);
        sqlite_->exec("PRAGMA journal_mode = WAL");
        sqlite_->exec("PRAGMA synchronous = FULL");
        sqlite_->exec("PRAGMA foreign_keys = ON");
        sqlite_->exec("PRAGMA trusted_schema = OFF");
        migrate(*sqlite_);
    } catch (const SQLite::Exception& e) {
        throw base::Error("store", fmt::format("cannot open {}: {}", path.string(), e.what()));
    }
}

Database::~Database() = default;

Database::Compiled& Database::compiled(const std::string& sql) {
    Compiled& entry = compiled_[sql];
    if (!entry.statement) entry.statement = std::make_unique<SQLite::Statement>(*sqlite_, sql);
    return entry;
}

Transaction::Transaction(Database& database) : database_(database) {
    if (database_.transactions_ == 0) {
        database_.doomed_ = false;
        try {
            database_.sqlite().exec("BEGIN IMMEDIATE");
        } catch (const SQLite::Exception& e) {
            throw base::Error("store", fmt::format("cannot begin a transaction: {}", e.what()));
        }
    }
    if (++database_.transactions_ == 1) ++database_.generation_;
}

Transaction::~Transaction() {
    if (!open_) return;
    database_.doomed_ = true;
    if (--database_.transactions_ > 0) return;
    ++database_.generation_;
    try {
        database_.sqlite().exec("ROLLBACK");
    } catch (const std::exception& e) {
        // SQLite has rolled back by itself, as it does when the disk is full.
        base::log_warning("rolling back: {}", e.what());
    }
}

void Transaction::commit() {
    if (database_.doomed_) throw base::Error("rolled_back", "a part of the change was not made");
    if (database_.transactions_ == 1) {
        try {
            database_.sqlite().exec("COMMIT");
        } catch (const SQLite::Exception& e) {
            throw base::Error("store", fmt::format("cannot commit: {}", e.what()));
        }
    }
    if (--database_.transactions_ == 0) ++database_.generation_;
    open_ = false;
}

}  // namespace oauth3::store
