#include "runtime/deno_root.h"

#include "base/error.h"
#include "base/files.h"
#include "runtime/deno.h"
#include "support/catch.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>

using namespace oauth3;
using namespace oauth3::runtime;
namespace fs = std::filesystem;

namespace {

/// Any dynamic program does here: this one.
const fs::path& self() {
    static const fs::path path = fs::read_symlink("/proc/self/exe");
    return path;
}

struct Folder {
    fs::path path;
    Folder() {
        std::string name = (fs::temp_directory_path() / "oauth3-root-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) base::throw_errno("mkdtemp");
        path = name;
    }
    ~Folder() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
};

std::size_t entries(const fs::path& folder) {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

std::string code_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const base::Error& error) {
        CHECK(error.hint() != "");
        return error.code();
    }
    return "no error";
}

}  // namespace

TEST_CASE("a root holds the program, its loader and its libraries, for everybody to read") {
    const Folder folder;
    const fs::path root = prepare_deno_root(self(), folder.path / "jail");
    CHECK(fs::file_size(root / "deno") == fs::file_size(self()));
    for (const char* name : {"proc", "dev", "tmp"}) CHECK(fs::is_empty(root / name));
    std::set<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
        INFO(entry.path());
        CHECK_FALSE(entry.is_symlink());
        CHECK((entry.status().permissions() & fs::perms(05)) == fs::perms(05));
        names.insert(entry.path().filename());
    }
    CHECK(names.count("libc.so.6") == 1);
    CHECK(names.count("ld-linux-x86-64.so.2") == 1);
    CHECK((fs::status(root).permissions() & fs::perms(0777)) == fs::perms(0755));
}

TEST_CASE("a root is made once, and anew when the program changes") {
    const Folder folder;
    const fs::path program = folder.path / "program";
    fs::copy_file(self(), program);
    const fs::path first = prepare_deno_root(program, folder.path / "jail");
    struct stat before {};
    REQUIRE(::stat(first.c_str(), &before) == 0);
    CHECK(prepare_deno_root(program, folder.path / "jail") == first);
    struct stat after {};
    REQUIRE(::stat(first.c_str(), &after) == 0);
    CHECK(before.st_ino == after.st_ino);
    CHECK(entries(folder.path / "jail") == 2);  // the root and the record

    // Another file of the same content: looked at again, but the same root.
    fs::remove(program);
    fs::copy_file(self(), program);
    CHECK(prepare_deno_root(program, folder.path / "jail") == first);

    fs::remove(program);
    base::write_private_file(program, base::read_file(self(), std::size_t{1} << 30) + "more");
    fs::permissions(program, fs::perms(0700));
    const fs::path second = prepare_deno_root(program, folder.path / "jail");
    CHECK(second != first);
    CHECK(fs::file_size(second / "deno") == fs::file_size(program));
    CHECK_FALSE(fs::exists(first));
    CHECK((fs::status(second / "deno").permissions() & fs::perms(05)) == fs::perms(05));
    CHECK((fs::status(program).permissions() & fs::perms(0777)) == fs::perms(0700));
}

TEST_CASE("a spoiled record or a lost root is made good") {
    const Folder folder;
    const fs::path first = prepare_deno_root(self(), folder.path / "jail");
    for (const std::string record : {"", "../..\n", "0123\nx\t/y\n", "\n\n\n"}) {
        base::write_private_file(folder.path / "jail/record", record);
        CHECK(prepare_deno_root(self(), folder.path / "jail") == first);
    }
    fs::remove_all(first);
    CHECK(prepare_deno_root(self(), folder.path / "jail") == first);
    CHECK(fs::exists(first / "deno"));
    // A draft that a crash left behind goes when the next root is made.
    fs::create_directory(folder.path / "jail/draft-0123");
    fs::remove_all(first);
    prepare_deno_root(self(), folder.path / "jail");
    CHECK_FALSE(fs::exists(folder.path / "jail/draft-0123"));
}

TEST_CASE("what is no program is refused, with what to do") {
    const Folder folder;
    base::write_private_file(folder.path / "script", "#!/bin/sh\n");
    fs::permissions(folder.path / "script", fs::perms(0755));
    CHECK(code_of([&] { prepare_deno_root(folder.path / "script", folder.path / "jail"); }) ==
          "deno_unusable");
    CHECK(code_of([&] { find_deno(folder.path / "script"); }) == "deno_not_found");
    CHECK(code_of([&] { find_deno(folder.path / "missing"); }) == "deno_not_found");
    CHECK(find_deno(self()) == self());
}
