#include "house/house.h"

#include "support/catch.h"
#include "support/temporary_folder.h"

#include <fstream>

using oauth3::test::broken_rules;
using oauth3::test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

const fs::path kRoot = OAUTH3_SOURCE_DIR;

/// A copy of what the checker reads.
void copy_house(const fs::path& to) {
    for (const char* name : {"lib", "cli"})
        fs::copy(kRoot / name, to / name, fs::copy_options::recursive);
    for (const char* name : {"tests", "share", "man", "scripts"}) fs::create_directory(to / name);
    for (const char* name : {"CMakeLists.txt", "CMakePresets.json", "README.md", "LICENSE"})
        std::ofstream(to / name).put('\n');
}

void plant(const fs::path& file, const std::string& text) {
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::app) << text << '\n';
}

struct Violation {
    const char* file;
    const char* text;
    const char* told;  ///< part of the sentence that must come
};

}  // namespace

TEST_CASE("the house keeps its rules") {
    const auto broken = broken_rules(kRoot);
    for (const std::string& sentence : broken) UNSCOPED_INFO(sentence);
    CHECK(broken.empty());
}

TEST_CASE("the checker of the house finds each planted violation") {
    const Violation planted = GENERATE(
        Violation{"lib/policy/x.h", "#include \"store/database.h\"", "not on a lower floor"},
        Violation{"lib/skill/x.h", "#include \"jail/spec.h\"", "not on a lower floor"},
        Violation{"lib/base/x.cpp", "  #  include  <policy/status.h>", "not on a lower floor"},
        Violation{"lib/api/x.cpp", "#include \"client/transport.h\"", "not on a lower floor"},
        Violation{"lib/api/x.cpp", "#include <oauth3/client.h>", "not on a lower floor"},
        Violation{"lib/policy/x.cpp", "#include \"../store/database.h\"", "not written from lib/"},
        Violation{"lib/policy/x.cpp", "#include \"lib/store/ledger.h\"", "not written from lib/"},
        Violation{"lib/policy/x.cpp", "#include \"nowhere/x.h\"", "is in no room"},
        Violation{"lib/cellar/x.cpp", "", "has no floor"},
        Violation{"lib/orchestrator/x.cpp", "#include <SQLiteCpp/SQLiteCpp.h>", "lib/store"},
        Violation{"cli/commands/x.cpp", "#include <sqlite3.h>", "lib/store"},
        Violation{"lib/api/x.h", "#include <boost/asio/post.hpp>", "lib/http"},
        Violation{"lib/api/x.cpp", "#include \"http/asio.h\"", "brings Boost along"},
        Violation{"cli/x.cpp", "#include <curl/curl.h>", "lib/client"},
        Violation{"lib/jail/x.h", "// runs a Skill", "says \"skill\""},
        Violation{"lib/jail/limits.cpp", "int approval_count;", "says \"approval\""},
        Violation{"lib/client/include/oauth3/client.h", "#include <nlohmann/json.hpp>",
                  "not a standard header"},
        Violation{"lib/client/include/oauth3/client.h", "#include \"base/json.h\"",
                  "not a standard header"},
        Violation{"lib/client/include/oauth3/more.h", "", "only client.h is installed"},
        Violation{"notes.txt", "", "does not belong at the top"},
        Violation{"src/x.cpp", "", "does not belong at the top"});
    CAPTURE(planted.file, planted.text);
    const TemporaryFolder folder;
    copy_house(folder.path());
    const auto before = broken_rules(folder.path());
    plant(folder.path() / planted.file, planted.text);
    const auto after = broken_rules(folder.path());
    CHECK(after.size() > before.size());
    CHECK(std::any_of(after.begin(), after.end(), [&](const std::string& sentence) {
        return sentence.find(planted.told) != std::string::npos;
    }));
}

TEST_CASE("the checker of the house misses what is missing") {
    const TemporaryFolder folder;
    copy_house(folder.path());
    fs::remove(folder.path() / "LICENSE");
    const auto broken = broken_rules(folder.path());
    CHECK(std::find(broken.begin(), broken.end(), "LICENSE is missing at the top") != broken.end());
}
