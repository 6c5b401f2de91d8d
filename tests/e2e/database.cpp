#include "e2e/database.h"

#include "base/json.h"

#include <SQLiteCpp/SQLiteCpp.h>

namespace oauth3::e2e {
namespace {

void bind_all(SQLite::Statement& statement, const std::vector<std::string>& values) {
    for (std::size_t i = 0; i < values.size(); ++i)
        statement.bind(static_cast<int>(i) + 1, values[i]);
}

}  // namespace

Database::Database(const std::filesystem::path& data)
    : sqlite_(std::make_unique<SQLite::Database>((data / "oauth3.db").string(),
                                                 SQLite::OPEN_READWRITE, 20'000)) {}

Database::~Database() = default;

int Database::change(const std::string& sql, const std::vector<std::string>& values) {
    SQLite::Statement statement(*sqlite_, sql);
    bind_all(statement, values);
    return statement.exec();
}

std::int64_t Database::number(const std::string& sql, const std::vector<std::string>& values) {
    SQLite::Statement query(*sqlite_, sql);
    bind_all(query, values);
    query.executeStep();
    return query.getColumn(0).getInt64();
}

std::vector<ledger::Event> Database::events() {
    SQLite::Statement query(*sqlite_,
                            "SELECT seq, at, actor, action, tenant_id, request_id, detail, prev, "
                            "hash FROM ledger ORDER BY owner_id, seq");
    std::vector<ledger::Event> out;
    while (query.executeStep()) {
        ledger::Event event;
        event.seq = query.getColumn(0).getInt64();
        event.at = query.getColumn(1).getInt64();
        event.actor = query.getColumn(2).getString();
        event.action = query.getColumn(3).getString();
        if (!query.isColumnNull(4)) event.tenant_id = query.getColumn(4).getString();
        if (!query.isColumnNull(5)) event.request_id = query.getColumn(5).getString();
        event.detail = base::parse_json(query.getColumn(6).getString());
        event.prev = query.getColumn(7).getString();
        event.hash = query.getColumn(8).getString();
        out.push_back(std::move(event));
    }
    return out;
}

std::int64_t Database::count(const std::string& action, const std::string& request_id) {
    return number("SELECT count(*) FROM ledger WHERE action = ? AND request_id = ?",
                  {action, request_id});
}

}  // namespace oauth3::e2e
