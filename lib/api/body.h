#pragma once

#include "base/members.h"
#include "http/message.h"

#include <optional>
#include <string>
#include <vector>

namespace oauth3::api {

/// The object in a request's body. What is malformed in it is thrown as base::Malformed, which the
/// service answers with 400.
class Body : public base::Members {
  public:
    /// Throws a Refusal: 415 for another content type than JSON, 400 bad_json for what the strict
    /// reader refuses or what is no object. An empty body is an empty object.
    explicit Body(const http::Request& request);

    /// The tenant that a call names, in query or body (wire 2.1); "" counts as none.
    std::optional<std::string> named_tenant(const http::Request& request) const;

    /// 400 bad_request if any of these members is there: nothing is accepted that nothing enforces.
    void refuse(const std::vector<std::string>& names) const;
};

}  // namespace oauth3::api
