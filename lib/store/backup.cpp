#include "store/backup.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/files.h"
#include "store/database.h"
#include "store/schema.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace oauth3::store {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDatabase = "oauth3.db";
constexpr const char* kLinkKey = "link.key";
/// Marks a database as a backup of ours; "oa3b".
constexpr int kApplicationId = 0x6f613362;
/// Marks a database that was made from one and that no server has taken up yet; "oa3r".
constexpr int kRestoredId = 0x6f613372;

[[noreturn]] void refuse(const fs::path& file, const std::string& why) {
    throw base::Error("bad_backup", fmt::format("{} cannot be restored: {}", file.string(), why));
}

/// A file that goes again unless it was kept.
class Draft {
  public:
    explicit Draft(fs::path path) : path_(std::move(path)) {}
    ~Draft() {
        if (!path_.empty()) ::unlink(path_.c_str());
    }
    Draft(const Draft&) = delete;
    Draft& operator=(const Draft&) = delete;
    const fs::path& path() const { return path_; }
    void keep() { path_.clear(); }

  private:
    fs::path path_;
};

void sync_file(const fs::path& path) {
    const base::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd || ::fsync(fd.get()) != 0) base::throw_errno("cannot sync " + path.string());
}

/// Copies a database into an empty file, as it stands at one moment, whoever writes to it.
void copy(SQLite::Database& from, const fs::path& to) {
    SQLite::Statement vacuum(from, "VACUUM INTO ?");
    vacuum.bind(1, to.string());
    vacuum.exec();
}

void check(const fs::path& file, SQLite::Database& db) {
    if (db.execAndGet("PRAGMA application_id").getInt() != kApplicationId)
        refuse(file, "it is no backup of oauth3");
    if (db.execAndGet("PRAGMA user_version").getInt() > static_cast<int>(migrations().size()))
        throw base::Error("data_too_new", "the backup was written by a newer oauth3",
                          "restore it with that version");
    if (db.execAndGet("PRAGMA integrity_check").getString() != "ok") refuse(file, "it is damaged");
}

}  // namespace

void backup(const fs::path& data_folder, const fs::path& file) {
    const fs::path source = data_folder / kDatabase;
    if (!fs::exists(source))
        throw base::Error("no_data",
                          fmt::format("{} holds no data of a server", data_folder.string()),
                          "name the server's folder with --data-dir");
    if (!base::create_private_file(file, ""))
        throw base::Error("exists", fmt::format("{} exists already", file.string()),
                          "choose another name");
    Draft draft(file);
    try {
        SQLite::Database from(source.string(), SQLite::OPEN_READWRITE, 5000);
        copy(from, file);
        SQLite::Database to(file.string(), SQLite::OPEN_READWRITE, 5000);
        // One file is easier to keep than a file and its log.
        to.exec("PRAGMA journal_mode = DELETE");
        to.exec(fmt::format("PRAGMA application_id = {}", kApplicationId));
        to.exec("CREATE TABLE backup_files (name TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT");
        SQLite::Statement insert(to, "INSERT INTO backup_files VALUES (?, ?)");
        const std::string key = base::read_file(data_folder / kLinkKey);
        insert.bind(1, kLinkKey);
        insert.bind(2, key.data(), static_cast<int>(key.size()));
        insert.exec();
        to.exec("DELETE FROM logins");
        to.exec("DELETE FROM login_links");
    } catch (const SQLite::Exception& e) {
        throw base::Error("store", fmt::format("cannot back up {}: {}", source.string(), e.what()));
    }
    sync_file(file);
    draft.keep();
}

void restore(const fs::path& file, const fs::path& data_folder) {
    if (!fs::exists(file)) refuse(file, "there is no such file");
    base::make_private_folder(data_folder);
    const base::Fd lock = lock_data_folder(data_folder);
    const fs::path target = data_folder / kDatabase;
    // SQLite would play what is left of another database's log into the restored one. A link key
    // alone is what a restore that was cut off leaves.
    for (const char* rest : {"", "-wal", "-shm", "-journal"})
        if (fs::exists(target.string() + rest))
            throw base::Error("not_empty",
                              fmt::format("{} holds a server's data already: {}{}",
                                          data_folder.string(), kDatabase, rest),
                              "restore into another folder, or move that data away");
    Draft draft(data_folder / "restoring.db");
    ::unlink(draft.path().c_str());
    ::unlink((draft.path().string() + "-journal").c_str());
    base::create_private_file(draft.path(), "");
    std::string key;
    try {
        SQLite::Database from(file.string(), SQLite::OPEN_READONLY, 5000);
        check(file, from);
        copy(from, draft.path());
        SQLite::Database to(draft.path().string(), SQLite::OPEN_READWRITE, 5000);
        key = to.execAndGet("SELECT bytes FROM backup_files WHERE name = 'link.key'").getString();
        to.exec("DROP TABLE backup_files");
        to.exec("DELETE FROM logins");
        to.exec("DELETE FROM login_links");
        to.exec(fmt::format("PRAGMA application_id = {}", kRestoredId));
    } catch (const SQLite::Exception& e) {
        refuse(file, e.what());
    }
    sync_file(draft.path());
    base::write_private_file(data_folder / kLinkKey, key);
    // Last, and at once: a folder without a database is one that was not restored.
    if (::rename(draft.path().c_str(), target.c_str()) != 0)
        base::throw_errno("cannot make " + target.string());
    draft.keep();
    sync_file(data_folder);
}

bool is_restored(Database& database) {
    return database.sqlite().execAndGet("PRAGMA application_id").getInt() == kRestoredId;
}

void clear_restored(Transaction& tx) {
    tx.database().sqlite().exec("PRAGMA application_id = 0");
}

}  // namespace oauth3::store
