#include "runtime/deno_root.h"

#include "base/crypto.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/files.h"
#include "runtime/elf.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace oauth3::runtime {
namespace {

namespace fs = std::filesystem;

/// A file of the host, and where it goes in the root.
struct Part {
    fs::path source;
    fs::path target;
};

/// Changes whenever somebody replaces or writes the file.
std::string look_of(const fs::path& file) {
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0) base::throw_errno("look at " + file.string());
    std::ostringstream out;
    // Not the time of the last change of the inode: a further name for it (place()) sets that too.
    out << info.st_dev << ' ' << info.st_ino << ' ' << info.st_size << ' ' << info.st_mtim.tv_sec
        << '.' << info.st_mtim.tv_nsec;
    return out.str();
}

std::string sha256_of(const fs::path& file) {
    const base::Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat info {};
    if (!fd || ::fstat(fd.get(), &info) != 0) base::throw_errno("read " + file.string());
    const auto size = static_cast<std::size_t>(info.st_size);
    void* const bytes = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
    if (bytes == MAP_FAILED) base::throw_errno("read " + file.string());
    std::string hash = base::sha256_hex({static_cast<const char*>(bytes), size});
    ::munmap(bytes, size);
    return hash;
}

std::vector<Part> parts_of(const fs::path& binary) {
    std::vector<Part> parts{{binary, "deno"}};
    const fs::path loader = loader_of(binary);
    parts.push_back({loader, loader.relative_path()});
    // Where the loader finds them without a cache: a flat folder would need a variable for it.
    for (const fs::path& library : libraries_of(binary))
        if (library != loader) parts.push_back({library, library.relative_path()});
    return parts;
}

/// The record beside the roots: the root's name, then for each file it was made from "look<TAB>
/// path". A wrong or missing record only costs making the root anew.
std::string make_record(const std::string& name, const std::vector<Part>& parts) {
    std::string record = name + "\n";
    for (const Part& part : parts)
        record += look_of(part.source) + "\t" + part.source.native() + "\n";
    return record;
}

std::optional<fs::path> find_prepared(const fs::path& binary, const fs::path& folder,
                                      const fs::path& record_file) try {
    std::istringstream record(base::read_file(record_file));
    std::string name;
    std::string line;
    if (!std::getline(record, name) || !base::is_lower_hex(name, 64)) return std::nullopt;
    for (bool first = true; std::getline(record, line); first = false) {
        const std::size_t tab = line.find('\t');
        if (tab == std::string::npos) return std::nullopt;
        const fs::path source = line.substr(tab + 1);
        if (first && source != binary) return std::nullopt;
        if (look_of(source) != line.substr(0, tab)) return std::nullopt;
    }
    if (!fs::exists(folder / name / "deno")) return std::nullopt;
    return folder / name;
} catch (const base::Error&) {
    return std::nullopt;
}

void make_readable(const fs::path& path) {
    if (::chmod(path.c_str(), 0755) != 0) base::throw_errno("chmod " + path.string());
}

/// The folder and those above it, up to `top`, so that everybody can pass.
void make_open_folder(const fs::path& top, const fs::path& relative) {
    fs::path path = top;
    for (const fs::path& part : relative) {
        path /= part;
        if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST)
            base::throw_errno("make " + path.string());
        make_readable(path);
    }
}

void place(const Part& part, const fs::path& top) {
    make_open_folder(top, part.target.parent_path());
    const fs::path target = top / part.target;
    const fs::path source = fs::canonical(part.source);
    // A second name costs nothing, but shares the mode; and it may be forbidden, or impossible
    // from another file system.
    constexpr fs::perms kOpen =
        fs::perms::others_read | fs::perms::others_exec | fs::perms::group_read;
    const bool open = (fs::status(source).permissions() & kOpen) == kOpen;
    if (open && ::link(source.c_str(), target.c_str()) == 0) return;
    fs::copy_file(source, target, fs::copy_options::overwrite_existing);
    make_readable(target);
}

/// So that a power cut cannot leave the name of the root without its content.
void sync_filesystem(const fs::path& folder) {
    const base::Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd || ::syncfs(fd.get()) != 0) base::throw_errno("sync " + folder.string());
}

void make_root(const std::vector<Part>& parts, const fs::path& folder, const fs::path& root) {
    const fs::path draft = folder / ("draft-" + base::to_hex(base::random_bytes(6)));
    try {
        make_open_folder(folder, draft.filename());
        for (const char* name : {"proc", "dev", "tmp"}) make_open_folder(draft, name);
        for (const Part& part : parts) place(part, draft);
        sync_filesystem(draft);
        if (::rename(draft.c_str(), root.c_str()) != 0 && errno != EEXIST && errno != ENOTEMPTY)
            base::throw_errno("make " + root.string());
    } catch (...) {
        std::error_code ignored;
        fs::remove_all(draft, ignored);
        throw;
    }
    // What is left of drafts, ours if another was faster, and roots of earlier versions.
    for (const auto& entry : fs::directory_iterator(folder)) {
        std::error_code ignored;
        if (entry.is_directory() && entry.path() != root) fs::remove_all(entry.path(), ignored);
    }
}

}  // namespace

fs::path prepare_deno_root(const fs::path& binary, const fs::path& folder) try {
    base::make_private_folder(folder);
    const fs::path source = fs::canonical(binary);
    const fs::path whole = fs::canonical(folder);
    const fs::path record_file = whole / "record";
    if (const auto prepared = find_prepared(source, whole, record_file)) return *prepared;

    const std::vector<Part> parts = parts_of(source);
    std::string content;
    for (const Part& part : parts)
        content += sha256_of(part.source) + " " + part.target.native() + "\n";
    const std::string name = base::sha256_hex(content);
    const fs::path root = whole / name;
    if (!fs::exists(root)) make_root(parts, whole, root);
    base::write_private_file(record_file, make_record(name, parts));
    return root;
} catch (const fs::filesystem_error& error) {
    throw base::SystemError(
        error.code().value(),
        "cannot prepare the jail of Deno in " + folder.string() + ": " + error.path1().string());
}

}  // namespace oauth3::runtime
