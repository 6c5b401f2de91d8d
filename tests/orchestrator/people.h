#pragma once

#include "orchestrator/accounts.h"
#include "orchestrator/world.h"
#include "store/ledger.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace oauth3::test {

/// A server's people on a folder of their own, without requests.
struct People {
    TemporaryFolder folder;
    TestClock clock;
    store::Database database{folder.path() / "data"};
    orchestrator::Access access{database, base::SecretString(std::string(32, 'k'))};
    orchestrator::Accounts accounts{database, clock};

    orchestrator::Principal as(const base::SecretString& key) {
        return *access.authenticate(key.reveal());
    }
    orchestrator::Principal server_owner() {
        std::string key;
        accounts.create_server_owner([&](const auto& made) { key = std::string(made.reveal()); });
        return *access.authenticate(key);
    }
    /// All bytes of all files of the database.
    std::string bytes() const {
        std::string out;
        for (const auto& entry : std::filesystem::directory_iterator(folder.path() / "data")) {
            std::ifstream in(entry.path(), std::ios::binary);
            out.append(std::istreambuf_iterator<char>(in), {});
        }
        return out;
    }
    std::vector<std::string> actions(const std::string& owner) {
        std::vector<std::string> out;
        for (const auto& event : chain_of(database, owner)) out.push_back(event.action);
        return out;
    }
};

}  // namespace oauth3::test
