#pragma once

#include "ledger/chain.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace SQLite {
class Database;
}

namespace oauth3::e2e {

/// The server's database as someone sees it who can open its file, while the server runs or not.
class Database {
  public:
    /// `data` is the server's data folder.
    explicit Database(const std::filesystem::path& data);
    ~Database();

    /// Runs one statement that changes rows; returns how many. The `?` are `values`, as texts.
    int change(const std::string& sql, const std::vector<std::string>& values = {});
    std::int64_t number(const std::string& sql, const std::vector<std::string>& values = {});
    /// The chain of the server's one owner, whole.
    std::vector<ledger::Event> events();
    /// How many ledger rows of this action a request has.
    std::int64_t count(const std::string& action, const std::string& request_id);

  private:
    std::unique_ptr<SQLite::Database> sqlite_;
};

}  // namespace oauth3::e2e
