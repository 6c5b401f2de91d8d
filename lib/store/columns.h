#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "store/database.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <SQLiteCpp/VariadicBind.h>
#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>

/// Reading and binding columns; only for the files of this room.
namespace oauth3::store {

/// Calls SQLite; what it refuses, such as on a full disk, leaves this room as Error "store".
template <typename Action>
decltype(auto) guarded(const Action& action) {
    try {
        return action();
    } catch (const SQLite::Exception& e) {
        throw base::Error("store", fmt::format("the database refused: {}", e.what()));
    }
}

/// The use of one compiled statement of the database. It is reset when this dies, so that it holds
/// no snapshot and no other caller's values.
class Prepared {
  public:
    Prepared(Database& database, const std::string& sql)
        : compiled_(guarded([&]() -> Database::Compiled& { return database.compiled(sql); })) {
        if (compiled_.in_use) throw base::Error("internal", "a statement is used within itself");
        compiled_.in_use = true;
    }
    ~Prepared() {
        compiled_.statement->tryReset();
        compiled_.statement->clearBindings();
        compiled_.in_use = false;
    }
    Prepared(const Prepared&) = delete;
    Prepared& operator=(const Prepared&) = delete;

    operator SQLite::Statement&() {
        return *compiled_.statement;
    }  // NOLINT: it is one, for a while
    template <typename T>
    void bind(int index, const T& value) {
        guarded([&] { compiled_.statement->bind(index, value); });
    }
    bool executeStep() {
        return guarded([&] { return compiled_.statement->executeStep(); });
    }
    int exec() {
        return guarded([&] { return compiled_.statement->exec(); });
    }
    SQLite::Column getColumn(int index) { return compiled_.statement->getColumn(index); }
    bool isColumnNull(int index) { return compiled_.statement->isColumnNull(index); }

  private:
    Database::Compiled& compiled_;
};

/// The bytes of a TEXT or BLOB column, NUL characters included.
inline std::string text(SQLite::Statement& row, int column) {
    return row.getColumn(column).getString();
}

inline std::optional<std::string> optional_text(SQLite::Statement& row, int column) {
    if (row.isColumnNull(column)) return std::nullopt;
    return text(row, column);
}

inline base::Time time(SQLite::Statement& row, int column) {
    return base::from_millis(row.getColumn(column).getInt64());
}

inline std::optional<base::Time> optional_time(SQLite::Statement& row, int column) {
    if (row.isColumnNull(column)) return std::nullopt;
    return time(row, column);
}

/// Leaves the parameter NULL if there is no value.
inline void bind_optional(SQLite::Statement& statement, int index,
                          const std::optional<std::string>& value) {
    if (value) statement.bind(index, *value);
}

inline void bind_optional(SQLite::Statement& statement, int index,
                          const std::optional<base::Time>& value) {
    if (value) statement.bind(index, base::to_millis(*value));
}

inline void bind_blob(SQLite::Statement& statement, int index, std::string_view bytes) {
    statement.bind(index, bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace oauth3::store
