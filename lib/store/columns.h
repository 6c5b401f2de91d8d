#pragma once

#include "base/clock.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <SQLiteCpp/VariadicBind.h>

#include <optional>
#include <string>
#include <string_view>

/// Reading and binding columns; only for the files of this room.
namespace oauth3::store {

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
