#include "base/files.h"
#include "e2e/harness.h"
#include "support/catch.h"

#include <fmt/format.h>

#include <cstdlib>

using namespace oauth3;
using namespace oauth3::e2e;

namespace {

namespace fs = std::filesystem;

/// Runs a program to its end, which must be a good one.
std::string run(const std::vector<std::string>& argv,
                const std::map<std::string, std::string>& environment = {}) {
    const Ended ended = Process(argv, environment).wait();
    INFO(fmt::format("{}\n{}\n{}", fmt::join(argv, " "), ended.out, ended.err));
    REQUIRE(ended.exit_code == 0);
    return ended.out;
}

std::vector<std::string> words(const std::string& text) {
    std::vector<std::string> out;
    std::size_t at = 0;
    while ((at = text.find_first_not_of(" \n", at)) != std::string::npos) {
        const std::size_t end = std::min(text.find_first_of(" \n", at), text.size());
        out.push_back(text.substr(at, end - at));
        at = end;
    }
    return out;
}

fs::path find(const fs::path& root, const std::string& name) {
    for (const auto& entry : fs::recursive_directory_iterator(root))
        if (entry.path().filename() == name) return entry.path();
    return {};
}

}  // namespace

TEST_CASE("programs of others build and run with what is installed, and with nothing else") {
    const Folder folder;
    // The tree is moved after it was installed: nothing in it may know where it stands.
    const fs::path root = folder / "moved";
    run({OAUTH3_CMAKE, "--install", OAUTH3_BUILD_DIR, "--prefix", folder / "installed"});
    fs::rename(folder / "installed", root);

    for (const char* name : {"bin/oauth3", "include/oauth3/client.h", "share/man/man1/oauth3.1",
                             "share/bash-completion/completions/oauth3", "share/doc/oauth3/LICENSE",
                             "share/oauth3/openapi.yaml", "lib/systemd/system/oauth3.service",
                             "lib/sysusers.d/oauth3.conf"}) {
        INFO(name);
        CHECK(fs::is_regular_file(root / name));
    }
    const fs::path library = find(root, "liboauth3.a");
    const fs::path package = find(root, "oauth3.pc");
    REQUIRE(!library.empty());
    REQUIRE(!package.empty());
    CHECK(std::distance(fs::directory_iterator(root / "include/oauth3"), {}) == 1);
    for (const fs::path& text :
         {package, find(root, "oauth3Config.cmake"), root / "include/oauth3/client.h"}) {
        INFO(text);
        const std::string content = base::read_file(text);
        CHECK(content.find(OAUTH3_SOURCE_DIR) == std::string::npos);
        CHECK(content.find(OAUTH3_BUILD_DIR) == std::string::npos);
    }

    const fs::path source = folder / "outside";
    fs::copy(fs::path(OAUTH3_SOURCE_DIR) / "tests/install/outside", source);
    const std::map<std::string, std::string> environment{
        {"PKG_CONFIG_PATH", package.parent_path()}, {"CPATH", ""}, {"LIBRARY_PATH", ""}};

    // With CMake.
    run({OAUTH3_CMAKE, "-S", source, "-B", source / "build", "-G", "Ninja",
         std::string("-DCMAKE_CXX_COMPILER=") + OAUTH3_COMPILER,
         "-DCMAKE_PREFIX_PATH=" + root.string()},
        environment);
    run({OAUTH3_CMAKE, "--build", source / "build"}, environment);

    // With a compiler and pkg-config.
    CHECK(words(run({"pkg-config", "--modversion", "oauth3"}, environment)) ==
          std::vector<std::string>{OAUTH3_VERSION});
    std::vector<std::string> compile{OAUTH3_COMPILER,    "-std=c++17", "-Wall", "-Wextra",
                                     "-Wpedantic",       "-Werror",    "-o",    source / "plain",
                                     source / "main.cpp"};
    for (std::string& word :
         words(run({"pkg-config", "--cflags", "--libs", "oauth3"}, environment)))
        compile.push_back(std::move(word));
    run(compile, environment);

    // Against the installed server.
    ::setenv("OAUTH3_BIN", (root / "bin/oauth3").c_str(), 1);
    const Server server(
        {"--deno", OAUTH3_SOURCE_DIR "/scripts/deno/node_modules/@deno/linux-x64-glibc/deno"});
    ::unsetenv("OAUTH3_BIN");
    for (const fs::path& program : {source / "build/outside", source / "plain"})
        CHECK(run({program, server.url(), server.owner_key()}) == "completed: hello outside\n");
}
