#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace oauth3::test {

/// All the ways in which the source tree below `root` breaks the rules of the house, one sentence
/// each; empty if it keeps them. The rules:
///   - a room includes itself and rooms on lower floors (lib/floors.txt) only;
///   - SQLite only in lib/store, Boost only in the sources and private headers of lib/http, curl
///     only in lib/client;
///   - lib/jail knows nothing of what it is for;
///   - the client's installed header needs the standard library only;
///   - nothing unexpected stands at the top.
std::vector<std::string> broken_rules(const std::filesystem::path& root);

}  // namespace oauth3::test
