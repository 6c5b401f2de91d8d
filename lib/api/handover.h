#pragma once

#include "base/secret_string.h"

#include <filesystem>
#include <string_view>

// What only the human may see: it goes to a file of theirs or to the controlling terminal, never
// to stdout, stderr, a log or a journal, where an agent could read it.

namespace oauth3::api {

/// Brings the owner's key to the human: to `file` (0600) if it is named, else to the terminal.
/// Throws base::Error "no_owner_key_out" if there is neither.
void deliver_owner_key(const std::filesystem::path& file, const base::SecretString& key);

/// Shows a log-in link on the controlling terminal; false if there is none.
bool show_login_link(std::string_view url);

}  // namespace oauth3::api
