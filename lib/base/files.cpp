#include "base/files.h"

#include "base/crypto.h"
#include "base/error.h"
#include "base/fd.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace oauth3::base {
namespace {

namespace fs = std::filesystem;

/// Makes a renamed or linked name survive a power cut.
void sync_folder(const fs::path& folder) {
    const Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd) ::fsync(fd.get());
}

fs::path folder_of(const fs::path& path) {
    return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

/// A new, synced file beside `path` that holds `bytes`.
fs::path write_beside(const fs::path& path, std::string_view bytes) {
    fs::path temporary = path;
    temporary += "." + to_hex(random_bytes(6)) + ".tmp";
    const Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd) throw_errno("cannot write " + path.string());
    try {
        write_all(fd.get(), bytes);
        if (::fsync(fd.get()) != 0) throw_errno("cannot write " + path.string());
    } catch (...) {
        ::unlink(temporary.c_str());
        throw;
    }
    return temporary;
}

/// False if something with this name exists already. The folders above it are made as needed.
bool make_folder(const fs::path& path) {
    if (::mkdir(path.c_str(), 0700) == 0) return true;
    if (errno == ENOENT && path.has_parent_path() && path.parent_path() != path) {
        make_folder(path.parent_path());
        if (::mkdir(path.c_str(), 0700) == 0) return true;
    }
    if (errno != EEXIST) throw_errno("cannot make " + path.string());
    return false;
}

void check_private(const fs::path& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) throw_errno("cannot use " + path.string());
    if (!S_ISDIR(info.st_mode)) throw SystemError(ENOTDIR, path.string());
    if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        throw Error("insecure_folder", path.string() + " can be changed by other users",
                    "chmod go-w " + path.string());
    // Somebody may have made it first, such as below /tmp, and would hold all that we put there.
    if (info.st_uid != ::geteuid() && info.st_uid != 0)
        throw Error("insecure_folder", path.string() + " belongs to another user",
                    "choose a folder of your own");
}

}  // namespace

std::string read_file(const fs::path& path, std::size_t limit) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) throw_errno("cannot read " + path.string());
    return read_all(fd.get(), limit);
}

void write_private_file(const fs::path& path, std::string_view bytes) {
    const fs::path temporary = write_beside(path, bytes);
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
        const int number = errno;
        ::unlink(temporary.c_str());
        throw SystemError(number, "cannot write " + path.string());
    }
    sync_folder(folder_of(path));
}

bool create_private_file(const fs::path& path, std::string_view bytes) {
    const fs::path temporary = write_beside(path, bytes);
    const int result = ::link(temporary.c_str(), path.c_str());
    const int number = errno;
    ::unlink(temporary.c_str());
    if (result != 0 && number == EEXIST) return false;
    if (result != 0) throw SystemError(number, "cannot write " + path.string());
    sync_folder(folder_of(path));
    return true;
}

void make_private_folder(const fs::path& path) {
    if (!make_folder(path)) check_private(path);
}

TemporaryFolder::TemporaryFolder(std::string_view purpose) {
    const std::string name = "oauth3-" + std::string(purpose) + "-XXXXXX";
    std::string path = (std::filesystem::temp_directory_path() / name).string();
    if (::mkdtemp(path.data()) == nullptr) throw_errno("make " + path);
    path_ = path;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace oauth3::base
