// Writes what is made from the table of commands and kept in the repository:
//   oauth3_docs SOURCE_FOLDER   ->  man/oauth3.1, share/completions/oauth3.bash

#include "cli/help.h"

#include <cstdio>
#include <fstream>

namespace {

void write(const std::string& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << text;
    file.close();
    if (!file) throw std::runtime_error("cannot write " + path);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: oauth3_docs SOURCE_FOLDER\n", stderr);
        return 2;
    }
    const std::string folder = argv[1];
    const auto commands = oauth3::cli::all_commands();
    write(folder + "/man/oauth3.1", oauth3::cli::manual_page(commands));
    write(folder + "/share/completions/oauth3.bash", oauth3::cli::bash_completion(commands));
    return 0;
}
