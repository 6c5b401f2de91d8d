#pragma once

#include "policy/limit.h"
#include "policy/phrase_places.h"

#include <optional>

/// What the rows of the table of phrases (phrases.cpp) become. Each takes what the places of a form
/// hold; nullopt if the row does not stand for that.
namespace oauth3::policy::limits {

using Result = std::optional<Limit>;

Result no_calls(const Places& in);
Result https_only(const Places& in);

// Methods at every host. HEAD goes with GET wherever GET is allowed, since it is a GET without the
// answer's content (RFC 9110 section 9.3.2).
Result reading(const Places& in);
Result methods(const Places& in);
Result no_methods(const Places& in);
Result no_delete(const Places& in);

// Hosts, with or without methods and paths.
Result hosts(const Places& in);
Result methods_at_hosts(const Places& in);
Result reading_at_hosts(const Places& in);

// GitHub. A repository is what lies below its paths at the API and at the host for plain files.
Result read_repository(const Places& in);
Result use_repository(const Places& in);
Result read_organisation(const Places& in);
Result use_organisation(const Places& in);
Result read_branch(const Places& in);
Result push_branch(const Places& in);
Result read_issues(const Places& in);
Result read_and_comment(const Places& in);
Result comment(const Places& in);
Result create_issues(const Places& in);

// One endpoint of well-known services: of all that offer it, or of the hosts in `in`.
Result chat_completions(const Places& in);
Result embeddings(const Places& in);
Result messages(const Places& in);
Result responses(const Places& in);
Result slack_messages(const Places& in);

// Counts and times. Beyond what a server grants anyway a limit would look like a promise, so such a
// text has none.
Result one_run(const Places& in);
Result runs(const Places& in);
Result requests(const Places& in);
Result life(const Places& in);
Result timeout(const Places& in);

Result no_secrets(const Places& in);
Result secrets(const Places& in);
/// Only for names with "_", so that no other word in capitals ("HTTPS") is taken for a secret.
Result marked_secrets(const Places& in);

}  // namespace oauth3::policy::limits
