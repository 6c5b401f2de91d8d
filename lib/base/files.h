#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace oauth3::base {

/// Reads a whole file of at most `limit` bytes. Throws SystemError, or Error "file_too_large".
std::string read_file(const std::filesystem::path& path, std::size_t limit = 1 << 20);

/// Writes a file that only its owner can read (0600), all or nothing: a new file beside it is
/// synced and renamed over `path`. Throws SystemError.
void write_private_file(const std::filesystem::path& path, std::string_view bytes);

/// As write_private_file, but a file that exists already is left alone and false returned.
/// Of several writers at once exactly one gets true.
bool create_private_file(const std::filesystem::path& path, std::string_view bytes);

/// Makes the folder and those above it. One that did not exist gets mode 0700.
/// Throws Error "insecure_folder" if it exists and others may write to it: by its mode, or because
/// it belongs to neither this user nor root.
void make_private_folder(const std::filesystem::path& path);

/// A new empty folder of this user alone (0700), that goes with all it holds.
class TemporaryFolder {
  public:
    /// Its name begins with "oauth3-`purpose`-". Throws SystemError.
    explicit TemporaryFolder(std::string_view purpose);
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

}  // namespace oauth3::base
