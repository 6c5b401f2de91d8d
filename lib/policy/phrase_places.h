#pragma once

#include "base/clock.h"
#include "base/network.h"
#include "policy/path_pattern.h"
#include "policy/phrase_words.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace oauth3::policy {

/// What the places of a form hold in one text.
struct Places {
    std::vector<base::Network> hosts;
    std::vector<std::string> methods;  ///< upper case
    std::vector<PathPattern> paths;
    std::vector<std::string> secrets;
    std::string owner, repository, branch;
    std::int64_t count = 0;
    base::Seconds duration{0};
};

/// Reads one place at the start of `words` into `into`: how many words it takes, 0 if there is
/// nothing that it could hold. In lists, items are joined by ",", "and", ", and"; for methods also
/// "or".
///   {HOSTS}           networks. A name without a dot is none, unless it is "localhost": people
///   mean
///                     a service by it ("github") and not a host; nor is a file's name
///   {METHOD}          get, head, options, post, put, patch, delete
///   {METHODS}         a list of those
///   {PATHS}           path patterns. A query is refused, since paths are compared without it
///   {SECRETS}         [A-Z_][A-Z0-9_]{0,63}: capitals, or any word could be a secret
///   {OWNER}           [A-Za-z0-9._-]{1,100}, but not of dots alone
///   {OWNER}/{REPO}    two of those, and no ".git"
///   {BRANCH}          the same, but nothing that git may read as another name of a commit
///   {N}               1 to 999999, in digits or, to 99, in words
///   {DURATION}        {N} seconds, minutes, hours, days; "an hour"; "half an hour"
///   {UNIT}            second, minute, hour, day: one of them
std::size_t read_place(std::string_view place, std::span<const Word> words, Places& into);

/// What read_place knows.
bool is_place(std::string_view name);

}  // namespace oauth3::policy
