// Back-up and restore: whole, at one moment, and never over something.
#include "store/backup.h"

#include "base/crypto.h"
#include "base/files.h"
#include "store/fixture.h"
#include "support/catch.h"
#include "support/store_checks.h"
#include "support/temporary_folder.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <thread>

using namespace oauth3;
using namespace oauth3::test;
namespace fs = std::filesystem;

namespace {

/// A folder as a server leaves it.
struct Data {
    TemporaryFolder folder;
    fs::path data = folder.path() / "data";
    fs::path file = folder.path() / "backup";
    fs::path other = folder.path() / "restored";
    std::string link_key = base::random_bytes(32);

    Data() {
        store::Database database(data);
        base::write_private_file(data / "link.key", link_key);
        database.sqlite().exec("INSERT INTO owners VALUES ('o', 'owner', 'admin', 1)");
        database.sqlite().exec("INSERT INTO tenants VALUES ('t', 'o', 'agent', NULL, 1)");
        database.sqlite().exec(
            "INSERT INTO logins (hash, owner_id, created_at, last_used_at) VALUES ('h','o',1,1)");
        database.sqlite().exec("INSERT INTO login_links VALUES ('h', 'o', 1)");
    }
    std::int64_t count(const fs::path& where, const std::string& table) {
        store::Database database(where);
        return database.sqlite().execAndGet("SELECT count(*) FROM " + table).getInt64();
    }
};

std::string code_of(const std::function<void()>& work) {
    try {
        work();
    } catch (const base::Error& e) {
        return e.code();
    }
    return "";
}

}  // namespace

TEST_CASE("what was backed up comes back, but for log-ins") {
    Data d;
    store::backup(d.data, d.file);
    struct stat info {};
    REQUIRE(::stat(d.file.c_str(), &info) == 0);
    CHECK((info.st_mode & 07777) == 0600);
    store::restore(d.file, d.other);
    CHECK(d.count(d.other, "tenants") == 1);
    CHECK(d.count(d.other, "logins") == 0);
    CHECK(d.count(d.other, "login_links") == 0);
    CHECK(d.count(d.data, "logins") == 1);
    CHECK(base::read_file(d.other / "link.key") == d.link_key);
    for (const char* name : {"oauth3.db", "link.key"}) {
        REQUIRE(::stat((d.other / name).c_str(), &info) == 0);
        CHECK((info.st_mode & 07777) == 0600);
    }
    CHECK_FALSE(fs::exists(d.other / "restoring.db"));
    // And the backup of the restored is the same again.
    store::backup(d.other, d.folder.path() / "again");
}

TEST_CASE("nothing is written over, and nothing half is left") {
    Data d;
    store::backup(d.data, d.file);
    CHECK(code_of([&] { store::backup(d.data, d.file); }) == "exists");
    CHECK(code_of([&] { store::backup(d.folder.path() / "none", d.folder.path() / "b"); }) ==
          "no_data");
    CHECK_FALSE(fs::exists(d.folder.path() / "b"));
    CHECK(code_of([&] { store::restore(d.file, d.data); }) == "not_empty");
    {
        store::Database running(d.data);
        CHECK(code_of([&] { store::restore(d.file, d.data); }) == "data_in_use");
    }
    CHECK(code_of([&] { store::restore(d.folder.path() / "none", d.other); }) == "bad_backup");
    CHECK_FALSE(fs::exists(d.other / "oauth3.db"));
    CHECK(d.count(d.data, "tenants") == 1);
}

TEST_CASE("what is left of another database is not played into the restored one") {
    Data d;
    store::backup(d.data, d.file);
    base::make_private_folder(d.other);
    for (const char* rest : {"oauth3.db-wal", "oauth3.db-shm", "oauth3.db-journal"}) {
        base::write_private_file(d.other / rest, "x");
        CHECK(code_of([&] { store::restore(d.file, d.other); }) == "not_empty");
        fs::remove(d.other / rest);
    }
    CHECK_FALSE(fs::exists(d.other / "oauth3.db"));
    // What a restore leaves that was cut off before its last step.
    base::write_private_file(d.other / "link.key", "another");
    base::write_private_file(d.other / "restoring.db", "half");
    base::write_private_file(d.other / "restoring.db-journal", "half");
    store::restore(d.file, d.other);
    CHECK(base::read_file(d.other / "link.key") == d.link_key);
    CHECK_FALSE(fs::exists(d.other / "restoring.db-journal"));
    CHECK(d.count(d.other, "tenants") == 1);
}

TEST_CASE("a restored database says so until it is told that it was taken up") {
    Data d;
    store::backup(d.data, d.file);
    store::restore(d.file, d.other);
    {
        store::Database original(d.data);
        CHECK_FALSE(store::is_restored(original));
        store::Database restored(d.other);
        CHECK(store::is_restored(restored));
        {
            store::Transaction dropped(restored);
            store::clear_restored(dropped);
        }
        CHECK(store::is_restored(restored));
        store::Transaction tx(restored);
        store::clear_restored(tx);
        tx.commit();
        CHECK_FALSE(store::is_restored(restored));
    }
    store::Database again(d.other);
    CHECK_FALSE(store::is_restored(again));
}

TEST_CASE("what is no backup, or a damaged one, is refused") {
    Data d;
    store::backup(d.data, d.file);
    const std::string whole = base::read_file(d.file);
    const fs::path bad = d.folder.path() / "bad";
    const auto tries = [&](const std::string& bytes) {
        std::ofstream(bad, std::ios::binary | std::ios::trunc) << bytes;
        return code_of([&] { store::restore(bad, d.other); });
    };
    CHECK(tries("") == "bad_backup");
    CHECK(tries("text") == "bad_backup");
    CHECK(tries(whole.substr(0, whole.size() / 2)) == "bad_backup");
    CHECK(tries(base::read_file(d.data / "oauth3.db")) == "bad_backup");
    std::string torn = whole;
    for (std::size_t at = 4096 * 3; at < 4096 * 4 && at < torn.size(); ++at) torn[at] = 'x';
    CHECK(tries(torn) == "bad_backup");
    CHECK_FALSE(fs::exists(d.other / "oauth3.db"));
    CHECK(tries(whole) == "");
    CHECK(d.count(d.other, "tenants") == 1);
}

TEST_CASE("a backup while the server writes is one moment of it") {
    Data d;
    store::Database server(d.data);
    std::atomic<bool> stop{false};
    std::atomic<int> pairs{0};
    std::thread writer([&] {
        for (int i = 0; !stop; ++i) {
            // Two rows in one transaction: a copy that has one of them is torn.
            store::Transaction tx(server);
            const std::string id = std::to_string(i);
            server.sqlite().exec("INSERT INTO tenants VALUES ('a" + id + "','o','a',NULL,1)");
            server.sqlite().exec("INSERT INTO tenants VALUES ('b" + id + "','o','b',NULL,1)");
            tx.commit();
            ++pairs;
        }
    });
    for (int i = 0; i < 5; ++i) {
        const int before = pairs;
        while (pairs < before + 10) std::this_thread::yield();
        const fs::path file = d.folder.path() / ("b" + std::to_string(i));
        const fs::path to = d.folder.path() / ("r" + std::to_string(i));
        store::backup(d.data, file);
        store::restore(file, to);
        store::Database copy(to);
        const auto count = [&](const char* name) {
            return copy.sqlite()
                .execAndGet(std::string("SELECT count(*) FROM tenants WHERE name='") + name + "'")
                .getInt64();
        };
        CHECK(count("a") == count("b"));
        CHECK(count("a") >= before);
    }
    stop = true;
    writer.join();
}
