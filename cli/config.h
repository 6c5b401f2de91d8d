#pragma once

#include "base/json.h"
#include "cli/command.h"

#include <oauth3/client.h>

#include <filesystem>
#include <optional>
#include <string>

namespace oauth3::cli {

/// ~/.oauth3 of $HOME; nullopt if HOME is not set to an absolute path. (The password database is
/// not asked: in a static program that would load the host's libraries.)
std::optional<std::filesystem::path> oauth3_folder();

/// ~/.oauth3/config.json. Members that this program does not know are kept.
class Config {
  public:
    /// Reads the file; without one, or without HOME, the configuration is empty. Throws
    /// base::Error "bad_config" if it cannot be read or is no JSON object.
    static Config load();

    /// A member that is a non-empty text.
    std::optional<std::string> text(const char* name) const;
    /// A member that is an object; an empty one if it is absent or something else.
    base::Json object(const char* name) const;
    void set(const char* name, base::Json value) { json_[name] = std::move(value); }
    /// Writes the file (0600), all or nothing.
    void save() const;

  private:
    base::Json json_ = base::Json::object();
};

/// Whose key a call carries.
enum class Whose { agent, owner };

/// The server in use: --url, $OAUTH3_URL, the configuration's `url`, for agents else its
/// `enclave_url` (which the setting up of other programs writes), else http://127.0.0.1:3737. Warns
/// if keys would travel in clear. Throws UsageError for a bad URL.
ServerUrl server_url(const Arguments& arguments, Console& console, Whose whose = Whose::agent);

/// $NAME if it is set and not empty.
std::optional<std::string> environment(const char* name);

}  // namespace oauth3::cli
