#include "base/error.h"
#include "runtime/deno.h"
#include "runtime/elf.h"

#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace oauth3::runtime {
namespace {

namespace fs = std::filesystem;

/// npm's own "deno" is a script that starts the binary; the jail has no place for that.
bool is_program(const fs::path& file) {
    return ::access(file.c_str(), X_OK) == 0 && is_elf(file);
}

std::vector<fs::path> usual_places() {
    std::vector<fs::path> places;
    std::error_code error;
    const fs::path self = fs::read_symlink("/proc/self/exe", error);
    if (!error) {
        const fs::path here = self.parent_path();
        places.push_back(here / "deno");
        // This program as built: build/<preset>/oauth3.
        places.push_back(here.parent_path().parent_path() /
                         "scripts/deno/node_modules/@deno/linux-x64-glibc/deno");
    }
    const char* const path = std::getenv("PATH");
    std::string_view rest = path != nullptr ? path : "";
    while (!rest.empty()) {
        const std::size_t end = rest.find(':');
        const std::string_view folder = rest.substr(0, end);
        // A relative entry would mean whatever folder the server happens to be started in.
        if (folder.starts_with('/')) places.push_back(fs::path(folder) / "deno");
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    }
    return places;
}

}  // namespace

fs::path find_deno(const fs::path& explicit_path) {
    if (!explicit_path.empty()) {
        if (is_program(explicit_path)) return fs::absolute(explicit_path);
        throw base::Error("deno_not_found", explicit_path.string() + " is not a Deno binary",
                          "npm's deno is a script: name the file @deno/linux-x64-glibc/deno");
    }
    for (const fs::path& place : usual_places())
        if (is_program(place)) return place;
    throw base::Error("deno_not_found", "Deno, which runs the programs, was not found",
                      "run scripts/setup, or name the binary");
}

}  // namespace oauth3::runtime
