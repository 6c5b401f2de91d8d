#pragma once

#include "base/fd.h"
#include "cli/config.h"

#include <oauth3/client.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace oauth3::cli {

/// The agent's keys as they stand in ~/.oauth3, each bound to the one server it may go to, locked
/// against other processes of this program while it lives. Never held during a network call.
///
/// The first key lies in ~/.oauth3/key; `key_url` of the configuration binds it. Keys for further
/// servers are files of their own, named by `profiles` of the configuration:
///   {"profiles": {"https://oauth3.example.org": {"key_file": "keys/5d41402abc4b2a76"}}}
/// where a path that is not absolute starts at ~/.oauth3.
///
/// The owner's key is not kept, only where it has been used, by the start of its SHA-256:
///   {"owner_urls": {"8a7c2f01d3b4e596": ["https://oauth3.example.org"]}}
class KeyStore {
  public:
    /// Throws base::SystemError, and base::Error "bad_config" for a configuration that cannot be
    /// used.
    explicit KeyStore(std::filesystem::path folder);

    /// The key for `url`: that of ~/.oauth3/key (one that was never used is bound to `url` now),
    /// of the profile, or `jwt` of the configuration if its `enclave_url` is this server. nullopt
    /// if no key is kept at all. Throws base::Error "authentication" if there are only keys for
    /// other servers. `path` gets the key's file, if it has one.
    std::optional<std::string> find(const ServerUrl& url, std::filesystem::path& path);

    /// The key that is kept for `url`; nullopt if there is none, whatever there is for others.
    std::optional<std::string> find_own(const ServerUrl& url);

    /// Remembers that the owner's `key` is used at `url`. Throws base::Error "authentication" if so
    /// far it was used only at others, unless `adds`.
    void bind_owner(std::string_view key, const ServerUrl& url, bool adds);

    /// Why a binding could not be written, as on a read-only disk; else "". The key serves all the
    /// same.
    const std::string& trouble() const { return trouble_; }

    /// Keeps a key for `url`, which must have none: in ~/.oauth3/key if that is free, else as a
    /// profile.
    void add(const std::string& key, const ServerUrl& url);

  private:
    void save_binding();
    std::filesystem::path main_file() const { return folder_ / "key"; }
    bool is_bound_here(const ServerUrl& url) const;
    std::optional<std::filesystem::path> profile_file(const ServerUrl& url) const;
    std::optional<std::string> other_keys(const ServerUrl& url) const;
    std::optional<std::string> find_here(const ServerUrl& url, std::filesystem::path& path,
                                         bool binds);

    std::filesystem::path folder_;
    base::Fd lock_;
    Config config_;
    std::string trouble_;
};

/// The key in the text of a file or variable; nullopt for what counts as absent. Throws base::Error
/// "authentication" for a text that can be no key.
std::optional<std::string> key_in(std::string text);

/// The key in a file; nullopt if the file is absent or holds none.
std::optional<std::string> key_in_file(const std::filesystem::path& path);

}  // namespace oauth3::cli
