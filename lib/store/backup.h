#pragma once

#include "store/database.h"

#include <filesystem>

namespace oauth3::store {

/// Writes all that a server has to remember into one new file (0600): the database as it stands at
/// one moment, and the key of its approval links. A server may be running on the folder meanwhile.
/// Throws Error "no_data" if there is no database, "exists" if the file is there already, "store"
/// for what SQLite refuses.
///
/// Whoever has the file can read every request and its output; keys are in it only as hashes.
void backup(const std::filesystem::path& data_folder, const std::filesystem::path& file);

/// Makes a data folder from such a file. The folder must not hold a database yet, nor what belongs
/// to one. Log-ins and log-in links are left out: one that was ended since must not come back; the
/// database is marked, so that the server which takes it up can see to everything else. Throws
/// Error "not_empty", "bad_backup" if the file is none or damaged, "data_too_new" if a newer oauth3
/// wrote it, "data_in_use" if a server uses the folder.
void restore(const std::filesystem::path& file, const std::filesystem::path& data_folder);

/// True for a database that restore() has made, until clear_restored().
bool is_restored(Database& database);
void clear_restored(Transaction& tx);

}  // namespace oauth3::store
