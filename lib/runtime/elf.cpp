#include "runtime/elf.h"

#include "base/error.h"
#include "base/fd.h"

#include <elf.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <string>

namespace oauth3::runtime {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void throw_unusable(const fs::path& program, const std::string& why) {
    throw base::Error("deno_unusable", program.string() + " " + why,
                      "run scripts/setup, or name another binary");
}

bool read_at(const base::Fd& fd, void* to, std::size_t size, std::uint64_t offset) {
    return ::pread(fd.get(), to, size, static_cast<off_t>(offset)) == static_cast<ssize_t>(size);
}

struct Output {
    std::string text;
    int wait_status = 0;
};

/// What a program prints on stdout; it gets no environment.
Output output_of(const std::vector<std::string>& command) {
    base::Pipe out = base::make_pipe();
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, out.write.get(), 1);
    std::vector<std::string> texts = command;
    std::vector<char*> argv;
    for (std::string& text : texts) argv.push_back(text.data());
    argv.push_back(nullptr);
    std::array<char*, 1> environment{nullptr};
    pid_t pid = -1;
    const int error =
        ::posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environment.data());
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) throw base::SystemError(error, "start " + command.front());
    out.write.reset();
    Output output;
    output.text = base::read_all(out.read.get(), std::size_t{1} << 20);
    while (::waitpid(pid, &output.wait_status, 0) < 0 && errno == EINTR) {
    }
    return output;
}

}  // namespace

bool is_elf(const fs::path& file) {
    const base::Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, SELFMAG> magic{};
    return fd && read_at(fd, magic.data(), magic.size(), 0) &&
           std::memcmp(magic.data(), ELFMAG, SELFMAG) == 0;
}

fs::path loader_of(const fs::path& program) {
    const base::Fd fd(::open(program.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) base::throw_errno("open " + program.string());
    Elf64_Ehdr head{};
    if (!read_at(fd, &head, sizeof head, 0) || std::memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
        head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_ident[EI_DATA] != ELFDATA2LSB)
        throw_unusable(program, "is not a program for this machine");
    for (std::uint64_t i = 0; i < head.e_phnum; ++i) {
        Elf64_Phdr part{};
        if (!read_at(fd, &part, sizeof part, head.e_phoff + i * sizeof part)) break;
        if (part.p_type != PT_INTERP) continue;
        std::array<char, 256> path{};
        if (part.p_filesz >= path.size() || !read_at(fd, path.data(), part.p_filesz, part.p_offset))
            break;
        return fs::path(path.data());
    }
    throw_unusable(program, "does not name its loader");
}

std::vector<fs::path> libraries_of(const fs::path& program) {
    const Output listing = output_of({loader_of(program).string(), "--list", program.string()});
    if (!WIFEXITED(listing.wait_status) || WEXITSTATUS(listing.wait_status) != 0)
        throw_unusable(program, "cannot be loaded on this machine");
    // Lines are "name => /path (address)", "/path (address)" or, made by the kernel, "name (…)".
    std::vector<fs::path> libraries;
    std::istringstream lines(listing.text);
    for (std::string line; std::getline(lines, line);) {
        if (line.find("not found") != std::string::npos)
            throw_unusable(program, "lacks a library:" + line);
        const std::size_t start = line.find('/');
        const std::size_t end = line.rfind(" (");
        if (start == std::string::npos || end == std::string::npos || end < start) continue;
        libraries.emplace_back(line.substr(start, end - start));
    }
    return libraries;
}

}  // namespace oauth3::runtime
