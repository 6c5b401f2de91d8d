#pragma once

#include "base/error.h"
#include "base/json.h"
#include "base/members.h"
#include "http/message.h"

#include <string>
#include <string_view>

namespace oauth3::api {

/// A non-2xx reply of a JSON route (wire 1.5). Handlers throw it; the service renders it. The
/// message is one plain sentence without secret values, file paths or internals.
class Refusal : public base::Error {
  public:
    Refusal(unsigned status, std::string code, const std::string& message, std::string hint = {},
            base::Json more = base::Json::object())
        : Error(std::move(code), message, std::move(hint)),
          status_(status),
          more_(std::move(more)) {}

    unsigned status() const { return status_; }
    /// Further members of the reply, such as `field` or `line`. `retry_after` (whole seconds) also
    /// makes the header Retry-After.
    const base::Json& more() const { return more_; }

  private:
    unsigned status_;
    base::Json more_;
};

/// 400 bad_request that names the member at fault.
Refusal bad_field(const std::string& field, const std::string& message);
/// What a malformed document is answered with: 400 with `field` and `index`.
Refusal refusal_of(const base::Malformed& problem);
/// 400 not_narrower: that part would allow more than there is.
Refusal not_narrower(const std::string& field);
Refusal not_found();

http::Response json_response(unsigned status, const base::Json& body);
/// The same, of a document that is text already.
http::Response document_response(unsigned status, std::string document);
http::Response refusal_response(const Refusal& refusal);

/// Adds what every reply carries (wire 1.2).
void add_common_headers(http::Response& response);

}  // namespace oauth3::api
