// Opening the data folder: schema, settings, modes, locks.
#include "base/error.h"
#include "base/files.h"
#include "fixture.h"
#include "store/schema.h"
#include "support/catch.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace oauth3::store;
using namespace oauth3::test;
using oauth3::base::Error;
using oauth3::policy::Kind;
using oauth3::policy::Status;

namespace {

using Texts = std::vector<std::string>;

struct Opened {
    TemporaryFolder folder;
    Database database{folder.path() / "data"};

    std::string pragma(const std::string& name) {
        return database.sqlite().execAndGet("PRAGMA " + name).getString();
    }
};

/// The code of the Error that opening the folder throws, "" if none.
std::string open_error(const std::filesystem::path& folder) {
    try {
        const Database database(folder);
    } catch (const Error& error) {
        return error.code();
    }
    return "";
}

}  // namespace

TEST_CASE_METHOD(Opened, "a new folder gets the whole schema, and keeps it") {
    const std::string version = std::to_string(migrations().size());
    CHECK(pragma("user_version") == version);
    for (const char* table :
         {"owners", "tenants", "keys", "programs", "requests", "results", "sessions", "ledger"})
        CHECK(database.sqlite().tableExists(table));
    const auto path = folder.path() / "again";
    Texts schemas;
    for (int round = 0; round < 3; ++round) {
        Database again(path);
        CHECK(again.sqlite().execAndGet("PRAGMA user_version").getString() == version);
        schemas.push_back(
            again.sqlite().execAndGet("SELECT group_concat(sql) FROM sqlite_master").getString());
    }
    CHECK(schemas[0] == schemas[2]);
}

TEST_CASE_METHOD(Opened, "what is promised of the connection is really set") {
    CHECK(pragma("journal_mode") == "wal");
    CHECK(pragma("synchronous") == "2");
    CHECK(pragma("foreign_keys") == "1");
    CHECK(pragma("trusted_schema") == "0");
}

TEST_CASE("nobody else may read what is in the data folder") {
    const TemporaryFolder folder;
    const mode_t mask = ::umask(0);
    const auto path = folder / "data";
    Database database(path);
    add_principals(database);
    ::umask(mask);
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
        CAPTURE(entry.path().filename().string());
        struct stat info {};
        REQUIRE(::stat(entry.path().c_str(), &info) == 0);
        CHECK((info.st_mode & 0777) == 0600);
        ++files;
    }
    CHECK(files == 4);  // lock, database, write-ahead log, its index
    struct stat info {};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0700);
}

TEST_CASE("a folder has one server at a time") {
    const TemporaryFolder folder;
    {
        const Database first(folder / "data");
        CHECK(open_error(folder / "data") == "data_in_use");
        const pid_t child = ::fork();
        if (child == 0) ::_exit(open_error(folder / "data") == "data_in_use" ? 0 : 1);
        int status = -1;
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK(status == 0);
        CHECK(open_error(folder / "other").empty());
    }
    CHECK(open_error(folder / "data").empty());
}

TEST_CASE("data of a newer version is refused and left as it is") {
    const TemporaryFolder folder;
    { const Database database(folder / "data"); }
    {
        SQLite::Database raw((folder / "data/oauth3.db").string(), SQLite::OPEN_READWRITE);
        raw.exec("PRAGMA user_version = 99");
    }
    CHECK(open_error(folder / "data") == "data_too_new");
    SQLite::Database raw((folder / "data/oauth3.db").string(), SQLite::OPEN_READWRITE);
    CHECK(raw.execAndGet("PRAGMA user_version").getInt() == 99);
}

TEST_CASE("what is no database is refused, not overwritten") {
    const TemporaryFolder folder;
    const std::string text(5000, 'x');
    oauth3::base::make_private_folder(folder / "data");
    oauth3::base::write_private_file(folder / "data/oauth3.db", text);
    CHECK(open_error(folder / "data") == "store");
    CHECK(oauth3::base::read_file(folder / "data/oauth3.db") == text);
    ::chmod((folder / "data").c_str(), 0777);
    CHECK(open_error(folder / "data") == "insecure_folder");
}

TEST_CASE("a database of the first version is brought up to date with all that is in it") {
    TemporaryFolder folder;
    {
        SQLite::Database old((folder.path() / "oauth3.db").string(),
                             SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        old.exec(migrations()[0]);
        old.exec("PRAGMA user_version = 1");
        old.exec("INSERT INTO owners VALUES ('o', 'owner', 'admin', 1)");
        old.exec("INSERT INTO tenants VALUES ('t', 'o', 'agent', NULL, 1)");
        old.exec("INSERT INTO sessions VALUES ('t', 's', 'o', '{}', 1, 1, 1, 0, 3)");
    }
    Database now(folder.path());
    const auto number = [&](const char* sql) { return now.sqlite().execAndGet(sql).getInt64(); };
    CHECK(number("PRAGMA user_version") == static_cast<std::int64_t>(migrations().size()));
    CHECK(number("SELECT count(*) FROM tenants") == 1);
    // What it allowed was stored without its rules, so it has ended.
    CHECK(number("SELECT runs_used FROM sessions WHERE ended = 1 AND ended_at = 1 AND "
                 "ended_reason = 'the server was updated'") == 3);
    CHECK(number("SELECT count(*) FROM logins") == 0);
    CHECK(now.sqlite().execAndGet("PRAGMA integrity_check").getString() == "ok");
}

TEST_CASE("an index of the second version is made anew, and finds what was approved before") {
    TemporaryFolder folder;
    {
        SQLite::Database old((folder.path() / "oauth3.db").string(),
                             SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        old.exec(migrations()[0]);
        old.exec(migrations()[1]);
        old.exec("PRAGMA user_version = 2");
    }
    Database now(folder.path());
    add_principals(now);
    const std::string sql = now.sqlite()
                                .execAndGet(
                                    "SELECT sql FROM sqlite_master WHERE name = "
                                    "'requests_of_skill'")
                                .getString();
    CHECK(sql.find("kind = 'scope' AND status = 'completed'") != std::string::npos);
    Requests requests(now);
    RequestRow scope = new_request(Kind::scope);
    scope.code_hash = oauth3::base::sha256_hex("code()");
    Transaction tx(now);
    requests.insert(tx, scope, "code()");
    scope = *requests.find(scope.id);
    requests.transition(tx, scope, Status::completed, kNow, change_to(Status::completed));
    const RequestRow later = new_request();
    requests.insert(tx, later, "code()");
    tx.commit();
    CHECK(requests.last_approved_hash(*requests.find(later.id)) == scope.code_hash);
}

TEST_CASE_METHOD(Opened, "the generation grows with every transaction, kept or not") {
    const std::uint64_t before = database.generation();
    CHECK(database.generation() == before);
    {
        Transaction outer(database);
        const std::uint64_t within = database.generation();
        CHECK(within > before);
        {
            Transaction inner(database);
            inner.commit();
        }
        CHECK(database.generation() == within);
        outer.commit();
        CHECK(database.generation() > within);
    }
    const std::uint64_t kept = database.generation();
    std::uint64_t within = 0;
    {
        const Transaction dropped(database);
        within = database.generation();
        CHECK(within > kept);
    }
    CHECK(database.generation() > within);
}
