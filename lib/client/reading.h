#pragma once

#include "client/channel.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// From JSON documents to the types of oauth3/client.h, and the texts that go into a request.

namespace oauth3::client {

/// The member as text, "" if it is absent or no text.
std::string text_of(const Json& document, const char* name);
/// The member as a whole number; nullopt if it is absent or none.
std::optional<std::int64_t> whole_of(const Json& document, const char* name);

/// These throw ClientError `protocol` for an answer that lacks what its caller needs.
Submission submission_of(Answer answer);
RequestState state_of(Answer answer, std::string_view id);
DryRun dry_run_of(Answer answer);
Page page_of(Answer answer);

/// The body of POST /execute. Throws std::invalid_argument for args that are no JSON object.
Json body_of(const ExecuteRequest& request);

/// The object in `text`. Throws std::invalid_argument, naming `what`, if there is none.
Json object_of(std::string_view text, const char* what);

std::string percent_encoded(std::string_view text);

/// Puts a query together: only members that are not empty.
class Query {
  public:
    Query& add(std::string_view name, std::string_view value);
    Query& add(std::string_view name, int number);  ///< left out unless positive
    const std::string& text() const { return text_; }

  private:
    std::string text_;
};

/// These throw std::invalid_argument for what cannot be such an id.
std::string checked_id(std::string_view id);
std::string checked_session_id(std::string_view id);  ///< percent-encoded

}  // namespace oauth3::client
